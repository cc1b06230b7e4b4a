package org.pluribus.vmm.emulator.oracle;

import java.util.Random;

/** Random operands, weighted towards the values that break implementations. */
final class Values {
  private static final long[] INTEGERS = {
    0,
    1,
    2,
    -1,
    -2,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFFL,
    0x80000000L,
    0xFFFFFFFFL,
    0x100000000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    0x5555555555555555L,
    0x0F,
    0x10,
    0x1F,
    0x20,
    0x3F,
    0x40,
    0x99,
    0x0F0F0F0F0F0F0F0FL
  };

  private static final int[] FLOATS = {
    0, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001,
    0x7F800001, 0xFF923456, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF,
    0x3F000000, 0x4F000000, 0xCF000000, 0x5F000000, 0x33800000, 0x3FC00000, 0x40200000
  };

  private static final long[] DOUBLES = {
    0,
    1L << 63,
    0x3FF0000000000000L,
    0xBFF0000000000000L,
    0x7FF0000000000000L,
    0xFFF0000000000000L,
    0x7FF8000000000000L,
    0xFFF8000000000001L,
    0x7FF0000000000001L,
    0xFFF1234567890ABCL,
    1,
    0x8000000000000001L,
    0x000FFFFFFFFFFFFFL,
    0x0010000000000000L,
    0x7FEFFFFFFFFFFFFFL,
    0xFFEFFFFFFFFFFFFFL,
    0x3FE0000000000000L,
    0x41E0000000000000L,
    0x43E0000000000000L,
    0xC3E0000000000000L,
    0x3CA0000000000000L,
    0x3FF8000000000000L
  };

  /** Exponents (with sign 0) of 80-bit values worth meeting; SDM volume 1, table 4-2. */
  private static final int[] EXPONENTS = {
    0, 1, 2, 0x3FFF, 0x3FFE, 0x4000, 0x3FC0, 0x403D, 0x403E, 0x403F, 0x401E, 0x400E, 0x7FFE, 0x7FFF,
    0x3F81, 0x407E, 0x3C01, 0x43FE
  };

  private static final long[] SIGNIFICANDS = {
    1L << 63,
    -1L,
    3L << 62,
    (1L << 63) + 1,
    0xA000000000000000L,
    0,
    1,
    (1L << 62) + 1,
    0xC000000000000001L,
    0x8000000000000400L,
    0xFFFFFFFFFFFFFC00L,
    0x8000008000000000L
  };

  private final Random random;

  Values(Random random) {
    this.random = random;
  }

  long integer() {
    return switch (random.nextInt(6)) {
      case 0, 1 -> INTEGERS[random.nextInt(INTEGERS.length)];
      case 2 -> random.nextInt(256) - 64;
      case 3 -> random.nextInt();
      case 4 -> repeat(random.nextInt(256));
      default -> random.nextLong();
    };
  }

  private long repeat(long pattern) {
    return pattern * (random.nextBoolean() ? 0x0101010101010101L : 0x0000000100000001L);
  }

  int singleBits() {
    return switch (random.nextInt(4)) {
      case 0, 1 -> FLOATS[random.nextInt(FLOATS.length)];
      case 2 -> Float.floatToRawIntBits((random.nextInt(2_000_001) - 1_000_000) / 64f);
      default -> random.nextInt();
    };
  }

  long doubleBits() {
    return switch (random.nextInt(4)) {
      case 0, 1 -> DOUBLES[random.nextInt(DOUBLES.length)];
      case 2 -> Double.doubleToRawLongBits((random.nextInt(2_000_001) - 1_000_000) / 64.0);
      default -> random.nextLong();
    };
  }

  /** A quadword of vector data: floats, a double, or integers. */
  long quadword() {
    return switch (random.nextInt(4)) {
      case 0 -> singleBits() & 0xFFFFFFFFL | (long) singleBits() << 32;
      case 1 -> doubleBits();
      default -> integer();
    };
  }

  /** Sign and exponent of an 80-bit value. */
  int extendedExponent() {
    int sign = random.nextBoolean() ? 0x8000 : 0;
    int exponent =
        switch (random.nextInt(4)) {
          case 0, 1 -> 0x3FFF - 70 + random.nextInt(140);
          case 2 -> EXPONENTS[random.nextInt(EXPONENTS.length)];
          default -> random.nextInt(0x8000);
        };
    return sign | exponent;
  }

  /** Its significand; mostly normalized, now and then an unsupported form. */
  long extendedSignificand() {
    long bits =
        switch (random.nextInt(4)) {
          case 0 -> SIGNIFICANDS[random.nextInt(SIGNIFICANDS.length)];
          case 1 -> (long) random.nextInt(0x10000) << 48;
          default -> random.nextLong();
        };
    return random.nextInt(12) == 0 ? bits : bits | 1L << 63;
  }
}
