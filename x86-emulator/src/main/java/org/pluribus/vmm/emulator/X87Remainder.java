package org.pluribus.vmm.emulator;

/** x87 instructions that work on exponents: FPREM, FPREM1, FSCALE, FXTRACT. */
final class X87Remainder {
  /** Exponent difference from which FPREM only reduces partially. */
  private static final int PARTIAL_FROM = 64;

  /** FSCALE moves exponents by no more than this: any result is infinite or zero then. */
  private static final int SCALE_LIMIT = 1 << 16;

  private X87Remainder() {}

  /** Loads ST0 and ST1 to a and b; else the response to an empty one is given. */
  static boolean beginBinary(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    SoftFloat f = X87.begin(c, i);
    if (X87.empty(c, 0) || X87.empty(c, 1)) {
      if (X87.stackUnderflow(c)) {
        X87.storeIndefinite(c, 0);
      }
      return false;
    }
    X87.load(c, 0, f.a);
    X87.load(c, 1, f.b);
    return true;
  }

  /** FPREM, and with {@code nearest} FPREM1. */
  static Handler remainder(boolean nearest) {
    return (c, i) -> {
      if (!beginBinary(c, i)) {
        c.fpStatus &= ~X87.C2;
        return;
      }
      SoftFloat f = c.soft;
      int conditions = c.fpStatus & (X87.C0 | X87.C3); // kept when there is no quotient
      if (!X87.nanResult(f)) {
        if (f.a.kind == FloatValue.INFINITE || f.b.kind == FloatValue.ZERO) {
          f.flags |= SoftFloat.INVALID;
          f.r.setDefaultNan();
        } else {
          f.flags |= f.a.denormal || f.b.denormal ? SoftFloat.DENORMAL : 0;
          conditions = reduce(f, nearest);
          f.roundExtended(64); // exact, but a tiny result may raise underflow
        }
      }
      if (X87.settle(c, false)) {
        X87.setConditions(c, conditions);
        X87.store(c, 0, f.r);
      } else {
        c.fpStatus &= ~X87.C2;
      }
    };
  }

  /** r = a rem b; the condition codes: C2 when partial, else the quotient's low bits. */
  private static int reduce(SoftFloat f, boolean nearest) {
    FloatValue a = f.a;
    FloatValue b = f.b;
    f.r.copy(a);
    f.r.denormal = false;
    if (a.kind == FloatValue.ZERO || b.kind == FloatValue.INFINITE) {
      return 0;
    }
    int difference = a.exponent - b.exponent;
    if (difference < (nearest ? -1 : 0)) {
      return 0;
    }
    if (difference >= PARTIAL_FROM) {
      // Reduce by 32 to 63 bits, as processors do (AMD APM volume 5, FPREM).
      int bits = 32 | difference & 31;
      divideBits(f, bits);
      setRemainder(f, b.exponent + difference - bits, a.negative);
      return X87.C2;
    }
    boolean negative = a.negative;
    long quotient = 0;
    if (difference >= 0) {
      quotient = divideBits(f, difference);
      if (nearest && roundsToNext(f.r.significand, b.significand, quotient)) {
        f.r.significand = b.significand - f.r.significand;
        negative = !negative;
        quotient++;
      }
      setRemainder(f, b.exponent, negative);
    } else if (Long.compareUnsigned(a.significand, b.significand) > 0) {
      // a is between b/2 and b: the nearest quotient is 1.
      setDifference(f, negative);
      quotient = 1;
    }
    return quotientBits(quotient);
  }

  /** r = a - b with the exponent of a one below that of b, and |a| < |b|. */
  private static void setDifference(SoftFloat f, boolean negative) {
    long a = f.a.significand;
    long b = f.b.significand;
    // 2b - a in units of a's exponent; below 2^64 because a > b as significands.
    long rest = b - a + b;
    f.r.setNormal(!negative, f.a.exponent, rest);
  }

  private static int quotientBits(long q) {
    return ((q & 1) != 0 ? X87.C1 : 0) | ((q & 2) != 0 ? X87.C3 : 0) | ((q & 4) != 0 ? X87.C0 : 0);
  }

