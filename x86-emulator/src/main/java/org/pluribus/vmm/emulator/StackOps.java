package org.pluribus.vmm.emulator;

/** PUSH and POP in all forms, ENTER and LEAVE. */
final class StackOps {
  /** ENTER looks at five bits of the nesting level. */
  private static final int LEVEL_MASK = 31;

  private StackOps() {}

  static void push(Cpu c, Insn i) {
    c.push(c.read(i, 0), i.opSize);
  }

  static void popReg(Cpu c, Insn i) {
    long v = c.pop(i.opSize);
    c.writeGpr(i.reg[0], i.opSize, v);
  }

  /** A destination based on RSP is addressed with RSP as it is after the pop. */
  static void pop(Cpu c, Insn i) {
    if (i.kind[0] == Insn.REG) {
      popReg(c, i);
      return;
    }
    long sp = c.gpr[CpuRegisters.RSP];
    long v = c.pop(i.opSize);
    try {
      c.write(i, 0, v);
    } catch (GuestFault f) {
      c.gpr[CpuRegisters.RSP] = sp;
      throw f;
    }
  }

  static void pusha(Cpu c, Insn i) {
    int size = i.opSize;
    long sp = c.gpr[CpuRegisters.RSP];
    try {
      for (int r = CpuRegisters.RAX; r <= CpuRegisters.RDI; r++) {
        c.push(r == CpuRegisters.RSP ? sp : c.gpr[r], size);
      }
    } catch (GuestFault f) {
      c.gpr[CpuRegisters.RSP] = sp;
      throw f;
    }
  }

  static void popa(Cpu c, Insn i) {
    int size = i.opSize;
    long sp = c.gpr[CpuRegisters.RSP];
    // All eight are read before any register changes.
    for (int k = 0; k < 8; k++) {
      c.load(c.stackAddress(sp + (long) k * size, size, false), size);
    }
    for (int r = CpuRegisters.RDI; r >= CpuRegisters.RAX; r--) {
      long v = c.pop(size);
      if (r != CpuRegisters.RSP) {
        c.writeGpr(r, size, v);
      }
    }
  }

  // ---- flags ----

  static void pushf(Cpu c, Insn i) {
    checkVirtual8086(c);
    c.push(c.eflags() & ~(CpuRegisters.FLAG_VM | CpuRegisters.FLAG_RF), i.opSize);
  }

  static void popf(Cpu c, Insn i) {
    checkVirtual8086(c);
    int v = (int) c.pop(i.opSize);
    int change =
        CpuRegisters.FLAG_TF | CpuRegisters.FLAG_DF | CpuRegisters.FLAG_NT | allowedByPrivilege(c);
    if (i.opSize != 2) {
      change |= CpuRegisters.FLAG_AC | CpuRegisters.FLAG_ID | CpuRegisters.FLAG_RF;
      v &= ~CpuRegisters.FLAG_RF;
    }
    int old = c.flagsSystem;
    c.flagsSystem = (old & ~change) | (v & change);
    c.setArithmeticFlags(v);
    if (((old ^ c.flagsSystem) & CpuRegisters.FLAG_AC) != 0) {
      c.accessModeChanged();
    }
    if ((~old & c.flagsSystem & CpuRegisters.FLAG_IF) != 0) {
      c.interruptsMayBeEnabled();
    }
  }

  /** IF needs CPL at most IOPL, IOPL itself CPL 0 (SDM volume 2, POPF, table 4-16). */
  private static int allowedByPrivilege(Cpu c) {
    if (c.virtual8086()) {
      return CpuRegisters.FLAG_IF;
    }
    if (c.cpl == 0) {
      return CpuRegisters.FLAG_IF | CpuRegisters.FLAG_IOPL;
    }
    return c.cpl <= iopl(c) ? CpuRegisters.FLAG_IF : 0;
  }

  private static void checkVirtual8086(Cpu c) {
    if (c.virtual8086() && iopl(c) < 3) {
      throw c.gp(0);
    }
  }

  private static int iopl(Cpu c) {
    return (c.flagsSystem & CpuRegisters.FLAG_IOPL) >> 12;
  }

  // ---- frames ----

  static void enter(Cpu c, Insn i) {
    int size = i.opSize;
    int level = i.imm2 & LEVEL_MASK;
    long sp = c.gpr[CpuRegisters.RSP];
    long frame = c.movedSp(-size);
    try {
      c.push(c.readGpr(CpuRegisters.RBP, size), size);
      long bp = c.gpr[CpuRegisters.RBP];
      for (int k = 1; k < level; k++) {
        bp -= size;
        c.push(c.load(c.stackAddress(bp, size, false), size), size);
      }
      if (level > 0) {
        c.push(frame, size);
      }
      long last = c.movedSp(-(i.imm & 0xFFFF));
      // The new top must be writable, though nothing is stored there.
      c.checkWritable(c.stackAddress(last, size, true), size);
      c.gpr[CpuRegisters.RSP] = last;
    } catch (GuestFault f) {
      c.gpr[CpuRegisters.RSP] = sp;
      throw f;
    }
    c.writeGpr(CpuRegisters.RBP, size, frame);
  }

  static void leave(Cpu c, Insn i) {
    int size = i.opSize;
    long bp = c.gpr[CpuRegisters.RBP];
    long v = c.load(c.stackAddress(bp, size, false), size);
    int stackSize = c.stackBits / 8;
    c.writeGpr(CpuRegisters.RSP, stackSize == 4 ? 4 : stackSize, bp);
    c.gpr[CpuRegisters.RSP] = c.movedSp(size);
    c.writeGpr(CpuRegisters.RBP, size, v);
  }
}
