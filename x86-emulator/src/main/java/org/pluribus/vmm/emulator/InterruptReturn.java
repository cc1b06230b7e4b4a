package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.CpuRegisters.CS;
import static org.pluribus.vmm.emulator.CpuRegisters.RSP;

/**
 * IRET in all modes (SDM volume 2). Returns to virtual-8086 mode and to a nested task raise #GP(0):
 * this CPU has neither.
 */
final class InterruptReturn {
  private static final int ALWAYS =
      CpuRegisters.FLAG_TF | CpuRegisters.FLAG_DF | CpuRegisters.FLAG_NT;
  private static final int WIDE =
      CpuRegisters.FLAG_RF | CpuRegisters.FLAG_AC | CpuRegisters.FLAG_ID;

  private InterruptReturn() {}

  static void iret(Cpu cpu, Insn i) {
    if (!cpu.protectedMode()) {
      fromReal(cpu, i.opSize);
    } else {
      fromProtected(cpu, i.opSize);
    }
    if (cpu.nmiBlocked) {
      cpu.nmiBlocked = false;
      cpu.raiseAttention(Cpu.ATTENTION_INTERRUPT);
    }
    cpu.interruptsMayBeEnabled();
  }

  private static long peek(Cpu cpu, int n, int size) {
    return cpu.load(cpu.stackAddress(cpu.gpr[RSP] + n * size, size, false), size);
  }

  private static void fromReal(Cpu cpu, int size) {
    long offset = peek(cpu, 0, size);
    int selector = (int) peek(cpu, 1, size) & 0xFFFF;
    int flags = (int) peek(cpu, 2, size);
    if (offset > (cpu.segLimit[CS] & 0xFFFFFFFFL)) {
      throw cpu.gp(0);
    }
    Segments.setReal(cpu, CS, selector);
    cpu.gpr[RSP] = cpu.movedSp(3L * size);
    cpu.nextRip = offset;
    setFlags(cpu, flags, size, 0, 0);
  }

  private static void fromProtected(Cpu cpu, int size) {
    if ((cpu.flagsSystem & CpuRegisters.FLAG_NT) != 0) {
      throw cpu.gp(0);
    }
    long offset = peek(cpu, 0, size);
    int selector = (int) peek(cpu, 1, size) & 0xFFFF;
    int flags = (int) peek(cpu, 2, size);
    if ((flags & CpuRegisters.FLAG_VM) != 0 && size == 4 && cpu.cpl == 0 && !cpu.longModeActive()) {
      throw cpu.gp(0);
    }
    long d = FarTransfers.returnTarget(cpu, selector);
    FarTransfers.checkOffset(cpu, d, offset);
    int level = selector & 3;
    int oldCpl = cpu.cpl;
    int oldIopl = (cpu.flagsSystem & CpuRegisters.FLAG_IOPL) >> 12;
    if (cpu.code64() || level > cpu.cpl) {
      long newSp = peek(cpu, 3, size);
      int newSs = (int) peek(cpu, 4, size) & 0xFFFF;
      FarTransfers.toOuterLevel(cpu, selector, d, newSs, newSp, 0);
    } else {
      Segments.markAccessed(cpu, selector, d);
      cpu.gpr[RSP] = cpu.movedSp(3L * size);
      Segments.setCode(cpu, selector, d, level);
    }
    cpu.nextRip = cpu.code64() ? offset : offset & 0xFFFFFFFFL;
    setFlags(cpu, flags, size, oldCpl, oldIopl);
  }

  /** Sets what the old privilege level may set; the rest stays. */
  private static void setFlags(Cpu cpu, int flags, int size, int oldCpl, int oldIopl) {
    int mask = ALWAYS;
    if (size != 2) {
      mask |= WIDE;
    }
    if (oldCpl == 0) {
      mask |= CpuRegisters.FLAG_IOPL;
    }
    if (oldCpl <= oldIopl) {
      mask |= CpuRegisters.FLAG_IF;
    }
    int wanted = flags;
    if ((cpu.dr[7] & Debug.DR7_ENABLES) == 0) {
      // RF matters only with breakpoints armed; nothing on the fast path would clear it.
      wanted &= ~CpuRegisters.FLAG_RF;
    }
    cpu.setArithmeticFlags(flags);
    int before = cpu.flagsSystem;
    cpu.flagsSystem = before & ~mask | wanted & mask;
    if (((before ^ cpu.flagsSystem) & CpuRegisters.FLAG_AC) != 0) {
      cpu.accessModeChanged();
    }
  }
}
