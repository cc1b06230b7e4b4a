package org.pluribus.vmm.emulator;

import java.math.BigInteger;

/**
 * The x87's transcendental instructions. Results are rounded from far more bits than they keep
 * ({@link FixedPointMath}), so they are right to half a unit in the last place; processors promise
 * one (SDM volume 1, section 8.3.10). Angles are reduced by the 66-bit pi that processors take.
 */
final class X87Functions {
  /**
   * Below this exponent sine and tangent are the argument, and cosine one, but for the last bit.
   */
  private static final int TINY_ANGLE = -34;

  /** Below this exponent logarithm, power and arc tangent are linear to more bits than we keep. */
  private static final int LINEAR = -80;

  private static final int FRACTION = FixedPointMath.FRACTION;

  private static final BigInteger MASK_128 = BigInteger.ONE.shiftLeft(128).subtract(BigInteger.ONE);

  private X87Functions() {}

  // ---- between fixed and floating point ----

  private static BigInteger unsigned(long v) {
    BigInteger b = BigInteger.valueOf(v & Long.MAX_VALUE);
    return v < 0 ? b.setBit(63) : b;
  }

  /** |v| with {@link #FRACTION} fraction bits; v's exponent is {@link #LINEAR} or more. */
  private static BigInteger fixed(FloatValue v) {
    return unsigned(v.significand).shiftLeft(FRACTION - 63 + v.exponent);
  }

  /** r = v / 2^fraction; when {@code inexact} something follows the last bit. */
  private static void set(FloatValue r, BigInteger v, int fraction, boolean inexact) {
    if (v.signum() == 0) {
      r.setZero(false);
      return;
    }
    BigInteger magnitude = v.abs();
    int bits = magnitude.bitLength();
    BigInteger top =
        bits > 128 ? magnitude.shiftRight(bits - 128) : magnitude.shiftLeft(128 - bits);
    boolean lost = bits > 128 && magnitude.getLowestSetBit() < bits - 128;
    BigInteger kept = top.and(MASK_128);
    r.setNormal(v.signum() < 0, bits - 1 - fraction, kept.shiftRight(64).longValue());
    r.low = kept.longValue() | (lost || inexact ? 1 : 0);
  }

  /** Moves r's magnitude down by less than any bit it holds. */
  private static void justBelow(FloatValue r) {
    if (r.low == 0) {
      r.significand--;
      if (r.significand >= 0) { // it was a power of two
        r.significand = -1L;
        r.exponent--;
      }
    }
    r.low = r.low - 1 | 1;
  }

  private static void round(Cpu c) {
    c.soft.roundExtended(64);
  }

  // ---- sine, cosine, tangent ----

  private static final int SINE = 0;
  private static final int COSINE = 1;
  private static final int TANGENT = 2;

  static void fsin(Cpu c, Insn i) {
    single(c, i, SINE);
  }

  static void fcos(Cpu c, Insn i) {
    single(c, i, COSINE);
  }

  private static void single(Cpu c, Insn i, int function) {
    if (!beginAngle(c, i, false)) {
      return;
    }
    SoftFloat f = c.soft;
    angle(c, function);
    if (X87.settle(c)) {
      X87.store(c, 0, f.r);
    }
  }

  /** FSINCOS: the sine replaces ST0, the cosine is pushed. */
  static void fsincos(Cpu c, Insn i) {
    pair(c, i, SINE);
  }

  /** FPTAN: the tangent replaces ST0, 1 is pushed (a NaN for a NaN). */
  static void fptan(Cpu c, Insn i) {
    pair(c, i, TANGENT);
  }

  private static void pair(Cpu c, Insn i, int function) {
    if (!beginAngle(c, i, true)) {
      return;
    }
    SoftFloat f = c.soft;
    if (function == TANGENT) {
      angle(c, TANGENT);
      f.b.copy(f.r);
      if (!f.r.isNan()) {
        f.r.setLong(1);
      }
    } else {
      angle(c, SINE);
      f.b.copy(f.r);
      boolean sineRoundedUp = f.roundedUp;
      angle(c, COSINE);
      f.roundedUp = sineRoundedUp; // C1 tells of the sine
    }
    if (X87.settle(c)) {
      X87.store(c, 0, f.b);
      X87.push(c);
      X87.store(c, 0, f.r);
    }
  }

