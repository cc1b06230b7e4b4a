package org.pluribus.vmm.emulator;

/** SSE conversions between integers, singles and doubles, and rounding to integral values. */
final class SseConvert {
  private static final long LOW = 0xFFFFFFFFL;
  private static final int SINGLE_QUIET = 1 << 22;
  private static final long DOUBLE_QUIET = 1L << 51;

  private SseConvert() {}

  private static SoftFloat begin(Cpu c) {
    SseArithmetic.begin(c.soft, c.mxcsr);
    return c.soft;
  }

  private static long pair(int low, int high) {
    return low & LOW | (long) high << 32;
  }

  // ---- elements ----

  private static long toDouble(SoftFloat f, int single) {
    f.a.setSingle(single, f.denormalsAreZero);
    if (f.a.isNan()) {
      f.flags |= SseArithmetic.isSignaling(single) ? SoftFloat.INVALID : 0;
      return f.a.toDouble();
    }
    f.flags |= f.a.denormal ? SoftFloat.DENORMAL : 0;
    return f.a.toDouble();
  }

  private static int toSingle(SoftFloat f, long v) {
    f.a.setDouble(v, f.denormalsAreZero);
    if (f.a.isNan()) {
      f.flags |= SseArithmetic.isSignaling(v) ? SoftFloat.INVALID : 0;
      return f.a.toSingle();
    }
    f.flags |= f.a.denormal ? SoftFloat.DENORMAL : 0;
    f.r.copy(f.a);
    f.roundSingle();
    return f.r.toSingle();
  }

  private static int singleOf(SoftFloat f, long integer) {
    f.r.setLong(integer);
    f.roundSingle();
    return f.r.toSingle();
  }

  private static long doubleOf(SoftFloat f, long integer) {
    f.r.setLong(integer);
    f.roundDouble();
    return f.r.toDouble();
  }

  private static long integerOf64(SoftFloat f, long v, int bits, boolean truncate) {
    double d = Double.longBitsToDouble(v);
    if ((truncate || f.rounding == SoftFloat.NEAREST) && Math.abs(d) >= Double.MIN_NORMAL) {
      // Java truncates and rounds to nearest alike; what does not fit goes the long way.
      double whole = truncate ? d : Math.rint(d);
      if (Math.abs(whole) < (bits == 32 ? 0x1p31 : 0x1p62)) {
        long integer = (long) whole;
        f.flags |= integer != d ? SoftFloat.PRECISION : 0;
        return integer;
      }
    }
    f.a.setDouble(v, f.denormalsAreZero);
    return f.toInteger(bits, truncate ? SoftFloat.TOWARD_ZERO : f.rounding);
  }

  private static long integerOf32(SoftFloat f, int v, int bits, boolean truncate) {
    f.a.setSingle(v, f.denormalsAreZero);
    return f.toInteger(bits, truncate ? SoftFloat.TOWARD_ZERO : f.rounding);
  }

  // ---- scalars and general registers ----

  static void cvtsi2sd(Cpu c, Insn i) {
    SseOperands.check(c);
    long v = doubleOf(begin(c), signed(c.read(i, 1), i.size[1]));
    SseArithmetic.finish(c);
    c.xmm[SseOperands.register(i, 0)] = v;
  }

  static void cvtsi2ss(Cpu c, Insn i) {
    SseOperands.check(c);
    int v = singleOf(begin(c), signed(c.read(i, 1), i.size[1]));
    SseArithmetic.finish(c);
    int d = SseOperands.register(i, 0);
    c.xmm[d] = c.xmm[d] & ~LOW | v & LOW;
  }

  private static long signed(long v, int size) {
    return size == 4 ? (int) v : v;
  }

  /** CVTSD2SI and, with {@code truncate}, CVTTSD2SI. */
  static Handler cvtsd2si(boolean truncate) {
    return (c, i) -> {
      SseOperands.check(c);
      long b = SseOperands.source64(c, i, 1);
      long v = integerOf64(begin(c), b, 8 * i.size[0], truncate);
      SseArithmetic.finish(c);
      c.writeGpr(i.reg[0], i.size[0], v);
    };
  }

