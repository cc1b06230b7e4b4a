package org.pluribus.vmm.emulator;

/** Integer instructions of SSSE3 and SSE4.1 that work across a whole XMM register. */
final class Sse4 {
  private Sse4() {}

  // ---- shuffles ----

  static void pshufb(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    long low = c.xmm[d];
    long high = c.xmm[d + 1];
    long newLow = shuffled(low, high, c.xmm[s]);
    SseOperands.set(c, d, newLow, shuffled(low, high, c.xmm[s + 1]));
  }

  private static long shuffled(long low, long high, long control) {
    long r = 0;
    for (int shift = 0; shift < 64; shift += 8) {
      int n = (int) (control >>> shift);
      if ((n & 0x80) == 0) {
        r |= PackedShuffle.byteOf(low, high, n & 15) << shift;
      }
    }
    return r;
  }

  /** Sixteen bytes of destination:source from byte Ib on. */
  static void palignr(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    long[] x = c.xmm;
    int n = (int) i.imm & 0xFF;
    long low = window(x[s], x[s + 1], x[d], x[d + 1], n);
    long high = window(x[s], x[s + 1], x[d], x[d + 1], n + 8);
    SseOperands.set(c, d, low, high);
  }

  /** Eight bytes from byte {@code n} of four quadwords with zeros behind them. */
  private static long window(long q0, long q1, long q2, long q3, int n) {
    int bit = 8 * (n & 7);
    long first = quadword(q0, q1, q2, q3, n >> 3);
    if (bit == 0) {
      return first;
    }
    return first >>> bit | quadword(q0, q1, q2, q3, (n >> 3) + 1) << 64 - bit;
  }

  private static long quadword(long q0, long q1, long q2, long q3, int n) {
    return switch (n) {
      case 0 -> q0;
      case 1 -> q1;
      case 2 -> q2;
      case 3 -> q3;
      default -> 0;
    };
  }

  // ---- PMOVSX and PMOVZX ----

  /** Widens the low elements of {@code from} bytes to {@code to} bytes each. */
  static Handler widen(int from, int to, boolean signed) {
    int sourceBytes = 16 / to * from;
    return (c, i) -> {
      SseOperands.check(c);
      long v =
          i.kind[1] != Insn.MEM
              ? c.xmm[SseOperands.register(i, 1)]
              : c.load(c.address(i, sourceBytes, false), sourceBytes);
      long low = widened(v, from, to, signed);
      long high = widened(v >>> 4 * sourceBytes, from, to, signed);
      SseOperands.set(c, SseOperands.register(i, 0), low, high);
    };
  }

  private static long widened(long v, int from, int to, boolean signed) {
    long r = 0;
    int cut = 64 - 8 * from;
    long mask = -1L >>> 64 - 8 * to;
    for (int k = 0; k < 8 / to; k++) {
      long element = v >>> 8 * from * k << cut;
      r |= ((signed ? element >> cut : element >>> cut) & mask) << 8 * to * k;
    }
    return r;
  }

  // ---- blends ----

