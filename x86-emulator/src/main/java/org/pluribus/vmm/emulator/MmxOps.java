package org.pluribus.vmm.emulator;

import java.util.function.LongBinaryOperator;

/**
 * MMX instructions. MMX register n is the significand of physical x87 register n; every MMX
 * instruction but EMMS sets TOP to 0 and all tags to valid, and a write sets sign and exponent to
 * ones (SDM volume 1, sections 9.2.1 and 9.6.2).
 */
final class MmxOps {
  private MmxOps() {}

  /**
   * Raises what any MMX instruction raises when it may not run now.
   *
   * @throws GuestFault #UD for CR0.EM, #NM for CR0.TS, #MF for a pending x87 exception
   */
  static void check(Cpu c) {
    if ((c.cr0 & CpuRegisters.CR0_EM) != 0) {
      throw c.ud();
    }
    if ((c.cr0 & CpuRegisters.CR0_TS) != 0) {
      throw c.fault(GuestFault.NM);
    }
    FpuState.checkPending(c);
  }

  /** The state change every MMX instruction makes; called after its last access that can fault. */
  static void enter(Cpu c) {
    c.fpTop = 0;
    c.fpEmpty = 0;
  }

  static void set(Cpu c, int register, long v) {
    enter(c);
    c.fpSignificand[register] = v;
    c.fpSignExponent[register] = 0xFFFF;
  }

  /** An MMX register or a memory operand of its own size (4 or 8 bytes). */
  static long source(Cpu c, Insn i, int n) {
    if (i.kind[n] != Insn.MEM) {
      return c.fpSignificand[i.reg[n]];
    }
    return c.load(c.address(i, i.size[n], false), i.size[n]);
  }

  /** Destination and source make the new destination. */
  static Handler lanes(LongBinaryOperator op) {
    return (c, i) -> {
      check(c);
      long s = source(c, i, 1);
      set(c, i.reg[0], op.applyAsLong(c.fpSignificand[i.reg[0]], s));
    };
  }

  static Handler shiftImmediate(LongBinaryOperator op) {
    return (c, i) -> {
      check(c);
      set(c, i.reg[0], op.applyAsLong(c.fpSignificand[i.reg[0]], i.imm & 0xFF));
    };
  }

  static void emms(Cpu c, Insn i) {
    check(c);
    c.fpTop = 0;
    c.fpEmpty = 0xFF;
  }

  /** MOVQ Pq,Qq; MOVD and MOVQ Pd,Ey have {@link #fromGeneral}. */
  static void load(Cpu c, Insn i) {
    check(c);
    set(c, i.reg[0], source(c, i, 1));
  }

  /** MOVQ Qq,Pq and MOVNTQ. */
  static void store(Cpu c, Insn i) {
    check(c);
    long v = c.fpSignificand[i.reg[1]];
    if (i.kind[0] == Insn.MEM) {
      c.store64(c.address(i, 8, true), v);
      enter(c);
    } else {
      set(c, i.reg[0], v);
    }
  }

  static void fromGeneral(Cpu c, Insn i) {
    check(c);
    set(c, i.reg[0], c.read(i, 1));
  }

  static void toGeneral(Cpu c, Insn i) {
    check(c);
    c.write(i, 0, c.fpSignificand[i.reg[1]]);
    enter(c);
  }

  static void pshufw(Cpu c, Insn i) {
    check(c);
    set(c, i.reg[0], PackedShuffle.shuffleWords(source(c, i, 1), (int) i.imm));
  }

  static void pmovmskb(Cpu c, Insn i) {
    check(c);
    enter(c);
    c.gpr[i.reg[0]] = PackedShuffle.byteMask(c.fpSignificand[i.reg[1]]);
  }

  static void pinsrw(Cpu c, Insn i) {
    check(c);
    long v = c.read(i, 1) & 0xFFFF;
    int shift = 16 * ((int) i.imm & 3);
    set(c, i.reg[0], c.fpSignificand[i.reg[0]] & ~(0xFFFFL << shift) | v << shift);
  }

  static void pextrw(Cpu c, Insn i) {
    check(c);
    enter(c);
    c.gpr[i.reg[0]] = c.fpSignificand[i.reg[1]] >>> 16 * ((int) i.imm & 3) & 0xFFFF;
  }

  /** MASKMOVQ. */
  static void maskmovq(Cpu c, Insn i) {
    check(c);
    enter(c); // even if a fault follows, as processors do
    long la = SseInteger.maskedAddress(c, i, 8);
    SseInteger.maskedStore(c, la, c.fpSignificand[i.reg[0]], c.fpSignificand[i.reg[1]]);
  }

  /** PALIGNR Pq,Qq,Ib: eight bytes of destination:source from byte Ib on. */
  static void palignr(Cpu c, Insn i) {
    check(c);
    long low = source(c, i, 1);
    long high = c.fpSignificand[i.reg[0]];
    int n = 8 * ((int) i.imm & 0xFF);
    long r;
    if (n == 0) {
      r = low;
    } else if (n < 64) {
      r = low >>> n | high << 64 - n;
    } else {
      r = PackedArithmetic.shiftRightQ(high, n - 64);
    }
    set(c, i.reg[0], r);
  }

  /** MOVDQ2Q Pq,Uq. */
  static void movdq2q(Cpu c, Insn i) {
    SseOperands.check(c);
    FpuState.checkPending(c);
    set(c, i.reg[0], c.xmm[SseOperands.register(i, 1)]);
  }

  /** MOVQ2DQ Vdq,Nq. */
  static void movq2dq(Cpu c, Insn i) {
    SseOperands.check(c);
    FpuState.checkPending(c);
    enter(c);
    SseOperands.set(c, SseOperands.register(i, 0), c.fpSignificand[i.reg[1]], 0);
  }
}
