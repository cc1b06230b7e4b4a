package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.CpuRegisters.FS;
import static org.pluribus.vmm.emulator.CpuRegisters.GS;

/**
 * RDMSR and WRMSR (SDM volume 4), and the registers that only they touch. The APIC's MSRs and the
 * TSC deadline are the environment's. One per CPU, vCPU thread only.
 */
final class Msrs {
  static final int TSC = 0x10;
  static final int PLATFORM_ID = 0x17;
  static final int APIC_BASE = 0x1B;
  static final int FEATURE_CONTROL = 0x3A;
  static final int TSC_ADJUST = 0x3B;
  static final int SPEC_CTRL = 0x48;
  static final int PRED_CMD = 0x49;
  static final int BIOS_SIGN_ID = 0x8B;
  static final int MTRR_CAP = 0xFE;
  static final int ARCH_CAPABILITIES = 0x10A;
  static final int SYSENTER_CS = 0x174;
  static final int SYSENTER_ESP = 0x175;
  static final int SYSENTER_EIP = 0x176;
  static final int MCG_CAP = 0x179;
  static final int MCG_STATUS = 0x17A;
  static final int MISC_ENABLE = 0x1A0;
  static final int DEBUGCTL = 0x1D9;
  static final int MTRR_VARIABLE = 0x200;
  static final int MTRR_FIX_64K = 0x250;
  static final int MTRR_FIX_16K = 0x258;
  static final int MTRR_FIX_4K = 0x268;
  static final int PAT = 0x277;
  static final int MTRR_DEF_TYPE = 0x2FF;
  static final int TSC_DEADLINE = 0x6E0;
  static final int X2APIC = 0x800;
  static final int X2APIC_END = 0x8FF;
  static final int EFER = 0xC0000080;
  static final int STAR = 0xC0000081;
  static final int LSTAR = 0xC0000082;
  static final int CSTAR = 0xC0000083;
  static final int SFMASK = 0xC0000084;
  static final int FS_BASE = 0xC0000100;
  static final int GS_BASE = 0xC0000101;
  static final int KERNEL_GS_BASE = 0xC0000102;
  static final int TSC_AUX = 0xC0000103;

  private static final int VARIABLE_RANGES = 8;
  private static final int FIXED_RANGES = 11;

  /** Eight variable ranges, fixed ranges and write-combining supported. */
  private static final long MTRR_CAP_VALUE = VARIABLE_RANGES | 1 << 8 | 1 << 10;

  /**
   * MTRRs on, fixed ranges on, everything write-back: what firmware leaves, which our loaders stand
   * in for. On real CPUs MTRRs are off after power-on.
   */
  private static final long MTRR_DEF_TYPE_FIRMWARE = 0xC06;

  private static final long MTRR_DEF_TYPE_BITS = 0xCFF;
  private static final long FIXED_WRITE_BACK = 0x0606060606060606L;
  private static final long PAT_RESET = 0x0007040600070406L;

  /**
   * RDCL_NO, IBRS_ALL, RSBA = 0, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO,
   * SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, PBRSB_NO, GDS_NO, RFDS_NO: an interpreter does not speculate.
   */
  private static final long ARCH_CAPABILITIES_VALUE =
      1 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 7 << 13 | 1 << 24 | 1 << 26
          | 1 << 27;

  /** Fast strings on; branch trace and precise event sampling not available. */
  private static final long MISC_ENABLE_VALUE = 1 | 1 << 11 | 1 << 12;

  /** Locked: VMX stays off. */
  private static final long FEATURE_CONTROL_VALUE = 1;

  /** Microcode revision 1, in the upper half. */
  private static final long MICROCODE = 1L << 32;

  /** IBRS and STIBP. */
  private static final long SPEC_CTRL_BITS = 3;

  /** LBR, BTF and others: stored, without effect. */
  private static final long DEBUGCTL_BITS = 0xFFFF;

  private static final long EFER_WRITABLE =
      CpuRegisters.EFER_SCE | CpuRegisters.EFER_LME | CpuRegisters.EFER_NXE;

  private final long[] mtrrVariable = new long[2 * VARIABLE_RANGES];
  private final long[] mtrrFixed = new long[FIXED_RANGES];
  private long mtrrDefType;
  private long pat;
  private long tscAdjust;
  private long specCtrl;
  private long miscEnable;
  private long mcgStatus;
  private long debugCtl;

