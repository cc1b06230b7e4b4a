package org.pluribus.vmm.emulator;

/**
 * IEEE 754 arithmetic in integers, with all rounding modes and exceptions, for every format of the
 * CPU. SSE takes it when a shortcut through Java's own arithmetic does not tell all; x87 always.
 *
 * <p>An operation takes apart its operands ({@link FloatValue}), computes a result exact to 128
 * bits with a sticky last one, and rounds it once. Exceptions collect in {@link #flags}. One per
 * CPU; vCPU thread only.
 */
final class SoftFloat {
  /** Exceptions, at their places in MXCSR and the x87 status word. */
  static final int INVALID = 1;

  static final int DENORMAL = 2;
  static final int DIVIDE_BY_ZERO = 4;
  static final int OVERFLOW = 8;
  static final int UNDERFLOW = 16;
  static final int PRECISION = 32;

  /** Rounding control as MXCSR and the x87 control word encode it. */
  static final int NEAREST = 0;

  static final int DOWN = 1;
  static final int UP = 2;
  static final int TOWARD_ZERO = 3;

  /**
   * Exponents of results under unmasked overflow and underflow move by this (SDM volume 1, 8.5).
   */
  private static final int EXPONENT_WRAP = 24576;

  /** Exceptions raised since the caller cleared this. */
  int flags;

  /** Exceptions that are masked, at the same places. */
  int masks = 0x3F;

  int rounding;
  boolean flushToZero;
  boolean denormalsAreZero;

  /** Whether the last rounding increased the magnitude (x87's C1). */
  boolean roundedUp;

  final FloatValue a = new FloatValue();
  final FloatValue b = new FloatValue();
  final FloatValue r = new FloatValue();

  // ---- arithmetic: r = a op b; the operands are not NaNs ----

  private void noteDenormals() {
    if (a.denormal || b.denormal) {
      flags |= DENORMAL;
    }
  }

  private void invalid() {
    flags |= INVALID;
    r.setDefaultNan();
  }

  /** r = a + b. */
  void add() {
    addSigned(b.negative);
  }

  /** r = a - b. */
  void subtract() {
    addSigned(!b.negative);
  }

  private void addSigned(boolean bNegative) {
    if (a.kind == FloatValue.INFINITE || b.kind == FloatValue.INFINITE) {
      if (a.kind == b.kind && a.negative != bNegative) {
        invalid();
        return;
      }
      r.setInfinite(a.kind == FloatValue.INFINITE ? a.negative : bNegative);
    } else if (a.kind == FloatValue.ZERO && b.kind == FloatValue.ZERO) {
      r.setZero(a.negative == bNegative ? a.negative : rounding == DOWN);
    } else if (a.kind == FloatValue.ZERO) {
      r.setNormal(bNegative, b.exponent, b.significand);
    } else if (b.kind == FloatValue.ZERO) {
      r.setNormal(a.negative, a.exponent, a.significand);
    } else {
      addNormal(bNegative);
    }
    noteDenormals();
  }

  private void addNormal(boolean bNegative) {
    FloatValue big = a;
    FloatValue small = b;
    boolean bigNegative = a.negative;
    if (a.exponent < b.exponent
        || (a.exponent == b.exponent && Long.compareUnsigned(a.significand, b.significand) < 0)) {
      big = b;
      small = a;
      bigNegative = bNegative;
    }
    r.setNormal(false, big.exponent, small.significand);
    r.exponent = big.exponent;
    shiftRight(big.exponent - small.exponent);
    r.negative = bigNegative;
    if (a.negative == bNegative) {
      long sum = big.significand + r.significand;
      boolean carry = Long.compareUnsigned(sum, r.significand) < 0;
      r.significand = sum;
      if (carry) {
        shiftRight(1);
        r.significand |= FloatValue.INTEGER_BIT;
        r.exponent++;
      }
    } else {
      r.significand = big.significand - r.significand - (r.low != 0 ? 1 : 0);
      r.low = -r.low;
      normalize();
    }
  }

