package org.pluribus.vmm.emulator;

/**
 * Arithmetic flags that compiled code has not computed yet: the operation and its operands, from
 * which the flags can be had when somebody looks. They stay pending when one region follows another
 * ({@link Cpu#flagKind}) and are settled before anything but compiled code looks at the CPU.
 *
 * <p>A kind is {@code operation << 2 | log2(operand size)}. The operands {@code a} and {@code b}
 * are zero-extended from the operand size unless said otherwise. All results are bit for bit what
 * the interpreter's handlers store in {@link CpuRegisters#fz}, {@code fs} and {@code fc}.
 */
final class LazyFlags {
  /** Nothing is pending: {@code fz}, {@code fs} and {@code fc} hold the flags. */
  static final int NONE = 0;

  static final int ADD = 1;

  /** {@code a - b}; also CMP, and NEG with {@code a = 0}. */
  static final int SUB = 2;

  /** AND, OR, XOR, TEST: {@code a} is the result. */
  static final int LOGIC = 3;

  /** {@code a + 1}; {@code b} is the carry vector before, whose CF stays. */
  static final int INC = 4;

  /** {@code a - 1}; {@code b} is the carry vector before, whose CF stays. */
  static final int DEC = 5;

  /** Shifts by {@code b}, 1 to 63. */
  static final int SHL = 6;

  static final int SHR = 7;
  static final int SAR = 8;

  /** {@code a * b}, both sign-extended. */
  static final int IMUL = 9;

  private static final long TOP_TWO = 3L << 62;
  private static final long AF = 8;
  private static final long CARRY_AND_OVERFLOW = 1L << 63;

  private LazyFlags() {}

  static int kind(int operation, int size) {
    return operation << 2 | Integer.numberOfTrailingZeros(size);
  }

  /** {@code v} sign-extended from its low {@code 64 - shift} bits. */
  static long signed(long v, int shift) {
    return v << shift >> shift;
  }

  /** Carry vector of {@code a + b}; {@code shift} is 64 less the operand's bits. */
  static long addCarries(long a, long b, int shift) {
    return adcCarries(a, b, a + b, shift);
  }

  /** Carry vector of {@code a - b}. */
  static long subCarries(long a, long b, int shift) {
    return sbbCarries(a, b, a - b, shift);
  }

  /** Carry vector of {@code a + 1} with CF from {@code old}. */
  static long incCarries(long a, long old, int shift) {
    return withCarry(addCarries(a, 1, shift), old);
  }

  /** Carry vector of {@code a - 1} with CF from {@code old}. */
  static long decCarries(long a, long old, int shift) {
    return withCarry(subCarries(a, 1, shift), old);
  }

  /** {@code fc} with the CF of {@code carry} and its own OF and AF. */
  static long withCarry(long fc, long carry) {
    long cf = carry & 1L << 63;
    long overflow = (fc ^ fc << 1) & 1L << 63;
    return (fc & -1L >>> 2) | cf | (cf ^ overflow) >>> 1;
  }

  static long shlCarries(long a, int n, int shift) {
    long carry = a << n - 1 << shift;
    long top = a << n << shift;
    // OF is CF xor the new top bit, so bit 62 (CF xor OF) is that top bit.
    return (carry & 1L << 63) | (top & 1L << 63) >>> 1;
  }

  static long shrCarries(long a, int n, int shift) {
    long carry = a >>> n - 1 & 1;
    long overflow = a << n - 1 << shift >>> 63;
    return carry << 63 | (carry ^ overflow) << 62;
  }

  static long sarCarries(long a, int n, int shift) {
    long carry = a << shift >> shift >> n - 1 & 1;
    return carry << 63 | carry << 62;
  }

  static long imulCarries(long a, long b, int shift) {
    long low = a * b;
    boolean overflow =
        shift == 0 ? Math.multiplyHigh(a, b) != low >> 63 : low << shift >> shift != low;
    return overflow ? CARRY_AND_OVERFLOW : 0;
  }

  /** Carry vector of {@code a + b + carry = r}. */
  static long adcCarries(long a, long b, long r, int shift) {
    long c = (a & b) | ((a | b) & ~r);
    return (c << shift & TOP_TWO) | (c & AF);
  }

  /** Carry vector of {@code a - b - carry = r}. */
  static long sbbCarries(long a, long b, long r, int shift) {
    long c = (~a & b) | ((~a | b) & r);
    return (c << shift & TOP_TWO) | (c & AF);
  }

  /** Carry vector after ROL gave {@code r}: AF stays; CF is bit 0, CF xor OF the top bit. */
  static long rolCarries(long fc, long r, int shift) {
    return (fc & -1L >>> 2) | r << 63 | (r << shift & 1L << 63) >>> 1;
  }

  /** Carry vector after ROR gave {@code r}: AF stays; CF is the top bit, CF xor OF the next one. */
  static long rorCarries(long fc, long r, int shift) {
    return (fc & -1L >>> 2) | (r << shift & TOP_TWO);
  }

  static boolean parity(long fs) {
    return (Integer.bitCount((int) fs & 0xFF) & 1) == 0;
  }

  /** Computes what is pending in the CPU between two regions. */
  static void settle(Cpu c) {
    int kind = c.flagKind;
    if (kind != NONE) {
      c.flagKind = NONE;
      settle(c, kind, c.flagA, c.flagB);
    }
  }

  /** Computes pending flags into the CPU's {@code fz}, {@code fs} and {@code fc}. */
  static void settle(Cpu c, int kind, long a, long b) {
    if (kind == NONE) {
      return;
    }
    int shift = 64 - (8 << (kind & 3));
    long r = signed(result(kind >> 2, a, b, shift), shift);
    c.fz = r;
    c.fs = r;
    c.fc = carries(kind >> 2, a, b, shift);
  }

  /** The carry vector of flags of any kind. */
  static long carries(Cpu c, int kind, long a, long b) {
    return kind == NONE ? c.fc : carries(kind >> 2, a, b, 64 - (8 << (kind & 3)));
  }

  private static long result(int operation, long a, long b, int shift) {
    return switch (operation) {
      case ADD -> a + b;
      case SUB -> a - b;
      case INC -> a + 1;
      case DEC -> a - 1;
      case SHL -> a << (int) b;
      case SHR -> a >>> (int) b;
      case SAR -> signed(a, shift) >> (int) b;
      case IMUL -> a * b;
      default -> a;
    };
  }

  private static long carries(int operation, long a, long b, int shift) {
    return switch (operation) {
      case ADD -> addCarries(a, b, shift);
      case SUB -> subCarries(a, b, shift);
      case INC -> incCarries(a, b, shift);
      case DEC -> decCarries(a, b, shift);
      case SHL -> shlCarries(a, (int) b, shift);
      case SHR -> shrCarries(a, (int) b, shift);
      case SAR -> sarCarries(a, (int) b, shift);
      case IMUL -> imulCarries(a, b, shift);
      default -> 0;
    };
  }
}