  /** Whether there is an angle within range; C2 tells when it is out of range. */
  private static boolean beginAngle(Cpu c, Insn i, boolean pushes) {
    FpuState.checkWaiting(c);
    SoftFloat f = X87.begin(c, i);
    boolean underflow = X87.empty(c, 0);
    if (underflow || (pushes && !X87.empty(c, 7))) {
      boolean masked = underflow ? X87.stackUnderflow(c) : X87.stackOverflow(c);
      c.fpStatus &= ~X87.C2;
      if (masked) {
        X87.storeIndefinite(c, 0);
        if (pushes) {
          X87.push(c);
          X87.storeIndefinite(c, 0);
        }
      }
      return false;
    }
    X87.load(c, 0, f.a);
    boolean outOfRange = f.a.kind == FloatValue.NORMAL && f.a.exponent >= 63;
    c.fpStatus = c.fpStatus & ~X87.C2 | (outOfRange ? X87.C2 : 0);
    if (outOfRange) {
      c.fpStatus &= ~X87.C1;
    }
    return !outOfRange;
  }

  /** r = function of a, rounded. */
  private static void angle(Cpu c, int function) {
    SoftFloat f = c.soft;
    FloatValue a = f.a;
    if (a.isNan()) {
      nan(f);
      return;
    }
    if (a.kind == FloatValue.INFINITE) {
      f.flags |= SoftFloat.INVALID;
      f.r.setDefaultNan();
      return;
    }
    f.flags |= a.denormal ? SoftFloat.DENORMAL : 0;
    if (a.kind == FloatValue.ZERO) {
      exactAtZero(f, function);
      return;
    }
    if (a.exponent < TINY_ANGLE) {
      tinyAngle(f, function);
    } else {
      FixedPointMath.SineCosine both = FixedPointMath.sineCosine(fixed(a));
      BigInteger v =
          switch (function) {
            case SINE -> both.sine();
            case COSINE -> both.cosine();
            default -> FixedPointMath.divide(both.sine(), both.cosine());
          };
      set(f.r, v, FRACTION, true);
      f.r.negative ^= a.negative && function != COSINE;
    }
    round(c);
  }

  private static void nan(SoftFloat f) {
    FloatValue a = f.a;
    if (a.kind != FloatValue.QUIET_NAN) {
      f.flags |= SoftFloat.INVALID;
    }
    if (a.kind == FloatValue.UNSUPPORTED) {
      f.r.setDefaultNan();
    } else {
      f.r.copy(a);
      f.r.kind = FloatValue.QUIET_NAN;
    }
  }

  private static void exactAtZero(SoftFloat f, int function) {
    if (function == COSINE) {
      f.r.setLong(1);
    } else {
      f.r.setZero(f.a.negative);
    }
  }

  private static void tinyAngle(SoftFloat f, int function) {
    if (function == COSINE) {
      f.r.setLong(1);
      justBelow(f.r);
      return;
    }
    f.r.copy(f.a);
    f.r.denormal = false;
    if (function == SINE) {
      justBelow(f.r);
    } else {
      f.r.low = 1;
    }
  }

  // ---- 2^x - 1 ----

  static void f2xm1(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    SoftFloat f = X87.begin(c, i);
    if (X87.empty(c, 0)) {
      if (X87.stackUnderflow(c)) {
        X87.storeIndefinite(c, 0);
      }
      return;
    }
    X87.load(c, 0, f.a);
    if (f.a.isNan()) {
      nan(f);
    } else {
      f.flags |= f.a.denormal ? SoftFloat.DENORMAL : 0;
      powerMinusOne(f);
      round(c);
    }
    if (X87.settle(c)) {
      X87.store(c, 0, f.r);
    }
  }

  /** Defined from -1 to 1; beyond, the argument comes back (an infinite one as its limit). */
  private static void powerMinusOne(SoftFloat f) {
    FloatValue a = f.a;
    boolean one = a.kind == FloatValue.NORMAL && a.exponent == 0 && a.significand << 1 == 0;
    if (a.kind == FloatValue.INFINITE && a.negative) {
      f.r.setLong(-1);
    } else if (one) {
      f.flags |= SoftFloat.PRECISION; // though exact, as processors do
      f.r.setNormal(a.negative, a.negative ? -1 : 0, FloatValue.INTEGER_BIT);
    } else if (a.kind != FloatValue.NORMAL || a.exponent >= 0) {
      f.flags |= a.kind == FloatValue.NORMAL ? SoftFloat.PRECISION : 0;
      f.r.copy(a);
    } else if (a.exponent < LINEAR) {
      BigInteger v = unsigned(a.significand).multiply(FixedPointMath.LN2);
      set(f.r, a.negative ? v.negate() : v, FRACTION + 63 - a.exponent, true);
    } else {
      BigInteger t = FixedPointMath.multiply(fixed(a), FixedPointMath.LN2);
      set(f.r, FixedPointMath.exponentialMinusOne(a.negative ? t.negate() : t), FRACTION, true);
    }
  }

