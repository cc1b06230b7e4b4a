package org.pluribus.vmm.emulator;

import org.pluribus.vmm.emulator.SseArithmetic.Binary32;
import org.pluribus.vmm.emulator.SseArithmetic.Binary64;

/** SSE floating-point handlers: element operations applied to scalars and whole registers. */
final class SseFloat {
  private static final long LOW = 0xFFFFFFFFL;

  private SseFloat() {}

  private static SoftFloat begin(Cpu c) {
    SseArithmetic.begin(c.soft, c.mxcsr);
    return c.soft;
  }

  private static long pair(int low, int high) {
    return low & LOW | (long) high << 32;
  }

  private static void setLow32(Cpu c, int d, int v) {
    c.xmm[d] = c.xmm[d] & ~LOW | v & LOW;
  }

  // ---- element by element ----

  static Handler scalar64(Binary64 op) {
    return (c, i) -> {
      SseOperands.check(c);
      long b = SseOperands.source64(c, i, 1);
      int d = SseOperands.register(i, 0);
      long v = op.apply(begin(c), c.xmm[d], b);
      SseArithmetic.finish(c);
      c.xmm[d] = v;
    };
  }

  static Handler scalar32(Binary32 op) {
    return (c, i) -> {
      SseOperands.check(c);
      int b = SseOperands.source32(c, i, 1);
      int d = SseOperands.register(i, 0);
      int v = op.apply(begin(c), (int) c.xmm[d], b);
      SseArithmetic.finish(c);
      setLow32(c, d, v);
    };
  }

