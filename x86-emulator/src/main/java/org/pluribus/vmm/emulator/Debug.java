package org.pluribus.vmm.emulator;

/**
 * Single-stepping and hardware breakpoints (SDM volume 3, chapter 18).
 *
 * <p>While TF or any breakpoint is on, the CPU runs one instruction at a time. Pages with data
 * breakpoints stay out of the soft TLB, so that every access to them takes the slow path, which
 * looks here.
 */
final class Debug {
  /** Local and global enables of the four breakpoints. */
  static final long DR7_ENABLES = 0xFF;

  static final long DR7_GD = 1 << 13;
  static final long DR6_BD = 1 << 13;
  static final long DR6_BS = 1 << 14;

  private static final int COUNT = 4;

  /** Kinds of breakpoints in DR7.R/W. */
  private static final int EXECUTE = 0;

  private static final int WRITE = 1;
  private static final int PORT = 2;

  private Debug() {}

  private static boolean enabled(CpuRegisters cpu, int n) {
    return (cpu.dr[7] >> 2 * n & 3) != 0;
  }

  private static int kind(CpuRegisters cpu, int n) {
    return (int) (cpu.dr[7] >> 16 + 4 * n) & 3;
  }

  /** Length in bytes: the codes are 1, 2, 8, 4. */
  private static int length(CpuRegisters cpu, int n) {
    int code = (int) (cpu.dr[7] >> 18 + 4 * n) & 3;
    return code == 2 ? 8 : code + 1;
  }

  /** After a debug register or CR4.DE changed: arms what the registers say. */
  static void armed(Cpu cpu) {
    boolean data = false;
    for (int n = 0; n < COUNT; n++) {
      data |= watchesData(cpu, n);
    }
    if (data || cpu.watching) {
      cpu.watching = data;
      cpu.flushTlb();
    }
  }

  private static boolean watchesData(CpuMemory cpu, int n) {
    return enabled(cpu, n) && (kind(cpu, n) & WRITE) != 0;
  }

  /** Whether a data breakpoint lies in the page of {@code la}. */
  static boolean watchesPage(CpuMemory cpu, long la) {
    for (int n = 0; n < COUNT; n++) {
      if (watchesData(cpu, n) && ((cpu.dr[n] ^ la) & CpuMemory.PAGE_MASK) == 0) {
        return true;
      }
    }
    return false;
  }

  /** An instruction reads or writes {@code size} bytes at {@code la}, all in one page. */
  static void dataAccess(Cpu cpu, long la, int size, boolean write) {
    for (int n = 0; n < COUNT; n++) {
      if (watchesData(cpu, n) && (write || kind(cpu, n) != WRITE)) {
        hit(cpu, n, la, size);
      }
    }
  }

  /** An instruction uses ports {@code port} to {@code port + size - 1}. */
  static void portAccess(Cpu cpu, int port, int size) {
    if ((cpu.dr[7] & DR7_ENABLES) == 0 || (cpu.cr4 & CpuRegisters.CR4_DE) == 0) {
      return;
    }
    for (int n = 0; n < COUNT; n++) {
      if (enabled(cpu, n) && kind(cpu, n) == PORT) {
        hit(cpu, n, port, size);
      }
    }
  }

  private static void hit(Cpu cpu, int n, long at, int size) {
    int length = length(cpu, n);
    long start = cpu.dr[n] & -length;
    if (at < start + length && start < at + size) {
      cpu.watchHits |= 1 << n;
    }
  }

  /**
   * Before an instruction: raises #DB if a breakpoint is set on it and RF is clear. Clears RF.
   *
   * @return whether the handler was entered in its place
   */
  static boolean atInstructionBreakpoint(Cpu cpu) {
    if ((cpu.flagsSystem & CpuRegisters.FLAG_RF) != 0) {
      cpu.flagsSystem &= ~CpuRegisters.FLAG_RF;
      return false;
    }
    long la = cpu.code64() ? cpu.rip : cpu.segBase[CpuRegisters.CS] + cpu.rip & 0xFFFFFFFFL;
    long hits = 0;
    for (int n = 0; n < COUNT; n++) {
      if (enabled(cpu, n) && kind(cpu, n) == EXECUTE && cpu.dr[n] == la) {
        hits |= 1L << n;
      }
    }
    if (hits == 0) {
      return false;
    }
    cpu.dr[6] |= hits;
    Exceptions.deliverDebug(cpu);
    return true;
  }

  /**
   * After an instruction: raises #DB for single-stepping and data breakpoints.
   *
   * @param trap whether TF was set when the instruction began
   */
  static void afterInstruction(Cpu cpu, boolean trap) {
    if (cpu.trapSuppressed) {
      return;
    }
    long hits = cpu.watchHits | (trap ? DR6_BS : 0);
    if (hits != 0) {
      cpu.watchHits = 0;
      cpu.dr[6] |= hits;
      Exceptions.deliverDebug(cpu);
    }
  }
}
