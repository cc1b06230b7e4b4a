package org.pluribus.vmm.emulator;

/**
 * Rearranging the elements packed in 64-bit quadwords: unpack, pack, horizontal sums and shuffles,
 * for MMX (one quadword) and SSE (two).
 */
final class PackedShuffle {
  private PackedShuffle() {}

  // ---- interleaving: results are the low and the high half of a then b's elements ----

  /** Spreads the four low bytes of {@code v} to the even bytes of the result. */
  private static long spreadBytes(long v) {
    long r = v & 0xFFFFFFFFL;
    r = (r | r << 16) & 0x0000FFFF0000FFFFL;
    return (r | r << 8) & 0x00FF00FF00FF00FFL;
  }

  private static long spreadWords(long v) {
    long r = v & 0xFFFFFFFFL;
    return (r | r << 16) & 0x0000FFFF0000FFFFL;
  }

  static long unpackLowB(long a, long b) {
    return spreadBytes(a) | spreadBytes(b) << 8;
  }

  static long unpackHighB(long a, long b) {
    return unpackLowB(a >>> 32, b >>> 32);
  }

  static long unpackLowW(long a, long b) {
    return spreadWords(a) | spreadWords(b) << 16;
  }

  static long unpackHighW(long a, long b) {
    return unpackLowW(a >>> 32, b >>> 32);
  }

  static long unpackLowD(long a, long b) {
    return a & 0xFFFFFFFFL | b << 32;
  }

  static long unpackHighD(long a, long b) {
    return a >>> 32 | b & 0xFFFFFFFF00000000L;
  }

  // ---- packing with saturation: a's elements become the low half ----

  static long packSignedW(long a, long b) {
    long r = 0;
    for (int k = 0; k < 4; k++) {
      r |= (PackedArithmetic.saturate8((short) (a >>> 16 * k)) & 0xFFL) << 8 * k;
      r |= (PackedArithmetic.saturate8((short) (b >>> 16 * k)) & 0xFFL) << 8 * k + 32;
    }
    return r;
  }

  static long packUnsignedW(long a, long b) {
    long r = 0;
    for (int k = 0; k < 4; k++) {
      r |= (long) PackedArithmetic.saturateUnsigned8((short) (a >>> 16 * k)) << 8 * k;
      r |= (long) PackedArithmetic.saturateUnsigned8((short) (b >>> 16 * k)) << 8 * k + 32;
    }
    return r;
  }

  static long packSignedD(long a, long b) {
    return words(
        PackedArithmetic.saturate16((int) a),
        PackedArithmetic.saturate16((int) (a >> 32)),
        PackedArithmetic.saturate16((int) b),
        PackedArithmetic.saturate16((int) (b >> 32)));
  }

  static long packUnsignedD(long a, long b) {
    return words(
        PackedArithmetic.saturateUnsigned16((int) a),
        PackedArithmetic.saturateUnsigned16((int) (a >> 32)),
        PackedArithmetic.saturateUnsigned16((int) b),
        PackedArithmetic.saturateUnsigned16((int) (b >> 32)));
  }

  private static long words(int w0, int w1, int w2, int w3) {
    return w0 & 0xFFFFL | (w1 & 0xFFFFL) << 16 | (w2 & 0xFFFFL) << 32 | (w3 & 0xFFFFL) << 48;
  }

  // ---- horizontal sums: pairs of a, then pairs of b ----

  private static int w(long v, int k) {
    return (short) (v >>> 16 * k);
  }

  static long horizontalAddW(long a, long b) {
    return words(w(a, 0) + w(a, 1), w(a, 2) + w(a, 3), w(b, 0) + w(b, 1), w(b, 2) + w(b, 3));
  }

  static long horizontalSubW(long a, long b) {
    return words(w(a, 0) - w(a, 1), w(a, 2) - w(a, 3), w(b, 0) - w(b, 1), w(b, 2) - w(b, 3));
  }

  static long horizontalAddSaturateW(long a, long b) {
    return words(
        PackedArithmetic.saturate16(w(a, 0) + w(a, 1)),
        PackedArithmetic.saturate16(w(a, 2) + w(a, 3)),
        PackedArithmetic.saturate16(w(b, 0) + w(b, 1)),
        PackedArithmetic.saturate16(w(b, 2) + w(b, 3)));
  }

  static long horizontalSubSaturateW(long a, long b) {
    return words(
        PackedArithmetic.saturate16(w(a, 0) - w(a, 1)),
        PackedArithmetic.saturate16(w(a, 2) - w(a, 3)),
        PackedArithmetic.saturate16(w(b, 0) - w(b, 1)),
        PackedArithmetic.saturate16(w(b, 2) - w(b, 3)));
  }

  static long horizontalAddD(long a, long b) {
    return a + (a >>> 32) & 0xFFFFFFFFL | b + (b >>> 32) << 32;
  }

  static long horizontalSubD(long a, long b) {
    return a - (a >>> 32) & 0xFFFFFFFFL | b - (b >>> 32) << 32;
  }

  // ---- shuffles ----

  /** Four words of {@code v} chosen by the two-bit fields of {@code order}. */
  static long shuffleWords(long v, int order) {
    return words(w(v, order & 3), w(v, order >> 2 & 3), w(v, order >> 4 & 3), w(v, order >> 6 & 3));
  }

  /** PSHUFB of MMX. */
  static long shuffleBytes(long a, long control) {
    long r = 0;
    for (int s = 0; s < 64; s += 8) {
      int n = (int) (control >>> s);
      if ((n & 0x80) == 0) {
        r |= (a >>> 8 * (n & 7) & 0xFF) << s;
      }
    }
    return r;
  }

  /** Byte {@code n} (0 to 15) of the 128 bits {@code high:low}. */
  static long byteOf(long low, long high, int n) {
    return (n < 8 ? low : high) >>> 8 * (n & 7) & 0xFF;
  }

  /** Doubleword {@code n} (0 to 3) of the 128 bits {@code high:low}, zero-extended. */
  static long doublewordOf(long low, long high, int n) {
    return (n < 2 ? low : high) >>> 32 * (n & 1) & 0xFFFFFFFFL;
  }

  /** Bit 7 of every byte of {@code v}, gathered. */
  static int byteMask(long v) {
    // Each sign bit, at 8k, is multiplied to bit 56 + k without carries.
    return (int) ((v >>> 7 & 0x0101010101010101L) * 0x0102040810204080L >>> 56);
  }
}
