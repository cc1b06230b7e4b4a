package org.pluribus.vmm.emulator;

/**
 * Integer arithmetic on the elements packed in 64 bits. MMX instructions apply these once, SSE
 * instructions to both halves of a register. The first argument is the destination operand.
 */
final class PackedArithmetic {
  private static final long HIGH_BITS_8 = 0x8080808080808080L;
  private static final long HIGH_BITS_16 = 0x8000800080008000L;
  private static final long HIGH_BITS_32 = 0x8000000080000000L;

  private PackedArithmetic() {}

  // ---- elements ----

  private static int sb(long v, int shift) {
    return (byte) (v >>> shift);
  }

  private static int ub(long v, int shift) {
    return (int) (v >>> shift) & 0xFF;
  }

  private static int sw(long v, int shift) {
    return (short) (v >>> shift);
  }

  private static int uw(long v, int shift) {
    return (int) (v >>> shift) & 0xFFFF;
  }

  private static long ud(long v, int shift) {
    return v >>> shift & 0xFFFFFFFFL;
  }

  private static long byteAt(int v, int shift) {
    return (v & 0xFFL) << shift;
  }

  private static long wordAt(int v, int shift) {
    return (v & 0xFFFFL) << shift;
  }

  private static long doubleword(long low, long high) {
    return low & 0xFFFFFFFFL | high << 32;
  }

  static int saturate8(int v) {
    return Math.clamp(v, -128, 127);
  }

  static int saturateUnsigned8(int v) {
    return Math.clamp(v, 0, 255);
  }

  static int saturate16(int v) {
    return Math.clamp(v, -32768, 32767);
  }

  static int saturateUnsigned16(int v) {
    return Math.clamp(v, 0, 65535);
  }

  // ---- logic ----

  static long and(long a, long b) {
    return a & b;
  }

  static long andNot(long a, long b) {
    return ~a & b;
  }

  static long or(long a, long b) {
    return a | b;
  }

  static long xor(long a, long b) {
    return a ^ b;
  }

  // ---- wrapping sums and differences: the top bit of each element is handled apart ----

  private static long add(long a, long b, long high) {
    return (a & ~high) + (b & ~high) ^ (a ^ b) & high;
  }

  private static long sub(long a, long b, long high) {
    return (a | high) - (b & ~high) ^ (a ^ ~b) & high;
  }

  static long addB(long a, long b) {
    return add(a, b, HIGH_BITS_8);
  }

  static long addW(long a, long b) {
    return add(a, b, HIGH_BITS_16);
  }

  static long addD(long a, long b) {
    return add(a, b, HIGH_BITS_32);
  }

  static long addQ(long a, long b) {
    return a + b;
  }

  static long subB(long a, long b) {
    return sub(a, b, HIGH_BITS_8);
  }

  static long subW(long a, long b) {
    return sub(a, b, HIGH_BITS_16);
  }

  static long subD(long a, long b) {
    return sub(a, b, HIGH_BITS_32);
  }

  static long subQ(long a, long b) {
    return a - b;
  }

  // ---- saturating ----