  /** Shifts r's 128 bits left until the top bit is set; r becomes zero if there is none. */
  private void normalize() {
    if (r.significand == 0 && r.low == 0) {
      r.setZero(rounding == DOWN);
      return;
    }
    if (r.significand == 0) {
      r.significand = r.low;
      r.low = 0;
      r.exponent -= 64;
    }
    int shift = Long.numberOfLeadingZeros(r.significand);
    if (shift != 0) {
      r.significand = r.significand << shift | r.low >>> 64 - shift;
      r.low <<= shift;
      r.exponent -= shift;
    }
  }

  /** Shifts r's 128 bits right; what falls off makes the last bit stick. */
  private void shiftRight(int n) {
    long sig = r.significand;
    long low = r.low;
    if (n <= 0) {
      return;
    }
    if (n < 64) {
      r.significand = sig >>> n;
      r.low = low >>> n | sig << 64 - n | (low << 64 - n != 0 ? 1 : 0);
    } else {
      r.significand = 0;
      boolean lost = low != 0;
      if (n == 64) {
        r.low = sig | (lost ? 1 : 0);
      } else if (n < 128) {
        r.low = sig >>> n - 64 | (lost || sig << 128 - n != 0 ? 1 : 0);
      } else {
        r.low = (sig | low) != 0 ? 1 : 0;
      }
    }
  }

  /** r = a * b. */
  void multiply() {
    boolean negative = a.negative != b.negative;
    if (a.kind == FloatValue.INFINITE || b.kind == FloatValue.INFINITE) {
      if (a.kind == FloatValue.ZERO || b.kind == FloatValue.ZERO) {
        invalid();
        return;
      }
      r.setInfinite(negative);
    } else if (a.kind == FloatValue.ZERO || b.kind == FloatValue.ZERO) {
      r.setZero(negative);
    } else {
      r.setZero(negative);
      r.kind = FloatValue.NORMAL;
      r.exponent = a.exponent + b.exponent + 1;
      r.significand = Math.unsignedMultiplyHigh(a.significand, b.significand);
      r.low = a.significand * b.significand;
      normalize();
    }
    noteDenormals();
  }

  /** r = a / b. */
  void divide() {
    boolean negative = a.negative != b.negative;
    if (a.kind == b.kind && a.kind != FloatValue.NORMAL) {
      invalid(); // 0/0 and infinity/infinity
      return;
    }
    if (b.kind == FloatValue.ZERO) {
      if (a.kind == FloatValue.NORMAL) {
        flags |= DIVIDE_BY_ZERO;
      }
      r.setInfinite(negative);
      return;
    }
    if (a.kind == FloatValue.INFINITE) {
      r.setInfinite(negative);
    } else if (a.kind == FloatValue.ZERO || b.kind == FloatValue.INFINITE) {
      r.setZero(negative);
    } else {
      divideNormal(negative);
    }
    noteDenormals();
  }

  private void divideNormal(boolean negative) {
    boolean less = Long.compareUnsigned(a.significand, b.significand) < 0;
    long high = less ? a.significand : a.significand >>> 1;
    long low = less ? 0 : a.significand << 63;
    int exponent = a.exponent - b.exponent - (less ? 1 : 0);
    long divisor = b.significand;
    long q = divide128(high, low, divisor);
    long rest = low - q * divisor;
    r.setNormal(negative, exponent, q);
    if (rest != 0) {
      // The next bit of the quotient, and whether anything follows.
      boolean half = rest < 0 || Long.compareUnsigned(rest << 1, divisor) >= 0;
      boolean exactHalf = rest << 1 == divisor && rest >= 0;
      r.low = half ? FloatValue.INTEGER_BIT | (exactHalf ? 0 : 1) : 1;
    }
  }

  /**
   * Quotient of the unsigned 128-bit number {@code high:low} by a divisor whose top bit is set,
   * with {@code high < divisor}: two steps of schoolbook division by 32-bit digits (Knuth, volume
   * 2, algorithm D).
   */
  static long divide128(long high, long low, long divisor) {
    long d1 = divisor >>> 32;
    long d0 = divisor & 0xFFFFFFFFL;
    long q1 = digit(high, low >>> 32, d1, d0);
    long rest = (high << 32 | low >>> 32) - q1 * divisor;
    long q0 = digit(rest, low & 0xFFFFFFFFL, d1, d0);
    return q1 << 32 | q0;
  }

