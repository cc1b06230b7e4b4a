package org.pluribus.vmm.emulator;

/**
 * The arithmetic of SSE on single elements: an operation takes and gives bits, and adds the
 * exceptions it raised to {@link SoftFloat#flags} (SDM volume 1, section 11.5).
 *
 * <p>Java's own arithmetic rounds to nearest. When operands and result are ordinary (zero or
 * normal) and MXCSR asks for nearest, its result is right and only the precision exception is left
 * to find out, through the exact error of the operation; nothing else can have happened. All other
 * cases go to {@link SoftFloat}.
 */
final class SseArithmetic {
  /** MXCSR's rounding control. */
  private static final int ROUNDING_SHIFT = 13;

  private static final int DAZ = 1 << 6;
  private static final int FLUSH_TO_ZERO = 1 << 15;
  private static final int MASKS_SHIFT = 7;

  private static final int SINGLE_QUIET = 1 << 22;
  private static final long DOUBLE_QUIET = 1L << 51;

  /** From this biased exponent on the error of a product or quotient is no denormal itself. */
  private static final int SAFE_DOUBLE_EXPONENT = 110;

  private SseArithmetic() {}

  /** An operation on two doubles, as bits: destination and source element. */
  interface Binary64 {
    long apply(SoftFloat f, long a, long b);
  }

  /** An operation on two singles, as bits. */
  interface Binary32 {
    int apply(SoftFloat f, int a, int b);
  }

  /** Prepares for an instruction. */
  static void begin(SoftFloat f, int mxcsr) {
    f.flags = 0;
    f.rounding = mxcsr >> ROUNDING_SHIFT & 3;
    f.masks = mxcsr >> MASKS_SHIFT & 0x3F;
    f.denormalsAreZero = (mxcsr & DAZ) != 0;
    f.flushToZero = (mxcsr & FLUSH_TO_ZERO) != 0;
  }

  /**
   * Settles the exceptions of an instruction in MXCSR before it writes its destination.
   *
   * @throws GuestFault #XM (#UD without CR4.OSXMMEXCPT) when one is unmasked
   */
  static void finish(Cpu c) {
    int flags = c.soft.flags;
    if (flags != 0) {
      settle(c, flags);
    }
  }

  private static void settle(Cpu c, int flags) {
    int unmasked = flags & ~c.soft.masks;
    int before = SoftFloat.INVALID | SoftFloat.DENORMAL | SoftFloat.DIVIDE_BY_ZERO;
    if ((unmasked & before) != 0) {
      c.mxcsr |= flags & before; // nothing was computed, nothing overflowed or got inexact
    } else {
      c.mxcsr |= flags;
    }
    if (unmasked != 0) {
      throw (c.cr4 & CpuRegisters.CR4_OSXMMEXCPT) != 0 ? c.fault(GuestFault.XM) : c.ud();
    }
  }

  // ---- what is ordinary ----

  private static boolean ordinary(long bits) {
    int e = (int) (bits >>> 52) & 0x7FF;
    return e - 1 >>> 1 < 0x3FF || bits << 1 == 0; // 1 to 0x7FE, or zero
  }

  private static boolean ordinary(int bits) {
    int e = bits >>> 23 & 0xFF;
    return e - 1 >>> 1 < 0x7F || bits << 1 == 0;
  }

  /** Normal, and not the smallest: that may have been rounded up from something tiny. */
  private static boolean wellNormal(long bits, int least) {
    int e = (int) (bits >>> 52) & 0x7FF;
    return e >= least && e < 0x7FF;
  }

  private static boolean wellNormal(int bits) {
    int e = bits >>> 23 & 0xFF;
    return e >= 2 && e < 0xFF;
  }

  // ---- double ----

  private static void load(SoftFloat f, long a, long b) {
    f.a.setDouble(a, f.denormalsAreZero);
    f.b.setDouble(b, f.denormalsAreZero);
  }

  static boolean isNan(long bits) {
    return (bits & Long.MAX_VALUE) > 0x7FF0000000000000L;
  }

  static boolean isSignaling(long bits) {
    return isNan(bits) && (bits & DOUBLE_QUIET) == 0;
  }

  /** The NaN two operands give, one being a NaN: the first operand's comes first. */
  static long nan(SoftFloat f, long a, long b) {
    if (isSignaling(a) || isSignaling(b)) {
      f.flags |= SoftFloat.INVALID;
    }
    return (isNan(a) ? a : b) | DOUBLE_QUIET;
  }

  private static long rounded64(SoftFloat f) {
    f.roundDouble();
    return f.r.toDouble();
  }