  static Handler cvtss2si(boolean truncate) {
    return (c, i) -> {
      SseOperands.check(c);
      int b = SseOperands.source32(c, i, 1);
      long v = integerOf32(begin(c), b, 8 * i.size[0], truncate);
      SseArithmetic.finish(c);
      c.writeGpr(i.reg[0], i.size[0], v);
    };
  }

  static void cvtss2sd(Cpu c, Insn i) {
    SseOperands.check(c);
    int b = SseOperands.source32(c, i, 1);
    long v = toDouble(begin(c), b);
    SseArithmetic.finish(c);
    c.xmm[SseOperands.register(i, 0)] = v;
  }

  static void cvtsd2ss(Cpu c, Insn i) {
    SseOperands.check(c);
    long b = SseOperands.source64(c, i, 1);
    int v = toSingle(begin(c), b);
    SseArithmetic.finish(c);
    int d = SseOperands.register(i, 0);
    c.xmm[d] = c.xmm[d] & ~LOW | v & LOW;
  }

  // ---- whole registers ----

  static void cvtps2pd(Cpu c, Insn i) {
    SseOperands.check(c);
    long b = SseOperands.source64(c, i, 1);
    SoftFloat f = begin(c);
    long low = toDouble(f, (int) b);
    long high = toDouble(f, (int) (b >> 32));
    SseArithmetic.finish(c);
    SseOperands.set(c, SseOperands.register(i, 0), low, high);
  }

  static void cvtpd2ps(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    SoftFloat f = begin(c);
    int low = toSingle(f, c.xmm[s]);
    int high = toSingle(f, c.xmm[s + 1]);
    SseArithmetic.finish(c);
    SseOperands.set(c, SseOperands.register(i, 0), pair(low, high), 0);
  }

  static void cvtdq2ps(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    SoftFloat f = begin(c);
    long low = singlesOf(f, c.xmm[s]);
    long high = singlesOf(f, c.xmm[s + 1]);
    SseArithmetic.finish(c);
    SseOperands.set(c, SseOperands.register(i, 0), low, high);
  }

  private static long singlesOf(SoftFloat f, long integers) {
    int low = singleOf(f, (int) integers);
    return pair(low, singleOf(f, (int) (integers >> 32)));
  }

  static void cvtdq2pd(Cpu c, Insn i) {
    SseOperands.check(c);
    long b = SseOperands.source64(c, i, 1);
    SseOperands.set(
        c,
        SseOperands.register(i, 0),
        Double.doubleToRawLongBits((int) b),
        Double.doubleToRawLongBits((int) (b >> 32)));
  }