  // ---- y log2 x and y log2 (x + 1): ST0 is x, ST1 is y and becomes the result ----

  static void fyl2x(Cpu c, Insn i) {
    logarithm(c, i, false);
  }

  static void fyl2xp1(Cpu c, Insn i) {
    logarithm(c, i, true);
  }

  private static void logarithm(Cpu c, Insn i, boolean plusOne) {
    if (!beginPair(c, i)) {
      return;
    }
    SoftFloat f = c.soft;
    if (!X87.nanResult(f)) {
      if (plusOne) {
        logarithmPlusOne(f);
      } else {
        logarithm(f);
      }
      round(c);
    }
    finishPair(c);
  }

  /** As {@link X87Remainder#beginBinary}, for instructions that pop: ST1 gets the indefinite. */
  private static boolean beginPair(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    SoftFloat f = X87.begin(c, i);
    if (X87.empty(c, 0) || X87.empty(c, 1)) {
      if (X87.stackUnderflow(c)) {
        X87.storeIndefinite(c, 1);
        X87.pop(c);
      }
      return false;
    }
    X87.load(c, 0, f.a);
    X87.load(c, 1, f.b);
    return true;
  }

  private static void finishPair(Cpu c) {
    if (X87.settle(c)) {
      X87.store(c, 1, c.soft.r);
      X87.pop(c);
    }
  }

  private static void invalid(SoftFloat f) {
    f.flags |= SoftFloat.INVALID;
    f.r.setDefaultNan();
  }

  private static void noteDenormals(SoftFloat f) {
    f.flags |= f.a.denormal || f.b.denormal ? SoftFloat.DENORMAL : 0;
  }

  private static void logarithm(SoftFloat f) {
    FloatValue x = f.a;
    FloatValue y = f.b;
    if (x.kind == FloatValue.ZERO) {
      if (y.kind == FloatValue.ZERO) {
        invalid(f);
      } else {
        f.flags |= y.kind == FloatValue.NORMAL ? SoftFloat.DIVIDE_BY_ZERO : 0;
        f.r.setInfinite(!y.negative);
      }
      return;
    }
    boolean isOne = x.kind == FloatValue.NORMAL && x.exponent == 0 && x.significand << 1 == 0;
    if (x.negative
        || (x.kind == FloatValue.INFINITE && y.kind == FloatValue.ZERO)
        || (isOne && y.kind == FloatValue.INFINITE)) {
      invalid(f);
      return;
    }
    noteDenormals(f);
    boolean negativeLog = x.kind == FloatValue.NORMAL && x.exponent < 0;
    if (x.kind == FloatValue.INFINITE || y.kind == FloatValue.INFINITE) {
      f.r.setInfinite(y.negative ^ negativeLog);
    } else if (y.kind == FloatValue.ZERO || isOne) {
      f.r.setZero(y.negative ^ negativeLog);
    } else {
      f.flags |= SoftFloat.PRECISION; // even for powers of two, as processors do
      boolean exact = x.significand << 1 == 0;
      multiplyByY(f, log2(unsigned(x.significand), x.exponent), FRACTION, !exact);
    }
  }

  /** log2 of {@code significand / 2^63 * 2^exponent}, the significand's top bit set. */
  private static BigInteger log2(BigInteger significand, int exponent) {
    BigInteger m = significand.shiftLeft(FRACTION - 63);
    int e = exponent;
    if (significand.testBit(62)) { // above 1.5: closer to 2
      m = m.shiftRight(1);
      e++;
    }
    BigInteger fraction = FixedPointMath.divide(FixedPointMath.logarithm(m), FixedPointMath.LN2);
    return BigInteger.valueOf(e).shiftLeft(FRACTION).add(fraction);
  }

  /** r = b * log / 2^fraction. */
  private static void multiplyByY(SoftFloat f, BigInteger log, int fraction, boolean inexact) {
    FloatValue y = f.b;
    BigInteger product = log.multiply(unsigned(y.significand));
    set(f.r, y.negative ? product.negate() : product, fraction + 63 - y.exponent, inexact);
  }