  static Handler packed64(Binary64 op) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      SoftFloat f = begin(c);
      long low = op.apply(f, c.xmm[d], c.xmm[s]);
      long high = op.apply(f, c.xmm[d + 1], c.xmm[s + 1]);
      SseArithmetic.finish(c);
      SseOperands.set(c, d, low, high);
    };
  }

  static Handler packed32(Binary32 op) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      SoftFloat f = begin(c);
      long low = both(op, f, c.xmm[d], c.xmm[s]);
      long high = both(op, f, c.xmm[d + 1], c.xmm[s + 1]);
      SseArithmetic.finish(c);
      SseOperands.set(c, d, low, high);
    };
  }

  private static long both(Binary32 op, SoftFloat f, long a, long b) {
    int low = op.apply(f, (int) a, (int) b);
    return pair(low, op.apply(f, (int) (a >> 32), (int) (b >> 32)));
  }

  // ---- comparisons ----

  static void cmpsd(Cpu c, Insn i) {
    int predicate = (int) i.imm & 7;
    SseOperands.check(c);
    long b = SseOperands.source64(c, i, 1);
    int d = SseOperands.register(i, 0);
    boolean v = SseArithmetic.compare(begin(c), c.xmm[d], b, predicate);
    SseArithmetic.finish(c);
    c.xmm[d] = v ? -1 : 0;
  }

  static void cmpss(Cpu c, Insn i) {
    int predicate = (int) i.imm & 7;
    SseOperands.check(c);
    int b = SseOperands.source32(c, i, 1);
    int d = SseOperands.register(i, 0);
    boolean v = SseArithmetic.compare(begin(c), (int) c.xmm[d], b, predicate);
    SseArithmetic.finish(c);
    setLow32(c, d, v ? -1 : 0);
  }

  static void cmppd(Cpu c, Insn i) {
    int predicate = (int) i.imm & 7;
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    SoftFloat f = begin(c);
    boolean low = SseArithmetic.compare(f, c.xmm[d], c.xmm[s], predicate);
    boolean high = SseArithmetic.compare(f, c.xmm[d + 1], c.xmm[s + 1], predicate);
    SseArithmetic.finish(c);
    SseOperands.set(c, d, low ? -1 : 0, high ? -1 : 0);
  }

  static void cmpps(Cpu c, Insn i) {
    int predicate = (int) i.imm & 7;
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    SoftFloat f = begin(c);
    long low = comparePair(f, c.xmm[d], c.xmm[s], predicate);
    long high = comparePair(f, c.xmm[d + 1], c.xmm[s + 1], predicate);
    SseArithmetic.finish(c);
    SseOperands.set(c, d, low, high);
  }

  private static long comparePair(SoftFloat f, long a, long b, int predicate) {
    boolean low = SseArithmetic.compare(f, (int) a, (int) b, predicate);
    boolean high = SseArithmetic.compare(f, (int) (a >> 32), (int) (b >> 32), predicate);
    return pair(low ? -1 : 0, high ? -1 : 0);
  }

  static void comisd(Cpu c, Insn i) {
    order64(c, i, true);
  }

  static void ucomisd(Cpu c, Insn i) {
    order64(c, i, false);
  }

  static void comiss(Cpu c, Insn i) {
    order32(c, i, true);
  }

  static void ucomiss(Cpu c, Insn i) {
    order32(c, i, false);
  }

  private static void order64(Cpu c, Insn i, boolean signalsQuiet) {
    SseOperands.check(c);
    long b = SseOperands.source64(c, i, 1);
    int order = SseArithmetic.order(begin(c), c.xmm[SseOperands.register(i, 0)], b, signalsQuiet);
    SseArithmetic.finish(c);
    setOrderFlags(c, order);
  }

  private static void order32(Cpu c, Insn i, boolean signalsQuiet) {
    SseOperands.check(c);
    int b = SseOperands.source32(c, i, 1);
    int a = (int) c.xmm[SseOperands.register(i, 0)];
    int order = SseArithmetic.order(begin(c), a, b, signalsQuiet);
    SseArithmetic.finish(c);
    setOrderFlags(c, order);
  }

  /** ZF, PF and CF as COMISD and FCOMI set them; the others become 0. */
  static void setOrderFlags(Cpu c, int order) {
    c.setArithmeticFlags(
        switch (order) {
          case SseArithmetic.UNORDERED ->
              CpuRegisters.FLAG_ZF | CpuRegisters.FLAG_PF | CpuRegisters.FLAG_CF;
          case -1 -> CpuRegisters.FLAG_CF;
          case 0 -> CpuRegisters.FLAG_ZF;
          default -> 0;
        });
  }

  // ---- SSE3: horizontal and alternating ----

  /** HADDPD, HSUBPD. */
  static Handler horizontal64(Binary64 op) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      SoftFloat f = begin(c);
      long low = op.apply(f, c.xmm[d], c.xmm[d + 1]);
      long high = op.apply(f, c.xmm[s], c.xmm[s + 1]);
      SseArithmetic.finish(c);
      SseOperands.set(c, d, low, high);
    };
  }

  /** HADDPS, HSUBPS. */
  static Handler horizontal32(Binary32 op) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      int d = SseOperands.register(i, 0);
      SoftFloat f = begin(c);
      long low = pair(within(op, f, c.xmm[d]), within(op, f, c.xmm[d + 1]));
      long high = pair(within(op, f, c.xmm[s]), within(op, f, c.xmm[s + 1]));
      SseArithmetic.finish(c);
      SseOperands.set(c, d, low, high);
    };
  }

  private static int within(Binary32 op, SoftFloat f, long v) {
    return op.apply(f, (int) v, (int) (v >> 32));
  }

  static void addsubpd(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    SoftFloat f = begin(c);
    long low = SseArithmetic.subtract(f, c.xmm[d], c.xmm[s]);
    long high = SseArithmetic.add(f, c.xmm[d + 1], c.xmm[s + 1]);
    SseArithmetic.finish(c);
    SseOperands.set(c, d, low, high);
  }

  static void addsubps(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    SoftFloat f = begin(c);
    long low = subtractAdd(f, c.xmm[d], c.xmm[s]);
    long high = subtractAdd(f, c.xmm[d + 1], c.xmm[s + 1]);
    SseArithmetic.finish(c);
    SseOperands.set(c, d, low, high);
  }

  private static long subtractAdd(SoftFloat f, long a, long b) {
    int low = SseArithmetic.subtract(f, (int) a, (int) b);
    return pair(low, SseArithmetic.add(f, (int) (a >> 32), (int) (b >> 32)));
  }

  // ---- SSE4.1: dot products; every step rounds and raises as an instruction of its own would ----

  static void dpps(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    int which = (int) i.imm;
    SoftFloat f = begin(c);
    int p0 = (which & 0x10) != 0 ? SseArithmetic.multiply(f, w(c, d, 0), w(c, s, 0)) : 0;
    int p1 = (which & 0x20) != 0 ? SseArithmetic.multiply(f, w(c, d, 1), w(c, s, 1)) : 0;
    int p2 = (which & 0x40) != 0 ? SseArithmetic.multiply(f, w(c, d, 2), w(c, s, 2)) : 0;
    int p3 = (which & 0x80) != 0 ? SseArithmetic.multiply(f, w(c, d, 3), w(c, s, 3)) : 0;
    SseArithmetic.finish(c);
    f.flags = 0;
    int low = SseArithmetic.add(f, p0, p1);
    int high = SseArithmetic.add(f, p2, p3);
    SseArithmetic.finish(c);
    f.flags = 0;
    int sum = SseArithmetic.add(f, low, high);
    SseArithmetic.finish(c);
    SseOperands.set(
        c,
        d,
        pair((which & 1) != 0 ? sum : 0, (which & 2) != 0 ? sum : 0),
        pair((which & 4) != 0 ? sum : 0, (which & 8) != 0 ? sum : 0));
  }

  private static int w(Cpu c, int register, int n) {
    return (int) (c.xmm[register + (n >> 1)] >>> 32 * (n & 1));
  }

  static void dppd(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    int which = (int) i.imm;
    SoftFloat f = begin(c);
    long p0 = (which & 0x10) != 0 ? SseArithmetic.multiply(f, c.xmm[d], c.xmm[s]) : 0;
    long p1 = (which & 0x20) != 0 ? SseArithmetic.multiply(f, c.xmm[d + 1], c.xmm[s + 1]) : 0;
    SseArithmetic.finish(c);
    f.flags = 0;
    long sum = SseArithmetic.add(f, p0, p1);
    SseArithmetic.finish(c);
    SseOperands.set(c, d, (which & 1) != 0 ? sum : 0, (which & 2) != 0 ? sum : 0);
  }

  // ---- approximations: we give the exact value rounded to nearest, which is closer than asked
  // ----

  /** RCPPS of one element: denormals count as zeros, tiny results become zero, nothing raises. */
  static int reciprocal(SoftFloat f, int unused, int b) {
    if (SseArithmetic.isNan(b)) {
      return b | 1 << 22;
    }
    int sign = b & 1 << 31;
    if ((b >>> 23 & 0xFF) == 0) {
      return sign | 0x7F800000;
    }
    float v = 1 / Float.intBitsToFloat(b);
    return Math.abs(v) < Float.MIN_NORMAL ? sign : Float.floatToRawIntBits(v);
  }

  /** RSQRTPS of one element. */
  static int reciprocalRoot(SoftFloat f, int unused, int b) {
    if (SseArithmetic.isNan(b)) {
      return b | 1 << 22;
    }
    if ((b >>> 23 & 0xFF) == 0) {
      return b & 1 << 31 | 0x7F800000;
    }
    if (b < 0) {
      return 0xFFC00000; // the real indefinite
    }
    return Float.floatToRawIntBits((float) (1 / Math.sqrt(Float.intBitsToFloat(b))));
  }
}
