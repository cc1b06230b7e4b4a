package org.pluribus.vmm.emulator;

/**
 * A floating-point number taken apart, whatever its format: {@code (-1)^negative * significand /
 * 2^63 * 2^exponent}. All formats of the CPU (single, double, double extended) fit exactly; results
 * carry 64 more significand bits until they are rounded. Mutable and reused.
 */
final class FloatValue {
  static final int ZERO = 0;

  /** Finite and not zero; the significand's top bit is set (denormals are normalized). */
  static final int NORMAL = 1;

  static final int INFINITE = 2;
  static final int QUIET_NAN = 3;
  static final int SIGNALING_NAN = 4;

  /** An extended encoding no FPU since the 387 accepts (SDM volume 1, table 8-3). */
  static final int UNSUPPORTED = 5;

  /** Bit 62 of an extended significand tells a quiet NaN from a signaling one. */
  static final long QUIET_BIT = 1L << 62;

  static final long INTEGER_BIT = 1L << 63;

  static final int EXTENDED_BIAS = 16383;

  int kind;
  boolean negative;
  int exponent;

  /** Of a NaN: as the extended format holds it. */
  long significand;

  /** Bits below the significand; the lowest one stands for any number of lower ones. */
  long low;

  /** It was a denormal (and denormals do not count as zero). */
  boolean denormal;

  boolean isNan() {
    return kind >= QUIET_NAN;
  }

  private void set(int newKind, boolean isNegative) {
    kind = newKind;
    negative = isNegative;
    exponent = 0;
    significand = 0;
    low = 0;
    denormal = false;
  }

  void setZero(boolean isNegative) {
    set(ZERO, isNegative);
  }

  void setInfinite(boolean isNegative) {
    set(INFINITE, isNegative);
  }

  /** The QNaN that masked invalid operations give. */
  void setDefaultNan() {
    set(QUIET_NAN, true);
    significand = INTEGER_BIT | QUIET_BIT;
  }

  /** A finite number from a significand of any size but 0. */
  void setNormal(boolean isNegative, int exp, long sig) {
    set(NORMAL, isNegative);
    int shift = Long.numberOfLeadingZeros(sig);
    significand = sig << shift;
    exponent = exp - shift;
  }

  void setLong(long v) {
    if (v == 0) {
      setZero(false);
    } else {
      setNormal(v < 0, 63, Math.abs(v)); // the absolute value of the most negative is 2^63 unsigned
    }
  }

  void copy(FloatValue v) {
    kind = v.kind;
    negative = v.negative;
    exponent = v.exponent;
    significand = v.significand;
    low = v.low;
    denormal = v.denormal;
  }

  /** Takes apart a single; with {@code daz} denormals are zeros. */
  void setSingle(int bits, boolean daz) {
    unpack(bits < 0, bits >>> 23 & 0xFF, (long) bits << 40 & ~INTEGER_BIT, 0xFF, 127, daz);
  }

  /** Takes apart a double. */
  void setDouble(long bits, boolean daz) {
    unpack(bits < 0, (int) (bits >>> 52) & 0x7FF, bits << 11 & ~INTEGER_BIT, 0x7FF, 1023, daz);
  }

  private void unpack(
      boolean isNegative, int biased, long fraction, int special, int bias, boolean daz) {
    if (biased == special) {
      if (fraction == 0) {
        setInfinite(isNegative);
      } else {
        set((fraction & QUIET_BIT) != 0 ? QUIET_NAN : SIGNALING_NAN, isNegative);
        significand = fraction | INTEGER_BIT;
      }
    } else if (biased != 0) {
      set(NORMAL, isNegative);
      exponent = biased - bias;
      significand = fraction | INTEGER_BIT;
    } else if (fraction == 0 || daz) {
      setZero(isNegative);
    } else {
      setNormal(isNegative, 1 - bias, fraction);
      denormal = true;
    }
  }

  /** Takes apart a double extended; pseudo-denormals count as denormals. */
  void setExtended(long sig, int signExponent) {
    boolean isNegative = (signExponent & 0x8000) != 0;
    int biased = signExponent & 0x7FFF;
    if (biased == 0) {
      if (sig == 0) {
        setZero(isNegative);
      } else {
        setNormal(isNegative, 1 - EXTENDED_BIAS, sig);
        denormal = true;
      }
    } else if (sig >= 0) {
      set(UNSUPPORTED, isNegative);
    } else if (biased != 0x7FFF) {
      set(NORMAL, isNegative);
      exponent = biased - EXTENDED_BIAS;
      significand = sig;
    } else if (sig == INTEGER_BIT) {
      setInfinite(isNegative);
    } else {
      set((sig & QUIET_BIT) != 0 ? QUIET_NAN : SIGNALING_NAN, isNegative);
      significand = sig;
    }
  }

  // ---- putting together; the value has been rounded to the format ----

  int toSingle() {
    int sign = negative ? 1 << 31 : 0;
    return switch (kind) {
      case ZERO -> sign;
      case NORMAL -> {
        int biased = significand < 0 ? exponent + 127 : 0;
        yield sign | biased << 23 | (int) (significand >>> 40) & 0x7FFFFF;
      }
      case INFINITE -> sign | 0x7F800000;
      default -> sign | 0x7FC00000 | (int) (significand >>> 40) & 0x7FFFFF;
    };
  }

  long toDouble() {
    long sign = negative ? INTEGER_BIT : 0;
    return switch (kind) {
      case ZERO -> sign;
      case NORMAL -> {
        long biased = significand < 0 ? exponent + 1023 : 0;
        yield sign | biased << 52 | significand >>> 11 & 0xFFFFFFFFFFFFFL;
      }
      case INFINITE -> sign | 0x7FF0000000000000L;
      default -> sign | 0x7FF8000000000000L | significand >>> 11 & 0xFFFFFFFFFFFFFL;
    };
  }

  /** Sign and exponent of the double extended. */
  int extendedSignExponent() {
    int sign = negative ? 0x8000 : 0;
    return switch (kind) {
      case ZERO -> sign;
      case NORMAL -> sign | (significand < 0 ? exponent + EXTENDED_BIAS : 0) & 0x7FFF;
      default -> sign | 0x7FFF;
    };
  }

  /** Significand of the double extended. */
  long extendedSignificand() {
    return switch (kind) {
      case ZERO -> 0;
      case NORMAL -> significand;
      case INFINITE -> INTEGER_BIT;
      default -> significand | QUIET_BIT;
    };
  }

  /** Order of two numbers that are not NaNs: negative, 0 or positive. Zeros are equal. */
  int compareTo(FloatValue b) {
    if (kind == ZERO && b.kind == ZERO) {
      return 0;
    }
    if (kind == ZERO || b.kind == ZERO || negative != b.negative) {
      boolean less = kind == ZERO ? !b.negative : negative;
      return less ? -1 : 1;
    }
    int magnitude = compareMagnitude(b);
    return negative ? -magnitude : magnitude;
  }

  private int compareMagnitude(FloatValue b) {
    if (kind == INFINITE || b.kind == INFINITE) {
      return Integer.compare(kind, b.kind);
    }
    return exponent != b.exponent
        ? Integer.compare(exponent, b.exponent)
        : Long.compareUnsigned(significand, b.significand);
  }
}