  /** Power-on values. */
  void reset() {
    java.util.Arrays.fill(mtrrVariable, 0);
    java.util.Arrays.fill(mtrrFixed, FIXED_WRITE_BACK);
    mtrrDefType = MTRR_DEF_TYPE_FIRMWARE;
    pat = PAT_RESET;
    tscAdjust = 0;
    specCtrl = 0;
    miscEnable = MISC_ENABLE_VALUE;
    mcgStatus = 0;
    debugCtl = 0;
  }

  // ---- handlers ----

  static void rdmsr(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    long v = cpu.msrs.read(cpu, (int) cpu.gpr[CpuRegisters.RCX]);
    cpu.gpr[CpuRegisters.RAX] = v & 0xFFFFFFFFL;
    cpu.gpr[CpuRegisters.RDX] = v >>> 32;
  }

  static void wrmsr(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    long v = cpu.gpr[CpuRegisters.RDX] << 32 | cpu.gpr[CpuRegisters.RAX] & 0xFFFFFFFFL;
    cpu.msrs.write(cpu, (int) cpu.gpr[CpuRegisters.RCX], v);
  }

  private static boolean environments(int msr) {
    return msr == APIC_BASE || msr == TSC_DEADLINE || (msr >= X2APIC && msr <= X2APIC_END);
  }

  // ---- reading ----

  long read(Cpu cpu, int msr) {
    if (environments(msr)) {
      if (!cpu.environment().readMsr(cpu, msr)) {
        throw cpu.gp(0);
      }
      return cpu.msrValue;
    }
    return switch (msr) {
      case TSC -> ProcessorControl.guestTsc(cpu);
      case TSC_ADJUST -> tscAdjust;
      case TSC_AUX -> cpu.tscAux;
      case EFER -> cpu.efer;
      case STAR -> cpu.star;
      case LSTAR -> cpu.lstar;
      case CSTAR -> cpu.cstar;
      case SFMASK -> cpu.sfmask;
      case FS_BASE -> cpu.segBase[FS];
      case GS_BASE -> cpu.segBase[GS];
      case KERNEL_GS_BASE -> cpu.kernelGsBase;
      case SYSENTER_CS -> cpu.sysenterCs;
      case SYSENTER_ESP -> cpu.sysenterEsp;
      case SYSENTER_EIP -> cpu.sysenterEip;
      default -> readStored(cpu, msr);
    };
  }

  private long readStored(Cpu cpu, int msr) {
    return switch (msr) {
      case PLATFORM_ID, MCG_CAP -> 0;
      case FEATURE_CONTROL -> FEATURE_CONTROL_VALUE;
      case BIOS_SIGN_ID -> MICROCODE;
      case ARCH_CAPABILITIES -> ARCH_CAPABILITIES_VALUE;
      case MTRR_CAP -> MTRR_CAP_VALUE;
      case MTRR_DEF_TYPE -> mtrrDefType;
      case PAT -> pat;
      case SPEC_CTRL -> specCtrl;
      case MISC_ENABLE -> miscEnable;
      case MCG_STATUS -> mcgStatus;
      case DEBUGCTL -> debugCtl;
      default -> {
        if (isVariable(msr)) {
          yield mtrrVariable[msr - MTRR_VARIABLE];
        }
        yield mtrrFixed[fixedIndex(cpu, msr)];
      }
    };
  }

  private static boolean isVariable(int msr) {
    return msr >= MTRR_VARIABLE && msr < MTRR_VARIABLE + 2 * VARIABLE_RANGES;
  }

  /** Index of a fixed-range MTRR; every MSR not known by now raises #GP(0). */
  private static int fixedIndex(Cpu cpu, int msr) {
    if (msr == MTRR_FIX_64K) {
      return 0;
    }
    if (msr == MTRR_FIX_16K || msr == MTRR_FIX_16K + 1) {
      return 1 + msr - MTRR_FIX_16K;
    }
    if (msr >= MTRR_FIX_4K && msr < MTRR_FIX_4K + 8) {
      return 3 + msr - MTRR_FIX_4K;
    }
    throw cpu.gp(0);
  }

  // ---- writing ----