  /** One 32-bit quotient digit of {@code (high * 2^32 + next) / (d1 * 2^32 + d0)}. */
  private static long digit(long high, long next, long d1, long d0) {
    long q = Long.divideUnsigned(high, d1);
    long rest = high - q * d1;
    while (q >>> 32 != 0 || Long.compareUnsigned(q * d0, rest << 32 | next) > 0) {
      q--;
      rest += d1;
      if (rest >>> 32 != 0) {
        break;
      }
    }
    return q;
  }

  /** r = square root of a. */
  void squareRoot() {
    if (a.kind == FloatValue.ZERO) {
      r.setZero(a.negative);
      return;
    }
    if (a.negative) {
      invalid();
      return;
    }
    if (a.kind == FloatValue.INFINITE) {
      r.setInfinite(false);
      return;
    }
    if (a.denormal) {
      flags |= DENORMAL;
    }
    boolean odd = (a.exponent & 1) != 0;
    // N = high:low in [2^126, 2^128), its root in [2^63, 2^64).
    long high = odd ? a.significand : a.significand >>> 1;
    long low = odd ? 0 : a.significand << 63;
    long root = root128(high, low);
    long restHigh = high - Math.unsignedMultiplyHigh(root, root);
    long square = root * root;
    long rest = low - square;
    restHigh -= Long.compareUnsigned(low, square) < 0 ? 1 : 0;
    r.setNormal(false, a.exponent >> 1, root);
    if (restHigh != 0 || Long.compareUnsigned(rest, root) > 0) {
      r.low = FloatValue.INTEGER_BIT | 1; // 4 rest is never 4 root + 1: no exact half
    } else {
      r.low = rest != 0 ? 1 : 0;
    }
  }

  /** Whole root of an unsigned 128-bit number of at least 2^126: an estimate and a Newton step. */
  private static long root128(long high, long low) {
    if (high == -1L) {
      return -1L;
    }
    double estimate = Math.sqrt((double) (high >>> 1) * 2.0) * 0x1p31; // half the root, to 2^10
    long half = (long) estimate + (1 << 13); // never below half the root
    long x = half < 0 ? -1L : half << 1;
    long q = divide128(high, low, x);
    long root = (x >>> 1) + (q >>> 1) + (x & q & 1);
    while (squareExceeds(root, high, low)) {
      root--;
    }
    return root;
  }

  private static boolean squareExceeds(long root, long high, long low) {
    long h = Math.unsignedMultiplyHigh(root, root);
    int order = Long.compareUnsigned(h, high);
    return order > 0 || (order == 0 && Long.compareUnsigned(root * root, low) > 0);
  }

  // ---- rounding r to a format ----

  void roundSingle() {
    round(24, -126, 127);
  }

  void roundDouble() {
    round(53, -1022, 1023);
  }

  /** Rounds to the extended format's range with {@code precision} significand bits. */
  void roundExtended(int precision) {
    round(precision, 1 - FloatValue.EXTENDED_BIAS, FloatValue.EXTENDED_BIAS);
  }

  private void round(int precision, int minimum, int maximum) {
    roundedUp = false;
    if (r.kind != FloatValue.NORMAL) {
      return;
    }
    long unrounded = r.significand;
    long unroundedLow = r.low;
    int exponent = r.exponent;
    boolean inexact = roundSignificand(precision);
    if (r.exponent > maximum) {
      overflow(precision, maximum, inexact);
    } else if (r.exponent >= minimum) {
      flags |= inexact ? PRECISION : 0;
    } else if ((masks & UNDERFLOW) == 0) {
      flags |= UNDERFLOW | (inexact ? PRECISION : 0);
      r.exponent += EXPONENT_WRAP;
      if (r.exponent < minimum) {
        r.setZero(r.negative);
        flags |= PRECISION;
        roundedUp = false;
      }
    } else if (flushToZero) {
      flags |= UNDERFLOW | PRECISION;
      r.setZero(r.negative);
    } else {
      r.significand = unrounded;
      r.low = unroundedLow;
      r.exponent = minimum;
      shiftRight(minimum - exponent);
      if (roundSignificand(precision)) {
        flags |= UNDERFLOW | PRECISION;
      }
      if (r.significand == 0) {
        r.setZero(r.negative);
      }
    }
  }