  /** Long division of the significands, {@code bits} + 1 quotient bits; r.significand = rest. */
  private static long divideBits(SoftFloat f, int bits) {
    long divisor = f.b.significand;
    long rest = f.a.significand;
    long quotient = 0;
    boolean carry = false;
    for (int k = bits; ; k--) {
      quotient <<= 1;
      if (carry || Long.compareUnsigned(rest, divisor) >= 0) {
        rest -= divisor;
        quotient |= 1;
      }
      if (k == 0) {
        f.r.significand = rest;
        return quotient;
      }
      carry = rest < 0;
      rest <<= 1;
    }
  }

  private static boolean roundsToNext(long rest, long divisor, long quotient) {
    if (rest < 0) {
      return true; // twice the rest exceeds 64 bits
    }
    int order = Long.compareUnsigned(rest << 1, divisor);
    return order > 0 || (order == 0 && (quotient & 1) != 0);
  }

  private static void setRemainder(SoftFloat f, int exponent, boolean negative) {
    if (f.r.significand == 0) {
      f.r.setZero(f.a.negative);
    } else {
      f.r.setNormal(negative, exponent, f.r.significand);
    }
  }

  static void fscale(Cpu c, Insn i) {
    if (!beginBinary(c, i)) {
      return;
    }
    SoftFloat f = c.soft;
    if (!X87.nanResult(f)) {
      scale(f);
      f.roundExtended(64);
    }
    if (X87.settle(c)) {
      X87.store(c, 0, f.r);
    }
  }

  private static void scale(SoftFloat f) {
    FloatValue a = f.a;
    FloatValue b = f.b;
    if (b.kind == FloatValue.INFINITE) {
      scaleByInfinity(f);
      return;
    }
    f.flags |= a.denormal || b.denormal ? SoftFloat.DENORMAL : 0;
    f.r.copy(a);
    f.r.denormal = false;
    if (a.kind == FloatValue.NORMAL && b.kind == FloatValue.NORMAL && b.exponent >= 0) {
      int n = b.exponent > 16 ? SCALE_LIMIT : (int) (b.significand >>> 63 - b.exponent);
      f.r.exponent += b.negative ? -n : n;
    }
  }

  private static void scaleByInfinity(SoftFloat f) {
    boolean up = !f.b.negative;
    if (f.a.kind == (up ? FloatValue.ZERO : FloatValue.INFINITE)) {
      f.flags |= SoftFloat.INVALID;
      f.r.setDefaultNan();
      return;
    }
    f.flags |= f.a.denormal ? SoftFloat.DENORMAL : 0;
    if (up) {
      f.r.setInfinite(f.a.negative);
    } else {
      f.r.setZero(f.a.negative);
    }
  }

  /** ST0 becomes its exponent, then its significand is pushed. */
  static void fxtract(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    SoftFloat f = X87.begin(c, i);
    boolean underflow = X87.empty(c, 0);
    if (underflow || !X87.empty(c, 7)) {
      if (underflow ? X87.stackUnderflow(c) : X87.stackOverflow(c)) {
        X87.storeIndefinite(c, 0);
        X87.push(c);
        X87.storeIndefinite(c, 0);
      }
      return;
    }
    X87.load(c, 0, f.a);
    if (X87.nanResultOfA(f)) {
      f.a.copy(f.r);
    } else {
      extract(f);
    }
    if (X87.settle(c, false)) {
      X87.store(c, 0, f.r);
      X87.push(c);
      X87.store(c, 0, f.a);
    }
  }

  /** r = exponent of a, a = significand of a. */
  private static void extract(SoftFloat f) {
    switch (f.a.kind) {
      case FloatValue.ZERO -> {
        f.flags |= SoftFloat.DIVIDE_BY_ZERO;
        f.r.setInfinite(true);
      }
      case FloatValue.INFINITE -> f.r.setInfinite(false);
      default -> {
        f.flags |= f.a.denormal ? SoftFloat.DENORMAL : 0;
        f.r.setLong(f.a.exponent);
        f.a.exponent = 0;
      }
    }
  }
}
