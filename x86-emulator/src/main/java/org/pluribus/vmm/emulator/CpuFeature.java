package org.pluribus.vmm.emulator;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Features that CPUID tells of and that a machine may have to do without: where a host's processor
 * lacks one, no node of the machine may promise it. Named as in Linux's {@code /proc/cpuinfo}. What
 * the machine provides itself on any host (the APIC's modes, for instance) is not among them.
 *
 * <p>Source: SDM volume 2, CPUID, leaves 1, 7 and 0x80000001.
 */
public enum CpuFeature {
  PNI(1, Register.ECX, 0),
  SSSE3(1, Register.ECX, 9),
  CX16(1, Register.ECX, 13),
  SSE4_1(1, Register.ECX, 19),
  SSE4_2(1, Register.ECX, 20),
  POPCNT(1, Register.ECX, 23),
  XSAVE(1, Register.ECX, 26),
  RDRAND(1, Register.ECX, 30),
  FPU(1, Register.EDX, 0),
  DE(1, Register.EDX, 2),
  PSE(1, Register.EDX, 3),
  TSC(1, Register.EDX, 4),
  MSR(1, Register.EDX, 5),
  PAE(1, Register.EDX, 6),
  MCE(1, Register.EDX, 7),
  CX8(1, Register.EDX, 8),
  SEP(1, Register.EDX, 11),
  MTRR(1, Register.EDX, 12),
  PGE(1, Register.EDX, 13),
  MCA(1, Register.EDX, 14),
  CMOV(1, Register.EDX, 15),
  PAT(1, Register.EDX, 16),
  PSE36(1, Register.EDX, 17),
  CLFLUSH(1, Register.EDX, 19),
  MMX(1, Register.EDX, 23),
  FXSR(1, Register.EDX, 24),
  SSE(1, Register.EDX, 25),
  SSE2(1, Register.EDX, 26),
  FSGSBASE(7, Register.EBX, 0),
  TSC_ADJUST(7, Register.EBX, 1),
  SMEP(7, Register.EBX, 7),
  ERMS(7, Register.EBX, 9),
  SMAP(7, Register.EBX, 20),
  UMIP(7, Register.ECX, 2),
  FSRM(7, Register.EDX, 4),
  LAHF_LM(0x80000001, Register.ECX, 0),
  SYSCALL(0x80000001, Register.EDX, 11),
  NX(0x80000001, Register.EDX, 20),
  PDPE1GB(0x80000001, Register.EDX, 26),
  RDTSCP(0x80000001, Register.EDX, 27),
  LM(0x80000001, Register.EDX, 29);

  /** The register that has a feature's bit. */
  public enum Register {
    EAX,
    EBX,
    ECX,
    EDX
  }

  private final int leaf;
  private final Register register;
  private final int bit;

  CpuFeature(int leaf, Register register, int bit) {
    this.leaf = leaf;
    this.register = register;
    this.bit = bit;
  }

  /** The leaf that tells of it; subleaf 0. */
  public int leaf() {
    return leaf;
  }

  public Register register() {
    return register;
  }

  /** The register's bit, as a mask. */
  public int mask() {
    return 1 << bit;
  }

  /** As Linux writes it. */
  public String flag() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The feature that Linux writes so, or null. */
  public static @Nullable CpuFeature ofFlag(String flag) {
    for (CpuFeature f : values()) {
      if (f.flag().equals(flag)) {
        return f;
      }
    }
    return null;
  }
}
