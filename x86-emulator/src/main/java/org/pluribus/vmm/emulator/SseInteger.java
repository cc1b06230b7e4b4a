package org.pluribus.vmm.emulator;

import java.util.function.LongBinaryOperator;

/** SSE2 integer instructions: handlers made of operations on packed quadwords. */
final class SseInteger {
  private SseInteger() {}

  /** The same operation on both quadwords. */
  static Handler lanes(LongBinaryOperator op) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      long[] x = c.xmm;
      x[d] = op.applyAsLong(x[d], x[s]);
      x[d + 1] = op.applyAsLong(x[d + 1], x[s + 1]);
    };
  }

  /** Pairs of the destination make the low quadword, pairs of the source the high one. */
  static Handler pairs(LongBinaryOperator op) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      long[] x = c.xmm;
      long low = op.applyAsLong(x[d], x[d + 1]);
      x[d + 1] = op.applyAsLong(x[s], x[s + 1]);
      x[d] = low;
    };
  }

  /** Interleaves the low quadwords of destination and source. */
  static Handler unpackLow(LongBinaryOperator low, LongBinaryOperator high) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      interleave(c, d, c.xmm[d], c.xmm[s], low, high);
    };
  }

  /** Interleaves the high quadwords of destination and source. */
  static Handler unpackHigh(LongBinaryOperator low, LongBinaryOperator high) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      interleave(c, d, c.xmm[d + 1], c.xmm[s + 1], low, high);
    };
  }

  private static void interleave(
      Cpu c, int d, long a, long b, LongBinaryOperator low, LongBinaryOperator high) {
    c.xmm[d] = low.applyAsLong(a, b);
    c.xmm[d + 1] = high.applyAsLong(a, b);
  }

  /** Every element shifted by the source's low quadword. */
  static Handler shift(LongBinaryOperator op) {
    return (c, i) -> {
      SseOperands.check(c);
      long count = c.xmm[SseOperands.source(c, i, 1)];
      shiftBoth(c, i, op, count);
    };
  }

  /** Every element shifted by the immediate. */
  static Handler shiftImmediate(LongBinaryOperator op) {
    return (c, i) -> {
      SseOperands.check(c);
      shiftBoth(c, i, op, i.imm & 0xFF);
    };
  }

  private static void shiftBoth(Cpu c, Insn i, LongBinaryOperator op, long count) {
    int d = SseOperands.register(i, 0);
    c.xmm[d] = op.applyAsLong(c.xmm[d], count);
    c.xmm[d + 1] = op.applyAsLong(c.xmm[d + 1], count);
  }

  // ---- the most frequent ones, without a call per quadword ----

  static void pxor(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    long[] x = c.xmm;
    x[d] ^= x[s];
    x[d + 1] ^= x[s + 1];
  }

  static void por(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    long[] x = c.xmm;
    x[d] |= x[s];
    x[d + 1] |= x[s + 1];
  }

  static void pand(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    long[] x = c.xmm;
    x[d] &= x[s];
    x[d + 1] &= x[s + 1];
  }

  static void pandn(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    long[] x = c.xmm;
    x[d] = ~x[d] & x[s];
    x[d + 1] = ~x[d + 1] & x[s + 1];
  }

  static void pcmpeqb(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    long[] x = c.xmm;
    x[d] = PackedArithmetic.equalB(x[d], x[s]);
    x[d + 1] = PackedArithmetic.equalB(x[d + 1], x[s + 1]);
  }

  static void pmovmskb(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.register(i, 1);
    int mask = PackedShuffle.byteMask(c.xmm[s]) | PackedShuffle.byteMask(c.xmm[s + 1]) << 8;
    c.gpr[i.reg[0]] = mask;
  }

  static void pshufd(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int order = (int) i.imm;
    long low = c.xmm[s];
    long high = c.xmm[s + 1];
    SseOperands.set(
        c,
        SseOperands.register(i, 0),
        PackedShuffle.doublewordOf(low, high, order & 3)
            | PackedShuffle.doublewordOf(low, high, order >> 2 & 3) << 32,
        PackedShuffle.doublewordOf(low, high, order >> 4 & 3)
            | PackedShuffle.doublewordOf(low, high, order >> 6 & 3) << 32);
  }

  static void pshuflw(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    long low = PackedShuffle.shuffleWords(c.xmm[s], (int) i.imm);
    SseOperands.set(c, SseOperands.register(i, 0), low, c.xmm[s + 1]);
  }

  static void pshufhw(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    long high = PackedShuffle.shuffleWords(c.xmm[s + 1], (int) i.imm);
    SseOperands.set(c, SseOperands.register(i, 0), c.xmm[s], high);
  }

  static void punpcklqdq(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    c.xmm[SseOperands.register(i, 0) + 1] = c.xmm[s];
  }

  static void punpckhqdq(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    SseOperands.set(c, d, c.xmm[d + 1], c.xmm[s + 1]);
  }

  /** PSLLDQ: the whole register left by bytes. */
  static void pslldq(Cpu c, Insn i) {
    SseOperands.check(c);
    int d = SseOperands.register(i, 0);
    int n = 8 * Math.min((int) i.imm & 0xFF, 16);
    long low = c.xmm[d];
    long high = c.xmm[d + 1];
    if (n >= 64) {
      SseOperands.set(c, d, 0, PackedArithmetic.shiftLeftQ(low, n - 64));
    } else if (n > 0) {
      SseOperands.set(c, d, low << n, high << n | low >>> 64 - n);
    }
  }

  /** PSRLDQ: the whole register right by bytes. */
  static void psrldq(Cpu c, Insn i) {
    SseOperands.check(c);
    int d = SseOperands.register(i, 0);
    int n = 8 * Math.min((int) i.imm & 0xFF, 16);
    long low = c.xmm[d];
    long high = c.xmm[d + 1];
    if (n >= 64) {
      SseOperands.set(c, d, PackedArithmetic.shiftRightQ(high, n - 64), 0);
    } else if (n > 0) {
      SseOperands.set(c, d, low >>> n | high << 64 - n, high >>> n);
    }
  }

  static void pinsrw(Cpu c, Insn i) {
    SseOperands.check(c);
    long v = c.read(i, 1) & 0xFFFF;
    int n = (int) i.imm & 7;
    int q = SseOperands.register(i, 0) + (n >> 2);
    int shift = 16 * (n & 3);
    c.xmm[q] = c.xmm[q] & ~(0xFFFFL << shift) | v << shift;
  }

  /** PEXTRW to a register, the SSE2 form. */
  static void pextrw(Cpu c, Insn i) {
    SseOperands.check(c);
    int n = (int) i.imm & 7;
    c.gpr[i.reg[0]] = c.xmm[SseOperands.register(i, 1) + (n >> 2)] >>> 16 * (n & 3) & 0xFFFF;
  }

  /** MASKMOVDQU: stores the bytes whose mask has its top bit set at DS:rDI. */
  static void maskmovdqu(Cpu c, Insn i) {
    SseOperands.check(c);
    int d = SseOperands.register(i, 0);
    int m = SseOperands.register(i, 1);
    long la = maskedAddress(c, i, 16);
    maskedStore(c, la, c.xmm[d], c.xmm[m]);
    maskedStore(c, la + 8, c.xmm[d + 1], c.xmm[m + 1]);
  }

  /** Address of the {@code size} bytes at rDI; all must be writable, whatever the mask. */
  static long maskedAddress(Cpu c, Insn i, int size) {
    int seg = i.segOverride >= 0 ? i.segOverride : CpuRegisters.DS;
    long mask = i.addrSize == 8 ? -1L : i.addrSize == 4 ? 0xFFFFFFFFL : 0xFFFF;
    long la = c.linear(seg, c.gpr[CpuRegisters.RDI] & mask, size, true);
    c.checkWritable(la, size);
    return la;
  }

  /** Stores those of eight bytes whose mask has its top bit set. */
  static void maskedStore(Cpu c, long la, long value, long mask) {
    for (int k = 0; k < 8; k++) {
      if ((mask >>> 8 * k & 0x80) != 0) {
        c.store8(la + k, value >>> 8 * k);
      }
    }
  }
}