  /** PBLENDVB, BLENDVPS, BLENDVPD: the top bit of each element of XMM0 chooses the source. */
  static Handler blendVariable(int bits) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      long low = blended(c.xmm[d], c.xmm[s], signMask(c.xmm[0], bits));
      long high = blended(c.xmm[d + 1], c.xmm[s + 1], signMask(c.xmm[1], bits));
      SseOperands.set(c, d, low, high);
    };
  }

  private static long signMask(long v, int bits) {
    long r = 0;
    for (int shift = 0; shift < 64; shift += bits) {
      if ((v >>> shift + bits - 1 & 1) != 0) {
        r |= -1L >>> 64 - bits << shift;
      }
    }
    return r;
  }

  private static long blended(long a, long b, long mask) {
    return a & ~mask | b & mask;
  }

  /** BLENDPS, BLENDPD, PBLENDW: a bit of the immediate per element. */
  static Handler blend(int bits) {
    int perQuadword = 64 / bits;
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      int choice = (int) i.imm;
      long low = blended(c.xmm[d], c.xmm[s], choiceMask(choice, bits));
      long high = blended(c.xmm[d + 1], c.xmm[s + 1], choiceMask(choice >> perQuadword, bits));
      SseOperands.set(c, d, low, high);
    };
  }

  private static long choiceMask(int choice, int bits) {
    long r = 0;
    for (int k = 0; k < 64 / bits; k++) {
      if ((choice >> k & 1) != 0) {
        r |= -1L >>> 64 - bits << bits * k;
      }
    }
    return r;
  }

  // ---- single elements ----

  /** PEXTRB, PEXTRW, PEXTRD and PEXTRQ; {@code size} 0 means the operand's. */
  static Handler extract(int size) {
    return (c, i) -> {
      SseOperands.check(c);
      int bytes = size == 0 ? i.size[0] : size;
      int at = bytes * ((int) i.imm & 16 / bytes - 1);
      long v = c.xmm[SseOperands.register(i, 1) + (at >> 3)] >>> 8 * (at & 7);
      c.write(i, 0, v & -1L >>> 64 - 8 * bytes);
    };
  }

  /** PINSRB, PINSRD and PINSRQ; {@code size} 0 means the operand's. */
  static Handler insert(int size) {
    return (c, i) -> {
      SseOperands.check(c);
      int bytes = size == 0 ? i.size[1] : size;
      long v = c.read(i, 1);
      int at = bytes * ((int) i.imm & 16 / bytes - 1);
      int q = SseOperands.register(i, 0) + (at >> 3);
      long mask = -1L >>> 64 - 8 * bytes << 8 * (at & 7);
      c.xmm[q] = blended(c.xmm[q], v << 8 * (at & 7), mask);
    };
  }

  static void insertps(Cpu c, Insn i) {
    SseOperands.check(c);
    int control = (int) i.imm;
    long v;
    if (i.kind[1] == Insn.MEM) {
      v = c.load32(c.address(i, 4, false));
    } else {
      int s = SseOperands.register(i, 1);
      v = PackedShuffle.doublewordOf(c.xmm[s], c.xmm[s + 1], control >> 6 & 3);
    }
    int d = SseOperands.register(i, 0);
    int n = control >> 4 & 3;
    int q = d + (n >> 1);
    int shift = 32 * (n & 1);
    c.xmm[q] = blended(c.xmm[q], v << shift, 0xFFFFFFFFL << shift);
    c.xmm[d] &= ~choiceMask(control & 3, 32);
    c.xmm[d + 1] &= ~choiceMask(control >> 2 & 3, 32);
  }

  // ---- tests and searches ----

  static void ptest(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    long[] x = c.xmm;
    boolean zero = (x[d] & x[s] | x[d + 1] & x[s + 1]) == 0;
    boolean carry = (~x[d] & x[s] | ~x[d + 1] & x[s + 1]) == 0;
    c.setArithmeticFlags((zero ? CpuRegisters.FLAG_ZF : 0) | (carry ? CpuRegisters.FLAG_CF : 0));
  }

  /** The smallest unsigned word and its index. */
  static void phminposuw(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    long least = 0xFFFF;
    int at = 0;
    for (int k = 7; k >= 0; k--) {
      long w = c.xmm[s + (k >> 2)] >>> 16 * (k & 3) & 0xFFFF;
      if (w <= least) {
        least = w;
        at = k;
      }
    }
    SseOperands.set(c, SseOperands.register(i, 0), least | (long) at << 16, 0);
  }

  /** Eight sums of absolute differences of four bytes, the destination's window moving. */
  static void mpsadbw(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    int from = 4 * ((int) i.imm & 3);
    int start = (int) i.imm & 4;
    long low = 0;
    long high = 0;
    for (int k = 0; k < 4; k++) {
      low |= sumOf4(c, d, start + k, s, from) << 16 * k;
      high |= sumOf4(c, d, start + k + 4, s, from) << 16 * k;
    }
    SseOperands.set(c, d, low, high);
  }

  private static long sumOf4(Cpu c, int d, int at, int s, int from) {
    long sum = 0;
    for (int k = 0; k < 4; k++) {
      long a = PackedShuffle.byteOf(c.xmm[d], c.xmm[d + 1], at + k);
      long b = PackedShuffle.byteOf(c.xmm[s], c.xmm[s + 1], from + k);
      sum += Math.abs(a - b);
    }
    return sum;
  }
}