  private void overflow(int precision, int maximum, boolean inexact) {
    flags |= OVERFLOW;
    if ((masks & OVERFLOW) == 0) {
      flags |= inexact ? PRECISION : 0;
      r.exponent -= EXPONENT_WRAP;
      if (r.exponent > maximum) {
        r.setInfinite(r.negative); // FSCALE went further than the wrap reaches
        flags |= PRECISION;
        roundedUp = true;
      }
      return;
    }
    flags |= PRECISION;
    roundedUp = rounding == NEAREST || rounding == (r.negative ? DOWN : UP);
    if (roundedUp) {
      r.setInfinite(r.negative);
    } else {
      r.exponent = maximum;
      r.significand = -1L << 64 - precision;
    }
  }

  /** Cuts r's significand to {@code precision} bits; whether that lost anything. */
  private boolean roundSignificand(int precision) {
    long rest = precision == 64 ? r.low : r.significand << precision | (r.low != 0 ? 1 : 0);
    long unit = 1L << 64 - precision;
    r.low = 0;
    r.significand &= -unit;
    roundedUp = roundsUp(rest, (r.significand & unit) != 0, r.negative, rounding);
    if (roundedUp) {
      r.significand += unit;
      if (r.significand == 0) {
        r.significand = FloatValue.INTEGER_BIT;
        r.exponent++;
      }
    }
    return rest != 0;
  }

  /** Whether a magnitude with {@code rest} (in units of 2^-64) behind its last bit grows by one. */
  private static boolean roundsUp(long rest, boolean odd, boolean negative, int mode) {
    if (rest == 0) {
      return false;
    }
    return switch (mode) {
      case NEAREST -> rest < 0 && (odd || rest != FloatValue.INTEGER_BIT);
      case DOWN -> negative;
      case UP -> !negative;
      default -> false;
    };
  }

  // ---- integers ----

  /**
   * Rounds a to an integer of {@code bits} bits; out of range or NaN is invalid and gives the
   * integer indefinite (the most negative one). Sign-extended.
   */
  long toInteger(int bits, int mode) {
    roundedUp = false;
    long indefinite = Long.MIN_VALUE >> 64 - bits;
    if (a.kind == FloatValue.ZERO) {
      return 0;
    }
    if (a.kind != FloatValue.NORMAL || a.exponent > 63) {
      flags |= INVALID;
      return indefinite;
    }
    copyIntegral(mode);
    long magnitude = r.significand;
    boolean tooLarge =
        r.kind == FloatValue.INFINITE
            || Long.compareUnsigned(magnitude, (r.negative ? 0 : -1) - indefinite) > 0;
    if (tooLarge) {
      flags |= INVALID;
      roundedUp = false;
      return indefinite;
    }
    flags |= r.low != 0 ? PRECISION : 0;
    return r.negative ? -magnitude : magnitude;
  }

  /**
   * r.significand = |a| rounded to an integer, r.low != 0 if inexact; r.kind is infinite if that
   * takes more than 64 bits.
   */
  private void copyIntegral(int mode) {
    r.copy(a);
    shiftRight(63 - a.exponent);
    roundedUp = roundsUp(r.low, (r.significand & 1) != 0, r.negative, mode);
    if (roundedUp && ++r.significand == 0) {
      r.kind = FloatValue.INFINITE;
    }
  }

  /** r = a rounded to an integral value; a is not a NaN. */
  void roundToIntegral(int mode) {
    roundedUp = false;
    if (a.kind != FloatValue.NORMAL || a.exponent >= 63) {
      r.copy(a);
      return;
    }
    copyIntegral(mode);
    flags |= r.low != 0 ? PRECISION : 0;
    boolean negative = a.negative;
    if (r.significand == 0) {
      r.setZero(negative);
    } else {
      r.setNormal(negative, 63, r.significand);
    }
  }
}