  private static void logarithmPlusOne(SoftFloat f) {
    FloatValue x = f.a;
    FloatValue y = f.b;
    boolean infinite = x.kind == FloatValue.INFINITE;
    if ((infinite && x.negative)
        || (infinite && y.kind == FloatValue.ZERO)
        || (x.kind == FloatValue.ZERO && y.kind == FloatValue.INFINITE)) {
      invalid(f);
      return;
    }
    noteDenormals(f);
    boolean negative = x.negative ^ y.negative;
    if (x.kind == FloatValue.INFINITE || y.kind == FloatValue.INFINITE) {
      f.r.setInfinite(negative);
    } else if (x.kind == FloatValue.ZERO || y.kind == FloatValue.ZERO) {
      f.r.setZero(negative);
    } else if (x.negative && x.exponent >= 0) {
      // Below -1 nothing is defined; processors give x.
      f.flags |= SoftFloat.PRECISION;
      f.r.copy(x);
    } else if (x.exponent < LINEAR) {
      BigInteger log = unsigned(x.significand).shiftLeft(2 * FRACTION).divide(FixedPointMath.LN2);
      multiplyByY(f, x.negative ? log.negate() : log, FRACTION + 63 - x.exponent, true);
    } else {
      BigInteger m = fixed(x);
      m = FixedPointMath.ONE.add(x.negative ? m.negate() : m);
      int e = m.bitLength() - 1 - FRACTION;
      // Between 1/2 and 2 the logarithm takes m as it is and loses nothing near 1.
      int shift = e < -1 || e > 0 ? e : 0;
      BigInteger scaled = shift >= 0 ? m.shiftRight(shift) : m.shiftLeft(-shift);
      BigInteger log = FixedPointMath.divide(FixedPointMath.logarithm(scaled), FixedPointMath.LN2);
      log = log.add(BigInteger.valueOf(shift).shiftLeft(FRACTION));
      multiplyByY(f, log, FRACTION, true);
    }
  }

  // ---- arc tangent of ST1 / ST0, over the whole circle ----

  static void fpatan(Cpu c, Insn i) {
    if (!beginPair(c, i)) {
      return;
    }
    SoftFloat f = c.soft;
    if (!X87.nanResult(f)) {
      noteDenormals(f);
      arcTangent(f);
      round(c);
    }
    finishPair(c);
  }

  private static void arcTangent(SoftFloat f) {
    FloatValue x = f.a;
    FloatValue y = f.b;
    boolean negative = y.negative;
    boolean xInfinite = x.kind == FloatValue.INFINITE;
    if (y.kind == FloatValue.INFINITE) {
      BigInteger v = FixedPointMath.HALF_PI;
      if (xInfinite) {
        BigInteger quarter = v.shiftRight(1);
        v = x.negative ? v.add(quarter) : quarter;
      }
      set(f.r, v, FRACTION, true);
    } else if (y.kind == FloatValue.ZERO || xInfinite) {
      if (x.negative) {
        set(f.r, FixedPointMath.PI, FRACTION, true);
      } else {
        f.r.setZero(false);
      }
    } else if (x.kind == FloatValue.ZERO) {
      set(f.r, FixedPointMath.HALF_PI, FRACTION, true);
    } else {
      finiteArcTangent(f);
    }
    f.r.negative = negative;
  }

  private static void finiteArcTangent(SoftFloat f) {
    FloatValue x = f.a;
    FloatValue y = f.b;
    int difference = y.exponent - x.exponent;
    if (difference < LINEAR && !x.negative) {
      quotientJustBelow(f);
      return;
    }
    BigInteger angle;
    if (difference < LINEAR) {
      angle = BigInteger.ONE;
    } else if (difference > -LINEAR) {
      angle = FixedPointMath.HALF_PI.subtract(BigInteger.ONE);
    } else {
      angle = angleOf(y, x, difference);
    }
    set(f.r, x.negative ? FixedPointMath.PI.subtract(angle) : angle, FRACTION, true);
  }

  private static BigInteger angleOf(FloatValue y, FloatValue x, int difference) {
    BigInteger sy = unsigned(y.significand);
    BigInteger sx = unsigned(x.significand);
    boolean steep = difference > 0 || (difference == 0 && sy.compareTo(sx) > 0);
    BigInteger ratio =
        steep
            ? sx.shiftLeft(FRACTION - difference).divide(sy)
            : sy.shiftLeft(FRACTION + difference).divide(sx);
    BigInteger angle = FixedPointMath.arcTangent(ratio);
    return steep ? FixedPointMath.HALF_PI.subtract(angle) : angle;
  }

  /** r = b / a, a little less. */
  private static void quotientJustBelow(SoftFloat f) {
    BigInteger q = unsigned(f.b.significand).shiftLeft(FRACTION).divide(unsigned(f.a.significand));
    set(f.r, q, FRACTION + f.a.exponent - f.b.exponent, false);
    justBelow(f.r);
  }
}