  /** CVTPS2DQ and CVTTPS2DQ. */
  static Handler cvtps2dq(boolean truncate) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      SoftFloat f = begin(c);
      long low = integersOf(f, c.xmm[s], truncate);
      long high = integersOf(f, c.xmm[s + 1], truncate);
      SseArithmetic.finish(c);
      SseOperands.set(c, SseOperands.register(i, 0), low, high);
    };
  }

  private static long integersOf(SoftFloat f, long singles, boolean truncate) {
    int low = (int) integerOf32(f, (int) singles, 32, truncate);
    return pair(low, (int) integerOf32(f, (int) (singles >> 32), 32, truncate));
  }

  /** CVTPD2DQ and CVTTPD2DQ. */
  static Handler cvtpd2dq(boolean truncate) {
    return (c, i) -> {
      SseOperands.check(c);
      int s = SseOperands.source(c, i, 1);
      SoftFloat f = begin(c);
      int low = (int) integerOf64(f, c.xmm[s], 32, truncate);
      int high = (int) integerOf64(f, c.xmm[s + 1], 32, truncate);
      SseArithmetic.finish(c);
      SseOperands.set(c, SseOperands.register(i, 0), pair(low, high), 0);
    };
  }

  // ---- MMX registers ----

  /** CVTPI2PS. */
  static void cvtpi2ps(Cpu c, Insn i) {
    SseOperands.check(c);
    FpuState.checkPending(c);
    long b = MmxOps.source(c, i, 1);
    long v = singlesOf(begin(c), b);
    if (i.kind[1] != Insn.MEM) {
      MmxOps.enter(c); // even if #XM follows, as processors do
    }
    SseArithmetic.finish(c);
    c.xmm[SseOperands.register(i, 0)] = v;
  }

  /** CVTPI2PD. */
  static void cvtpi2pd(Cpu c, Insn i) {
    SseOperands.check(c);
    FpuState.checkPending(c);
    long b = MmxOps.source(c, i, 1);
    if (i.kind[1] != Insn.MEM) {
      MmxOps.enter(c);
    }
    SseOperands.set(
        c,
        SseOperands.register(i, 0),
        Double.doubleToRawLongBits((int) b),
        Double.doubleToRawLongBits((int) (b >> 32)));
  }

  /** CVTPS2PI and CVTTPS2PI. */
  static Handler cvtps2pi(boolean truncate) {
    return (c, i) -> {
      SseOperands.check(c);
      FpuState.checkPending(c);
      long b = SseOperands.source64(c, i, 1);
      long v = integersOf(begin(c), b, truncate);
      MmxOps.enter(c); // even if #XM follows, as processors do
      SseArithmetic.finish(c);
      MmxOps.set(c, i.reg[0], v);
    };
  }

  /** CVTPD2PI and CVTTPD2PI. */
  static Handler cvtpd2pi(boolean truncate) {
    return (c, i) -> {
      SseOperands.check(c);
      FpuState.checkPending(c);
      int s = SseOperands.source(c, i, 1);
      SoftFloat f = begin(c);
      int low = (int) integerOf64(f, c.xmm[s], 32, truncate);
      int high = (int) integerOf64(f, c.xmm[s + 1], 32, truncate);
      MmxOps.enter(c);
      SseArithmetic.finish(c);
      MmxOps.set(c, i.reg[0], pair(low, high));
    };
  }

  // ---- SSE4.1 rounding: bit 3 of the immediate hides inexactness, bit 2 takes MXCSR's mode ----

  private static int roundingOf(SoftFloat f, int control) {
    return (control & 4) != 0 ? f.rounding : control & 3;
  }

  private static long round64(SoftFloat f, long v, int control) {
    if (SseArithmetic.isNan(v)) {
      f.flags |= SseArithmetic.isSignaling(v) ? SoftFloat.INVALID : 0;
      return v | DOUBLE_QUIET;
    }
    f.a.setDouble(v, f.denormalsAreZero);
    f.roundToIntegral(roundingOf(f, control));
    f.flags &= (control & 8) != 0 ? ~SoftFloat.PRECISION : -1;
    return f.r.toDouble();
  }

  private static int round32(SoftFloat f, int v, int control) {
    if (SseArithmetic.isNan(v)) {
      f.flags |= SseArithmetic.isSignaling(v) ? SoftFloat.INVALID : 0;
      return v | SINGLE_QUIET;
    }
    f.a.setSingle(v, f.denormalsAreZero);
    f.roundToIntegral(roundingOf(f, control));
    f.flags &= (control & 8) != 0 ? ~SoftFloat.PRECISION : -1;
    return f.r.toSingle();
  }

  static void roundsd(Cpu c, Insn i) {
    SseOperands.check(c);
    long b = SseOperands.source64(c, i, 1);
    long v = round64(begin(c), b, (int) i.imm);
    SseArithmetic.finish(c);
    c.xmm[SseOperands.register(i, 0)] = v;
  }

  static void roundss(Cpu c, Insn i) {
    SseOperands.check(c);
    int b = SseOperands.source32(c, i, 1);
    int v = round32(begin(c), b, (int) i.imm);
    SseArithmetic.finish(c);
    int d = SseOperands.register(i, 0);
    c.xmm[d] = c.xmm[d] & ~LOW | v & LOW;
  }

  static void roundpd(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    SoftFloat f = begin(c);
    long low = round64(f, c.xmm[s], (int) i.imm);
    long high = round64(f, c.xmm[s + 1], (int) i.imm);
    SseArithmetic.finish(c);
    SseOperands.set(c, SseOperands.register(i, 0), low, high);
  }

  static void roundps(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    SoftFloat f = begin(c);
    long low = roundPair(f, c.xmm[s], (int) i.imm);
    long high = roundPair(f, c.xmm[s + 1], (int) i.imm);
    SseArithmetic.finish(c);
    SseOperands.set(c, SseOperands.register(i, 0), low, high);
  }

  private static long roundPair(SoftFloat f, long v, int control) {
    int low = round32(f, (int) v, control);
    return pair(low, round32(f, (int) (v >> 32), control));
  }
}