  void write(Cpu cpu, int msr, long v) {
    if (environments(msr)) {
      if (!cpu.environment().writeMsr(cpu, msr, v)) {
        throw cpu.gp(0);
      }
      cpu.interruptsMayBeEnabled();
      return;
    }
    switch (msr) {
      case TSC -> adjustTsc(cpu, v - ProcessorControl.guestTsc(cpu));
      case TSC_ADJUST -> adjustTsc(cpu, v - tscAdjust);
      case TSC_AUX -> cpu.tscAux = narrow(cpu, v);
      case EFER -> writeEfer(cpu, v);
      case STAR -> cpu.star = v;
      case LSTAR -> cpu.lstar = address(cpu, v);
      case CSTAR -> cpu.cstar = address(cpu, v);
      case SFMASK -> cpu.sfmask = narrow(cpu, v);
      case FS_BASE -> FastCalls.setBase(cpu, FS, address(cpu, v));
      case GS_BASE -> FastCalls.setBase(cpu, GS, address(cpu, v));
      case KERNEL_GS_BASE -> cpu.kernelGsBase = address(cpu, v);
      case SYSENTER_CS -> cpu.sysenterCs = v & 0xFFFFFFFFL;
      case SYSENTER_ESP -> cpu.sysenterEsp = address(cpu, v);
      case SYSENTER_EIP -> cpu.sysenterEip = address(cpu, v);
      default -> writeStored(cpu, msr, v);
    }
  }

  private void writeStored(Cpu cpu, int msr, long v) {
    switch (msr) {
      case BIOS_SIGN_ID -> {} // written before CPUID loads the revision: it never changes
      case PRED_CMD -> only(cpu, v, 1); // nothing is predicted
      case MTRR_DEF_TYPE -> mtrrDefType = only(cpu, v, MTRR_DEF_TYPE_BITS);
      case PAT -> pat = memoryTypes(cpu, v);
      case SPEC_CTRL -> specCtrl = only(cpu, v, SPEC_CTRL_BITS);
      case MISC_ENABLE -> miscEnable = v;
      case MCG_STATUS -> mcgStatus = only(cpu, v, 7);
      case DEBUGCTL -> debugCtl = only(cpu, v, DEBUGCTL_BITS);
      default -> {
        if (isVariable(msr)) {
          mtrrVariable[msr - MTRR_VARIABLE] = only(cpu, v, (1L << PageWalker.PHYSICAL_BITS) - 1);
        } else {
          mtrrFixed[fixedIndex(cpu, msr)] = v;
        }
      }
    }
  }

  private void adjustTsc(Cpu cpu, long delta) {
    cpu.tscOffset += delta;
    tscAdjust += delta;
  }

  private static void writeEfer(Cpu cpu, long v) {
    long settable = EFER_WRITABLE | CpuRegisters.EFER_LMA;
    boolean lme = (v & CpuRegisters.EFER_LME) != 0;
    boolean lmeNow = (cpu.efer & CpuRegisters.EFER_LME) != 0;
    boolean paging = (cpu.cr0 & CpuRegisters.CR0_PG) != 0;
    if ((v & ~settable) != 0 || (paging && lme != lmeNow)) {
      throw cpu.gp(0);
    }
    long changed = v ^ cpu.efer;
    cpu.efer = v & EFER_WRITABLE | cpu.efer & CpuRegisters.EFER_LMA;
    if ((changed & CpuRegisters.EFER_NXE) != 0) {
      cpu.flushTlb();
    }
  }

  private static long only(Cpu cpu, long v, long bits) {
    if ((v & ~bits) != 0) {
      throw cpu.gp(0);
    }
    return v;
  }

  private static long narrow(Cpu cpu, long v) {
    return only(cpu, v, 0xFFFFFFFFL);
  }

  private static long address(Cpu cpu, long v) {
    if (!Segments.canonical(v)) {
      throw cpu.gp(0);
    }
    return v;
  }

  /** PAT entries: UC, WC, WT, WP, WB or UC- (0, 1, 4, 5, 6, 7). */
  private static long memoryTypes(Cpu cpu, long v) {
    for (int k = 0; k < 64; k += 8) {
      int type = (int) (v >>> k) & 0xFF;
      if (type > 7 || type == 2 || type == 3) {
        throw cpu.gp(0);
      }
    }
    return v;
  }
}
