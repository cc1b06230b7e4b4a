package org.pluribus.vmm.emulator;

import java.math.BigInteger;

/**
 * Elementary functions in fixed point with {@link #FRACTION} fraction bits, for the x87's
 * transcendental instructions. Series with some 190 good bits: rounded to 64 they are right but for
 * arguments no one will meet. Slow (tens of microseconds) and allocating; guests hardly use these
 * instructions.
 */
final class FixedPointMath {
  static final int FRACTION = 256;

  static final BigInteger ONE = BigInteger.ONE.shiftLeft(FRACTION);
  static final BigInteger LN2 = logarithmOfRatio(BigInteger.ONE, BigInteger.valueOf(3));
  static final BigInteger PI = machinPi();
  static final BigInteger HALF_PI = PI.shiftRight(1);

  /**
   * Half of the 66-bit pi by which the x87 reduces angles (SDM volume 1, section 8.3.8: 0.f times 4
   * with f = C90FDAA2 2168C234 C in hexadecimal).
   */
  private static final BigInteger X87_HALF_PI =
      new BigInteger("C90FDAA22168C234C", 16).shiftLeft(FRACTION - 67);

  private FixedPointMath() {}

  static BigInteger multiply(BigInteger a, BigInteger b) {
    return a.multiply(b).shiftRight(FRACTION);
  }

  static BigInteger divide(BigInteger a, BigInteger b) {
    return a.shiftLeft(FRACTION).divide(b);
  }

  /** pi = 16 atan(1/5) - 4 atan(1/239) (Machin). */
  private static BigInteger machinPi() {
    int guard = 16;
    BigInteger a = inverseArcTangent(5, FRACTION + guard).shiftLeft(4);
    BigInteger b = inverseArcTangent(239, FRACTION + guard).shiftLeft(2);
    return a.subtract(b).shiftRight(guard);
  }

  /** atan(1/n). */
  private static BigInteger inverseArcTangent(int n, int fraction) {
    BigInteger square = BigInteger.valueOf((long) n * n);
    BigInteger power = BigInteger.ONE.shiftLeft(fraction).divide(BigInteger.valueOf(n));
    BigInteger sum = BigInteger.ZERO;
    for (int k = 1; power.signum() != 0; k += 2) {
      BigInteger term = power.divide(BigInteger.valueOf(k));
      sum = (k & 2) == 0 ? sum.add(term) : sum.subtract(term);
      power = power.divide(square);
    }
    return sum;
  }

  /** 2 atanh(p / q) = ln((q + p) / (q - p)). */
  private static BigInteger logarithmOfRatio(BigInteger p, BigInteger q) {
    return twiceInverseHyperbolicTangent(p.shiftLeft(FRACTION).divide(q));
  }

  private static BigInteger twiceInverseHyperbolicTangent(BigInteger z) {
    BigInteger square = multiply(z, z);
    BigInteger power = z;
    BigInteger sum = BigInteger.ZERO;
    for (int k = 1; power.bitLength() > 1; k += 2) {
      sum = sum.add(power.divide(BigInteger.valueOf(k)));
      power = multiply(power, square);
    }
    return sum.shiftLeft(1);
  }

  /** ln m for m between 1/2 and 2. */
  static BigInteger logarithm(BigInteger m) {
    return twiceInverseHyperbolicTangent(divide(m.subtract(ONE), m.add(ONE)));
  }

  /** e^t - 1 for |t| below 1. */
  static BigInteger exponentialMinusOne(BigInteger t) {
    BigInteger term = t;
    BigInteger sum = t;
    for (int k = 2; term.bitLength() > 1; k++) {
      term = multiply(term, t).divide(BigInteger.valueOf(k));
      sum = sum.add(term);
    }
    return sum;
  }

  /** The arc tangent of t, 0 to 1. */
  static BigInteger arcTangent(BigInteger t) {
    BigInteger z = t;
    int halvings = 2;
    for (int k = 0; k < halvings; k++) {
      BigInteger root = ONE.shiftLeft(FRACTION).add(z.multiply(z)).sqrt();
      z = divide(z, ONE.add(root));
    }
    BigInteger square = multiply(z, z);
    BigInteger power = z;
    BigInteger sum = BigInteger.ZERO;
    for (int k = 1; power.bitLength() > 1; k += 2) {
      BigInteger term = power.divide(BigInteger.valueOf(k));
      sum = (k & 2) == 0 ? sum.add(term) : sum.subtract(term);
      power = multiply(power, square);
    }
    return sum.shiftLeft(halvings);
  }

  /** Sine and cosine of one angle. */
  record SineCosine(BigInteger sine, BigInteger cosine) {}

  /** Sine and cosine of an angle below 2^63, reduced as the x87 does. */
  static SineCosine sineCosine(BigInteger angle) {
    BigInteger quadrant = angle.add(X87_HALF_PI.shiftRight(1)).divide(X87_HALF_PI);
    BigInteger rest = angle.subtract(quadrant.multiply(X87_HALF_PI));
    BigInteger s = sineSeries(rest, rest, 1);
    BigInteger c = sineSeries(rest, ONE, 0);
    return switch (quadrant.intValue() & 3) {
      case 0 -> new SineCosine(s, c);
      case 1 -> new SineCosine(c, s.negate());
      case 2 -> new SineCosine(s.negate(), c.negate());
      default -> new SineCosine(c.negate(), s);
    };
  }

  /** The series of the sine (first term x, order 1) or cosine (1, order 0). */
  private static BigInteger sineSeries(BigInteger x, BigInteger first, int order) {
    BigInteger square = multiply(x, x);
    BigInteger term = first;
    BigInteger sum = first;
    for (int k = order + 2; term.bitLength() > 1; k += 2) {
      term = multiply(term, square).divide(BigInteger.valueOf((long) k * (k - 1))).negate();
      sum = sum.add(term);
    }
    return sum;
  }
}