  static long addSaturateB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(saturate8(sb(a, s) + sb(b, s)), s);
    }
    return r;
  }

  static long addSaturateW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(saturate16(sw(a, s) + sw(b, s)), s);
    }
    return r;
  }

  static long addUnsignedSaturateB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(saturateUnsigned8(ub(a, s) + ub(b, s)), s);
    }
    return r;
  }

  static long addUnsignedSaturateW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(saturateUnsigned16(uw(a, s) + uw(b, s)), s);
    }
    return r;
  }

  static long subSaturateB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(saturate8(sb(a, s) - sb(b, s)), s);
    }
    return r;
  }

  static long subSaturateW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(saturate16(sw(a, s) - sw(b, s)), s);
    }
    return r;
  }

  static long subUnsignedSaturateB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(saturateUnsigned8(ub(a, s) - ub(b, s)), s);
    }
    return r;
  }

  static long subUnsignedSaturateW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(saturateUnsigned16(uw(a, s) - uw(b, s)), s);
    }
    return r;
  }

  // ---- comparisons: all ones where true ----

  static long equalB(long a, long b) {
    long x = a ^ b;
    long zero = ~((x & ~HIGH_BITS_8) + ~HIGH_BITS_8 | x) & HIGH_BITS_8;
    return (zero << 1) - (zero >>> 7);
  }

  static long equalW(long a, long b) {
    long x = a ^ b;
    long zero = ~((x & ~HIGH_BITS_16) + ~HIGH_BITS_16 | x) & HIGH_BITS_16;
    return (zero << 1) - (zero >>> 15);
  }

  static long equalD(long a, long b) {
    return doubleword((int) a == (int) b ? -1 : 0, a >>> 32 == b >>> 32 ? -1 : 0);
  }

  static long equalQ(long a, long b) {
    return a == b ? -1 : 0;
  }

  static long greaterB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(sb(a, s) > sb(b, s) ? -1 : 0, s);
    }
    return r;
  }

  static long greaterW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(sw(a, s) > sw(b, s) ? -1 : 0, s);
    }
    return r;
  }

  static long greaterD(long a, long b) {
    return doubleword((int) a > (int) b ? -1 : 0, a >> 32 > b >> 32 ? -1 : 0);
  }

  static long greaterQ(long a, long b) {
    return a > b ? -1 : 0;
  }

  // ---- minima and maxima ----

  static long minUnsignedB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(Math.min(ub(a, s), ub(b, s)), s);
    }
    return r;
  }

  static long maxUnsignedB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(Math.max(ub(a, s), ub(b, s)), s);
    }
    return r;
  }

  static long minB(long a, long b) {
    return minUnsignedB(a ^ HIGH_BITS_8, b ^ HIGH_BITS_8) ^ HIGH_BITS_8;
  }

  static long maxB(long a, long b) {
    return maxUnsignedB(a ^ HIGH_BITS_8, b ^ HIGH_BITS_8) ^ HIGH_BITS_8;
  }

  static long minW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(Math.min(sw(a, s), sw(b, s)), s);
    }
    return r;
  }

  static long maxW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(Math.max(sw(a, s), sw(b, s)), s);
    }
    return r;
  }

  static long minUnsignedW(long a, long b) {
    return minW(a ^ HIGH_BITS_16, b ^ HIGH_BITS_16) ^ HIGH_BITS_16;
  }

  static long maxUnsignedW(long a, long b) {
    return maxW(a ^ HIGH_BITS_16, b ^ HIGH_BITS_16) ^ HIGH_BITS_16;
  }

  static long minD(long a, long b) {
    return doubleword(Math.min((int) a, (int) b), Math.min(a >> 32, b >> 32));
  }

  static long maxD(long a, long b) {
    return doubleword(Math.max((int) a, (int) b), Math.max(a >> 32, b >> 32));
  }

  static long minUnsignedD(long a, long b) {
    return doubleword(Math.min(ud(a, 0), ud(b, 0)), Math.min(a >>> 32, b >>> 32));
  }

  static long maxUnsignedD(long a, long b) {
    return doubleword(Math.max(ud(a, 0), ud(b, 0)), Math.max(a >>> 32, b >>> 32));
  }

  // ---- averages, absolute values, signs ----

  static long averageB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(ub(a, s) + ub(b, s) + 1 >> 1, s);
    }
    return r;
  }

  static long averageW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(uw(a, s) + uw(b, s) + 1 >> 1, s);
    }
    return r;
  }

  static long absB(long unused, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(Math.abs(sb(b, s)), s);
    }
    return r;
  }

  static long absW(long unused, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(Math.abs(sw(b, s)), s);
    }
    return r;
  }

  @SuppressWarnings("MathAbsoluteNegative") // wrapping is what PABSD does
  static long absD(long unused, long b) {
    return doubleword(Math.abs((int) b), Math.abs((int) (b >> 32)));
  }

  static long signB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      r |= byteAt(sb(a, s) * Integer.signum(sb(b, s)), s);
    }
    return r;
  }

  static long signW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(sw(a, s) * Integer.signum(sw(b, s)), s);
    }
    return r;
  }

  static long signD(long a, long b) {
    return doubleword(
        (int) a * Integer.signum((int) b), (a >> 32) * Integer.signum((int) (b >> 32)));
  }

  // ---- products ----

  static long multiplyLowW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(sw(a, s) * sw(b, s), s);
    }
    return r;
  }

  static long multiplyHighW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(sw(a, s) * sw(b, s) >> 16, s);
    }
    return r;
  }

  static long multiplyHighUnsignedW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(uw(a, s) * uw(b, s) >>> 16, s);
    }
    return r;
  }

  /** PMULHRSW. */
  static long multiplyHighRoundedW(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt((sw(a, s) * sw(b, s) >> 14) + 1 >> 1, s);
    }
    return r;
  }

  static long multiplyLowD(long a, long b) {
    return doubleword((int) a * (int) b, (a >> 32) * (b >> 32));
  }

  static long multiplyUnsignedD(long a, long b) {
    return ud(a, 0) * ud(b, 0);
  }

  static long multiplyD(long a, long b) {
    return (long) (int) a * (int) b;
  }

  /** PMADDWD. */
  static long multiplyAddW(long a, long b) {
    int low = sw(a, 0) * sw(b, 0) + sw(a, 16) * sw(b, 16);
    int high = sw(a, 32) * sw(b, 32) + sw(a, 48) * sw(b, 48);
    return doubleword(low, high);
  }

  /** PMADDUBSW: unsigned bytes of the destination times signed bytes of the source. */
  static long multiplyAddB(long a, long b) {
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(saturate16(ub(a, s) * sb(b, s) + ub(a, s + 8) * sb(b, s + 8)), s);
    }
    return r;
  }

  /** PSADBW. */
  static long sumOfDifferences(long a, long b) {
    int sum = 0;
    for (int s = 0; s < 64; s += 8) {
      sum += Math.abs(ub(a, s) - ub(b, s));
    }
    return sum;
  }

  // ---- shifts of every element by an unsigned 64-bit count ----

  private static boolean atLeast(long count, int bits) {
    return Long.compareUnsigned(count, bits) >= 0;
  }

  static long shiftLeftW(long a, long count) {
    long mask = (0xFFFFL << count & 0xFFFF) * 0x0001000100010001L;
    return atLeast(count, 16) ? 0 : a << count & mask;
  }

  static long shiftLeftD(long a, long count) {
    long mask = (0xFFFFFFFFL << count & 0xFFFFFFFFL) * 0x0000000100000001L;
    return atLeast(count, 32) ? 0 : a << count & mask;
  }

  static long shiftLeftQ(long a, long count) {
    return atLeast(count, 64) ? 0 : a << count;
  }

  static long shiftRightW(long a, long count) {
    long mask = (0xFFFFL >>> count) * 0x0001000100010001L;
    return atLeast(count, 16) ? 0 : a >>> count & mask;
  }

  static long shiftRightD(long a, long count) {
    long mask = (0xFFFFFFFFL >>> count) * 0x0000000100000001L;
    return atLeast(count, 32) ? 0 : a >>> count & mask;
  }

  static long shiftRightQ(long a, long count) {
    return atLeast(count, 64) ? 0 : a >>> count;
  }

  static long shiftArithmeticW(long a, long count) {
    int n = atLeast(count, 16) ? 15 : (int) count;
    long r = 0;
    for (int s = 0; s < 64; s += 16) {
      r |= wordAt(sw(a, s) >> n, s);
    }
    return r;
  }

  static long shiftArithmeticD(long a, long count) {
    int n = atLeast(count, 32) ? 31 : (int) count;
    return doubleword((int) a >> n, a >> 32 >> n);
  }
}
