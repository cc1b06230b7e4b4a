package org.pluribus.vmm.emulator;

/** Addition, subtraction, logic and exchange: the ALU instructions with a destination operand. */
final class Arithmetic {
  private Arithmetic() {}

  static void add(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.read(i, 1);
    long a;
    if (i.kind[0] == Insn.REG) {
      a = c.readGpr(i.reg[0], size);
      c.writeGpr(i.reg[0], size, a + b);
    } else {
      a = MemoryUpdate.operand(c, i, MemoryUpdate.ADD, b, 0);
    }
    c.setAddFlags(a, b, a + b, size);
  }

  static void sub(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.read(i, 1);
    long a;
    if (i.kind[0] == Insn.REG) {
      a = c.readGpr(i.reg[0], size);
      c.writeGpr(i.reg[0], size, a - b);
    } else {
      a = MemoryUpdate.operand(c, i, MemoryUpdate.SUB, b, 0);
    }
    c.setSubFlags(a, b, a - b, size);
  }

  static void adc(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.read(i, 1);
    long carry = c.cf() ? 1 : 0;
    long a;
    if (i.kind[0] == Insn.REG) {
      a = c.readGpr(i.reg[0], size);
      c.writeGpr(i.reg[0], size, a + b + carry);
    } else {
      a = MemoryUpdate.operand(c, i, MemoryUpdate.ADC, b, carry);
    }
    c.setAddFlags(a, b, a + b + carry, size);
  }

  static void sbb(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.read(i, 1);
    long carry = c.cf() ? 1 : 0;
    long a;
    if (i.kind[0] == Insn.REG) {
      a = c.readGpr(i.reg[0], size);
      c.writeGpr(i.reg[0], size, a - b - carry);
    } else {
      a = MemoryUpdate.operand(c, i, MemoryUpdate.SBB, b, carry);
    }
    c.setSubFlags(a, b, a - b - carry, size);
  }

  static void and(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.read(i, 1);
    long r;
    if (i.kind[0] == Insn.REG) {
      r = c.readGpr(i.reg[0], size) & b;
      c.writeGpr(i.reg[0], size, r);
    } else {
      r = MemoryUpdate.operand(c, i, MemoryUpdate.AND, b, 0) & b;
    }
    c.setLogicFlags(r, size);
  }

  static void or(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.read(i, 1);
    long r;
    if (i.kind[0] == Insn.REG) {
      r = c.readGpr(i.reg[0], size) | b;
      c.writeGpr(i.reg[0], size, r);
    } else {
      r = MemoryUpdate.operand(c, i, MemoryUpdate.OR, b, 0) | b;
    }
    c.setLogicFlags(r, size);
  }

  static void xor(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.read(i, 1);
    long r;
    if (i.kind[0] == Insn.REG) {
      r = c.readGpr(i.reg[0], size) ^ b;
      c.writeGpr(i.reg[0], size, r);
    } else {
      r = MemoryUpdate.operand(c, i, MemoryUpdate.XOR, b, 0) ^ b;
    }
    c.setLogicFlags(r, size);
  }

  static void cmp(Cpu c, Insn i) {
    long a = c.read(i, 0);
    long b = c.read(i, 1);
    c.setSubFlags(a, b, a - b, i.size[0]);
  }

  static void test(Cpu c, Insn i) {
    c.setLogicFlags(c.read(i, 0) & c.read(i, 1), i.size[0]);
  }

  static void inc(Cpu c, Insn i) {
    int size = i.size[0];
    long a = unary(c, i, MemoryUpdate.ADD, 1);
    boolean carry = c.cf();
    c.setAddFlags(a, 1, a + 1, size);
    c.setCarry(carry);
  }

  static void dec(Cpu c, Insn i) {
    int size = i.size[0];
    long a = unary(c, i, MemoryUpdate.SUB, 1);
    boolean carry = c.cf();
    c.setSubFlags(a, 1, a - 1, size);
    c.setCarry(carry);
  }

  static void neg(Cpu c, Insn i) {
    long a = unary(c, i, MemoryUpdate.NEG, 0);
    c.setSubFlags(0, a, -a, i.size[0]);
  }

  static void not(Cpu c, Insn i) {
    unary(c, i, MemoryUpdate.NOT, 0);
  }