  static long add(SoftFloat f, long a, long b) {
    if (f.rounding == SoftFloat.NEAREST && ordinary(a) && ordinary(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double sum = x + y;
      long bits = Double.doubleToRawLongBits(sum);
      if (ordinary(bits)) {
        noteSumError(f, x, y, sum);
        return bits;
      }
    }
    if (isNan(a) || isNan(b)) {
      return nan(f, a, b);
    }
    load(f, a, b);
    f.add();
    return rounded64(f);
  }

  static long subtract(SoftFloat f, long a, long b) {
    return isNan(a) || isNan(b) ? nan(f, a, b) : add(f, a, b ^ Long.MIN_VALUE);
  }

  /** The error of a sum, exactly (Knuth, volume 2, section 4.2.2, theorem B). */
  private static void noteSumError(SoftFloat f, double x, double y, double sum) {
    double part = sum - x;
    if ((x - (sum - part)) + (y - part) != 0) {
      f.flags |= SoftFloat.PRECISION;
    }
  }

  static long multiply(SoftFloat f, long a, long b) {
    if (f.rounding == SoftFloat.NEAREST && ordinary(a) && ordinary(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double product = x * y;
      long bits = Double.doubleToRawLongBits(product);
      if (wellNormal(bits, SAFE_DOUBLE_EXPONENT)) {
        if (Math.fma(x, y, -product) != 0) {
          f.flags |= SoftFloat.PRECISION;
        }
        return bits;
      }
    }
    if (isNan(a) || isNan(b)) {
      return nan(f, a, b);
    }
    load(f, a, b);
    f.multiply();
    return rounded64(f);
  }

  static long divide(SoftFloat f, long a, long b) {
    if (f.rounding == SoftFloat.NEAREST && wellNormal(a, SAFE_DOUBLE_EXPONENT) && ordinary(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double quotient = x / y;
      long bits = Double.doubleToRawLongBits(quotient);
      if (wellNormal(bits, 2)) {
        if (Math.fma(quotient, -y, x) != 0) {
          f.flags |= SoftFloat.PRECISION;
        }
        return bits;
      }
    }
    if (isNan(a) || isNan(b)) {
      return nan(f, a, b);
    }
    load(f, a, b);
    f.divide();
    return rounded64(f);
  }

  /** Square root of {@code b}; the destination does not matter. */
  static long squareRoot(SoftFloat f, long unused, long b) {
    if (f.rounding == SoftFloat.NEAREST && b > 0 && wellNormal(b, SAFE_DOUBLE_EXPONENT)) {
      double x = Double.longBitsToDouble(b);
      double root = Math.sqrt(x);
      if (Math.fma(root, root, -x) != 0) {
        f.flags |= SoftFloat.PRECISION;
      }
      return Double.doubleToRawLongBits(root);
    }
    if (isNan(b)) {
      return nan(f, b, b);
    }
    f.a.setDouble(b, f.denormalsAreZero);
    f.squareRoot();
    return rounded64(f);
  }

  /** Loads for a comparison; whether the operands are unordered. */
  private static boolean unordered(SoftFloat f, long a, long b, boolean signalsQuiet) {
    if (isNan(a) || isNan(b)) {
      if (signalsQuiet || isSignaling(a) || isSignaling(b)) {
        f.flags |= SoftFloat.INVALID;
      }
      return true;
    }
    load(f, a, b);
    noteDenormals(f);
    return false;
  }

  private static void noteDenormals(SoftFloat f) {
    if (f.a.denormal || f.b.denormal) {
      f.flags |= SoftFloat.DENORMAL;
    }
  }

  /** MINPD: the source when either is a NaN or both are zeros. */
  static long min(SoftFloat f, long a, long b) {
    if (unordered(f, a, b, true)) {
      return flushed(f, b);
    }
    return f.a.compareTo(f.b) < 0 ? flushed(f, a) : flushed(f, b);
  }

  static long max(SoftFloat f, long a, long b) {
    if (unordered(f, a, b, true)) {
      return flushed(f, b);
    }
    return f.a.compareTo(f.b) > 0 ? flushed(f, a) : flushed(f, b);
  }

  /** A denormal that counts as zero becomes one. */
  private static long flushed(SoftFloat f, long v) {
    boolean tiny = (v >>> 52 & 0x7FF) == 0;
    return tiny && f.denormalsAreZero ? v & Long.MIN_VALUE : v;
  }

  /** Whether the low three bits of a comparison predicate hold (SDM volume 2, CMPPD). */
  static boolean compare(SoftFloat f, long a, long b, int predicate) {
    if (unordered(f, a, b, signals(predicate))) {
      return (predicate & 3) == 3 ? predicate == 3 : predicate > 3;
    }
    return holds(f.a.compareTo(f.b), predicate);
  }

  /** LT, LE and their negations signal quiet NaNs too. */
  private static boolean signals(int predicate) {
    return (predicate & 3) == 1 || (predicate & 3) == 2;
  }

  private static boolean holds(int order, int predicate) {
    boolean v =
        switch (predicate & 3) {
          case 0 -> order == 0;
          case 1 -> order < 0;
          case 2 -> order <= 0;
          default -> false; // UNORD; ORD is its negation
        };
    return v ^ predicate > 3;
  }

  /** Result of {@link #order}: unordered. */
  static final int UNORDERED = 2;

  /** COMISD and UCOMISD: -1, 0, 1 or {@link #UNORDERED}. */
  static int order(SoftFloat f, long a, long b, boolean signalsQuiet) {
    return unordered(f, a, b, signalsQuiet) ? UNORDERED : f.a.compareTo(f.b);
  }

  // ---- single: the same again; doubles hold the product of two singles exactly ----

  private static void load(SoftFloat f, int a, int b) {
    f.a.setSingle(a, f.denormalsAreZero);
    f.b.setSingle(b, f.denormalsAreZero);
  }

  static boolean isNan(int bits) {
    return (bits & Integer.MAX_VALUE) > 0x7F800000;
  }

  static boolean isSignaling(int bits) {
    return isNan(bits) && (bits & SINGLE_QUIET) == 0;
  }

  static int nan(SoftFloat f, int a, int b) {
    if (isSignaling(a) || isSignaling(b)) {
      f.flags |= SoftFloat.INVALID;
    }
    return (isNan(a) ? a : b) | SINGLE_QUIET;
  }

  private static int rounded32(SoftFloat f) {
    f.roundSingle();
    return f.r.toSingle();
  }

  static int add(SoftFloat f, int a, int b) {
    if (f.rounding == SoftFloat.NEAREST && ordinary(a) && ordinary(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float sum = x + y;
      int bits = Float.floatToRawIntBits(sum);
      if (ordinary(bits)) {
        noteSumError(f, x, y, sum);
        return bits;
      }
    }
    if (isNan(a) || isNan(b)) {
      return nan(f, a, b);
    }
    load(f, a, b);
    f.add();
    return rounded32(f);
  }

  static int subtract(SoftFloat f, int a, int b) {
    return isNan(a) || isNan(b) ? nan(f, a, b) : add(f, a, b ^ Integer.MIN_VALUE);
  }

  private static void noteSumError(SoftFloat f, float x, float y, float sum) {
    float part = sum - x;
    if ((x - (sum - part)) + (y - part) != 0) {
      f.flags |= SoftFloat.PRECISION;
    }
  }

  static int multiply(SoftFloat f, int a, int b) {
    if (f.rounding == SoftFloat.NEAREST && ordinary(a) && ordinary(b)) {
      double exact = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
      float product = (float) exact;
      int bits = Float.floatToRawIntBits(product);
      if (wellNormal(bits)) {
        f.flags |= product != exact ? SoftFloat.PRECISION : 0;
        return bits;
      }
    }
    if (isNan(a) || isNan(b)) {
      return nan(f, a, b);
    }
    load(f, a, b);
    f.multiply();
    return rounded32(f);
  }

  static int divide(SoftFloat f, int a, int b) {
    if (f.rounding == SoftFloat.NEAREST && ordinary(a) && ordinary(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float quotient = x / y;
      int bits = Float.floatToRawIntBits(quotient);
      if (wellNormal(bits)) {
        f.flags |= (double) quotient * y != x ? SoftFloat.PRECISION : 0;
        return bits;
      }
    }
    if (isNan(a) || isNan(b)) {
      return nan(f, a, b);
    }
    load(f, a, b);
    f.divide();
    return rounded32(f);
  }

  static int squareRoot(SoftFloat f, int unused, int b) {
    if (isNan(b)) {
      return nan(f, b, b);
    }
    if (f.rounding == SoftFloat.NEAREST && b > 0 && ordinary(b)) {
      float x = Float.intBitsToFloat(b);
      float root = (float) Math.sqrt(x);
      f.flags |= (double) root * root != x ? SoftFloat.PRECISION : 0;
      return Float.floatToRawIntBits(root);
    }
    f.a.setSingle(b, f.denormalsAreZero);
    f.squareRoot();
    return rounded32(f);
  }

  private static boolean unordered(SoftFloat f, int a, int b, boolean signalsQuiet) {
    if (isNan(a) || isNan(b)) {
      if (signalsQuiet || isSignaling(a) || isSignaling(b)) {
        f.flags |= SoftFloat.INVALID;
      }
      return true;
    }
    load(f, a, b);
    noteDenormals(f);
    return false;
  }

  static int min(SoftFloat f, int a, int b) {
    if (unordered(f, a, b, true)) {
      return flushed(f, b);
    }
    return f.a.compareTo(f.b) < 0 ? flushed(f, a) : flushed(f, b);
  }

  static int max(SoftFloat f, int a, int b) {
    if (unordered(f, a, b, true)) {
      return flushed(f, b);
    }
    return f.a.compareTo(f.b) > 0 ? flushed(f, a) : flushed(f, b);
  }

  private static int flushed(SoftFloat f, int v) {
    boolean tiny = (v >>> 23 & 0xFF) == 0;
    return tiny && f.denormalsAreZero ? v & Integer.MIN_VALUE : v;
  }

  static boolean compare(SoftFloat f, int a, int b, int predicate) {
    if (unordered(f, a, b, signals(predicate))) {
      return (predicate & 3) == 3 ? predicate == 3 : predicate > 3;
    }
    return holds(f.a.compareTo(f.b), predicate);
  }

  static int order(SoftFloat f, int a, int b, boolean signalsQuiet) {
    return unordered(f, a, b, signalsQuiet) ? UNORDERED : f.a.compareTo(f.b);
  }
}
