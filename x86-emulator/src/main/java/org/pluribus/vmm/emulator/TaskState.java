package org.pluribus.vmm.emulator;

/**
 * What the CPU reads from the current task state segment (SDM volume 3, chapter 8): inner stacks,
 * the interrupt stack table and the I/O permission bitmap. Hardware task switches are not
 * implemented: no 64-bit system can use them; a jump to a TSS or through a task gate raises #GP.
 */
final class TaskState {
  /** Offset of the I/O map base in the 32-bit and the 64-bit TSS. */
  private static final int IO_MAP_BASE = 102;

  /** Offset of RSP0 in the 64-bit and ESP0 in the 32-bit TSS. */
  private static final int STACKS = 4;

  /** Offset of IST1 in the 64-bit TSS. */
  private static final int IST = 36;

  private TaskState() {}

  /** Sets up the stack of privilege level {@code level} from the TSS in {@code to}. */
  static void innerStack(Cpu cpu, int level, boolean gate64, int ext, PendingStack to) {
    if (gate64) {
      to.switchTo64(level, stackPointer64(cpu, STACKS + 8 * level, ext), ext);
      return;
    }
    boolean tss32 = (cpu.segAccess[CpuRegisters.TR] & 8) != 0;
    long esp;
    int ss;
    if (tss32) {
      esp = read(cpu, STACKS + 8 * level, 4, ext);
      ss = (int) read(cpu, STACKS + 8 * level + 4, 2, ext);
    } else {
      esp = read(cpu, 2 + 4 * level, 2, ext);
      ss = (int) read(cpu, 2 + 4 * level + 2, 2, ext);
    }
    if (Segments.isNull(ss)) {
      throw cpu.fault(GuestFault.TS, ext);
    }
    long d = Segments.checkedStack(cpu, ss, level, GuestFault.TS, ext);
    Segments.markAccessed(cpu, ss, d);
    to.switchTo32(ss, d, esp, ext);
  }

  /** RSP of interrupt stack table entry {@code n}, 1 to 7. */
  static long interruptStack(Cpu cpu, int n, int ext) {
    return stackPointer64(cpu, IST + 8 * (n - 1), ext);
  }

  private static long stackPointer64(Cpu cpu, int offset, int ext) {
    long rsp = read(cpu, offset, 8, ext);
    if (!Segments.canonical(rsp)) {
      throw cpu.fault(GuestFault.SS, ext);
    }
    return rsp;
  }

  private static long read(Cpu cpu, int offset, int size, int ext) {
    long limit = cpu.segLimit[CpuRegisters.TR] & 0xFFFFFFFFL;
    if (offset + size - 1 > limit) {
      throw cpu.fault(
          GuestFault.TS, cpu.segSelector[CpuRegisters.TR] & Segments.SELECTOR_MASK | ext);
    }
    long la = Segments.systemAddress(cpu, cpu.segBase[CpuRegisters.TR] + offset);
    return cpu.loadSystem(la, size);
  }

  /**
   * Checks the right to use ports {@code port} to {@code port + size - 1} (SDM volume 1, section
   * 19.5).
   *
   * @throws GuestFault #GP(0)
   */
  static void checkPort(Cpu cpu, int port, int size) {
    if (!cpu.protectedMode() || cpu.cpl <= (cpu.flagsSystem & CpuRegisters.FLAG_IOPL) >> 12) {
      return;
    }
    int access = cpu.segAccess[CpuRegisters.TR];
    long limit = cpu.segLimit[CpuRegisters.TR] & 0xFFFFFFFFL;
    boolean hasMap = (access & Segments.PRESENT) != 0 && (access & 8) != 0;
    if (!hasMap || limit < IO_MAP_BASE + 1) {
      throw cpu.gp(0);
    }
    int at = (int) read(cpu, IO_MAP_BASE, 2, 0) + (port >> 3);
    if (at + 1 > limit) {
      throw cpu.gp(0);
    }
    int bits = (int) read(cpu, at, 2, 0) >> (port & 7);
    if ((bits & (1 << size) - 1) != 0) {
      throw cpu.gp(0);
    }
  }
}