  /** Replaces operand 0; the value it had. */
  private static long unary(Cpu c, Insn i, int op, long b) {
    if (i.kind[0] == Insn.MEM) {
      return MemoryUpdate.operand(c, i, op, b, 0);
    }
    int size = i.size[0];
    long a = c.readGpr(i.reg[0], size);
    c.writeGpr(i.reg[0], size, MemoryUpdate.compute(op, a, b, 0));
    return a;
  }

  /** With a memory operand LOCK is implied (SDM volume 2, XCHG). */
  static void xchg(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.readGpr(i.reg[1], size);
    long a;
    if (i.kind[0] == Insn.REG) {
      a = c.readGpr(i.reg[0], size);
      c.writeGpr(i.reg[0], size, b);
    } else {
      a = MemoryUpdate.at(c, c.address(i, size, true), size, true, MemoryUpdate.SET, b, 0);
    }
    c.writeGpr(i.reg[1], size, a);
  }

  /** 90 to 97. Without REX.B, 90 is NOP and does not clear the upper half of RAX. */
  static void xchgAccumulator(Cpu c, Insn i) {
    if (i.reg[0] != CpuRegisters.RAX) {
      xchg(c, i);
    }
  }

  static void xadd(Cpu c, Insn i) {
    int size = i.size[0];
    long b = c.readGpr(i.reg[1], size);
    long a;
    if (i.kind[0] == Insn.REG) {
      a = c.readGpr(i.reg[0], size);
      c.writeGpr(i.reg[1], size, a);
      c.writeGpr(i.reg[0], size, a + b); // last: both may be the same register
    } else {
      a = MemoryUpdate.operand(c, i, MemoryUpdate.ADD, b, 0);
      c.writeGpr(i.reg[1], size, a);
    }
    c.setAddFlags(a, b, a + b, size);
  }

  /** Memory is written in any case, with its old value if the comparison fails. */
  static void cmpxchg(Cpu c, Insn i) {
    int size = i.size[0];
    long expected = c.readGpr(CpuRegisters.RAX, size);
    long b = c.readGpr(i.reg[1], size);
    long old;
    if (i.kind[0] == Insn.REG) {
      old = c.readGpr(i.reg[0], size);
      if (old == expected) {
        c.writeGpr(i.reg[0], size, b);
      }
    } else {
      old = MemoryUpdate.operand(c, i, MemoryUpdate.SET_IF_EQUAL, b, expected);
    }
    if (old != expected) {
      c.writeGpr(CpuRegisters.RAX, size, old);
    }
    c.setSubFlags(expected, old, expected - old, size);
  }

  static void lahf(Cpu c, Insn i) {
    c.writeGpr(AH, 1, c.eflags());
  }

  static void sahf(Cpu c, Insn i) {
    int overflow = c.of() ? CpuRegisters.FLAG_OF : 0;
    c.setArithmeticFlags((int) c.readGpr(AH, 1) | overflow);
  }

  /** AH as a byte register number. */
  private static final int AH = 16;

  static void clc(Cpu c, Insn i) {
    c.setCarry(false);
  }

  static void stc(Cpu c, Insn i) {
    c.setCarry(true);
  }

  static void cmc(Cpu c, Insn i) {
    c.setCarry(!c.cf());
  }

  static void cld(Cpu c, Insn i) {
    c.flagsSystem &= ~CpuRegisters.FLAG_DF;
  }

  static void std(Cpu c, Insn i) {
    c.flagsSystem |= CpuRegisters.FLAG_DF;
  }

  /** Sign-extends within rAX: CBW, CWDE, CDQE. */
  static void cbw(Cpu c, Insn i) {
    long a = c.gpr[CpuRegisters.RAX];
    long v = i.opSize == 2 ? (byte) a : i.opSize == 4 ? (short) a : (int) a;
    c.writeGpr(CpuRegisters.RAX, i.opSize, v);
  }

  /** Fills rDX with the sign of rAX: CWD, CDQ, CQO. */
  static void cwd(Cpu c, Insn i) {
    int shift = 64 - 8 * i.opSize;
    c.writeGpr(CpuRegisters.RDX, i.opSize, c.gpr[CpuRegisters.RAX] << shift >> 63);
  }
}
