package org.pluribus.vmm.emulator;

/** Near jumps, calls, returns and loops. */
final class Branches {
  /** Linear addresses have 48 significant bits (4-level paging). */
  private static final int NON_CANONICAL_SHIFT = 16;

  private Branches() {}

  /** The address {@code i.imm} bytes after this instruction, checked. */
  private static long relative(Cpu c, Insn i) {
    return checked(c, i, c.nextRip + i.imm);
  }

  /** A branch target cut to the operand size and checked: canonical, or inside CS. */
  private static long checked(Cpu c, Insn i, long target) {
    if (c.codeBits == 64) {
      return canonical(c, target);
    }
    long t = target & (i.opSize == 2 ? 0xFFFF : 0xFFFFFFFFL);
    if (t > (c.segLimit[CpuRegisters.CS] & 0xFFFFFFFFL)) {
      throw c.gp(0);
    }
    return t;
  }

  /** A branch target of 64-bit code; #GP unless it is canonical. Compiled code calls it too. */
  static long canonical(Cpu c, long target) {
    if (target << NON_CANONICAL_SHIFT >> NON_CANONICAL_SHIFT != target) {
      throw c.gp(0);
    }
    return target;
  }

  static void jmp(Cpu c, Insn i) {
    c.nextRip = relative(c, i);
  }

  static void jmpIndirect(Cpu c, Insn i) {
    c.nextRip = checked(c, i, c.read(i, 0));
  }

  static void call(Cpu c, Insn i) {
    long target = relative(c, i);
    c.push(c.nextRip, i.opSize);
    c.nextRip = target;
  }

  static void callIndirect(Cpu c, Insn i) {
    long target = checked(c, i, c.read(i, 0));
    c.push(c.nextRip, i.opSize);
    c.nextRip = target;
  }

  static void ret(Cpu c, Insn i) {
    long target = checked(c, i, c.peek(i.opSize));
    c.gpr[CpuRegisters.RSP] = c.movedSp(i.opSize);
    c.nextRip = target;
  }

  static void retImmediate(Cpu c, Insn i) {
    long target = checked(c, i, c.peek(i.opSize));
    c.gpr[CpuRegisters.RSP] = c.movedSp(i.opSize + (i.imm & 0xFFFF));
    c.nextRip = target;
  }

  /** One handler per condition code, so that none of them has to look it up. */
  static Handler jcc(int cc) {
    return switch (cc) {
      case 0 -> (c, i) -> jumpIf(c, i, c.of());
      case 1 -> (c, i) -> jumpIf(c, i, !c.of());
      case 2 -> (c, i) -> jumpIf(c, i, c.cf());
      case 3 -> (c, i) -> jumpIf(c, i, !c.cf());
      case 4 -> (c, i) -> jumpIf(c, i, c.zf());
      case 5 -> (c, i) -> jumpIf(c, i, !c.zf());
      case 6 -> (c, i) -> jumpIf(c, i, c.cf() || c.zf());
      case 7 -> (c, i) -> jumpIf(c, i, !(c.cf() || c.zf()));
      case 8 -> (c, i) -> jumpIf(c, i, c.sf());
      case 9 -> (c, i) -> jumpIf(c, i, !c.sf());
      case 10 -> (c, i) -> jumpIf(c, i, c.pf());
      case 11 -> (c, i) -> jumpIf(c, i, !c.pf());
      case 12 -> (c, i) -> jumpIf(c, i, c.sf() != c.of());
      case 13 -> (c, i) -> jumpIf(c, i, c.sf() == c.of());
      case 14 -> (c, i) -> jumpIf(c, i, c.zf() || c.sf() != c.of());
      default -> (c, i) -> jumpIf(c, i, !c.zf() && c.sf() == c.of());
    };
  }

  private static void jumpIf(Cpu c, Insn i, boolean condition) {
    if (condition) {
      c.nextRip = relative(c, i);
    }
  }

  // ---- LOOP: the address size chooses the counter ----

  static void loop(Cpu c, Insn i) {
    countDown(c, i, true);
  }

  static void loope(Cpu c, Insn i) {
    countDown(c, i, c.zf());
  }

  static void loopne(Cpu c, Insn i) {
    countDown(c, i, !c.zf());
  }

  private static void countDown(Cpu c, Insn i, boolean condition) {
    long count = c.readGpr(CpuRegisters.RCX, i.addrSize) - 1;
    int shift = 64 - 8 * i.addrSize;
    boolean taken = condition && count << shift != 0;
    long target = taken ? relative(c, i) : c.nextRip;
    c.writeGpr(CpuRegisters.RCX, i.addrSize, count);
    c.nextRip = target;
  }

  static void jcxz(Cpu c, Insn i) {
    if (c.readGpr(CpuRegisters.RCX, i.addrSize) == 0) {
      c.nextRip = relative(c, i);
    }
  }
}
