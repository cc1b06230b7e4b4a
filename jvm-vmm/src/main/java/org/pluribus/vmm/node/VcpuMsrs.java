package org.pluribus.vmm.node;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The MSRs that belong to a vCPU's state (SDM volume 4, table 2-2): what system code sets and goes
 * by. Those of the APIC and the TSC are kept elsewhere, FS and GS bases are with their segments.
 */
final class VcpuMsrs {
  static final int SPEC_CTRL = 0x48;
  static final int SYSENTER_CS = 0x174;
  static final int SYSENTER_ESP = 0x175;
  static final int SYSENTER_EIP = 0x176;
  static final int PAT = 0x277;
  static final int EFER = 0xC000_0080;
  static final int STAR = 0xC000_0081;
  static final int LSTAR = 0xC000_0082;
  static final int CSTAR = 0xC000_0083;
  static final int SFMASK = 0xC000_0084;
  static final int KERNEL_GS_BASE = 0xC000_0102;
  static final int TSC_AUX = 0xC000_0103;

  private static final int MTRR_VARIABLE = 0x200;
  private static final int MTRR_VARIABLE_REGISTERS = 16;
  private static final int MTRR_FIX_64K = 0x250;
  private static final int MTRR_FIX_16K = 0x258;
  private static final int MTRR_FIX_16K_REGISTERS = 2;
  private static final int MTRR_FIX_4K = 0x268;
  private static final int MTRR_FIX_4K_REGISTERS = 8;
  private static final int MTRR_DEF_TYPE = 0x2FF;

  /** All of them. EFER comes with the segments, not by these lists' reads and writes. */
  static final List<Integer> ALL = all();

  private VcpuMsrs() {}

  private static List<Integer> all() {
    IntStream single =
        IntStream.of(
            SPEC_CTRL,
            SYSENTER_CS,
            SYSENTER_ESP,
            SYSENTER_EIP,
            PAT,
            MTRR_FIX_64K,
            MTRR_DEF_TYPE,
            EFER,
            STAR,
            LSTAR,
            CSTAR,
            SFMASK,
            KERNEL_GS_BASE,
            TSC_AUX);
    return Stream.of(
            single,
            range(MTRR_VARIABLE, MTRR_VARIABLE_REGISTERS),
            range(MTRR_FIX_16K, MTRR_FIX_16K_REGISTERS),
            range(MTRR_FIX_4K, MTRR_FIX_4K_REGISTERS))
        .flatMap(IntStream::boxed)
        .toList();
  }

  private static IntStream range(int first, int count) {
    return IntStream.range(first, first + count);
  }
}
