package org.pluribus.vmm.emulator;

/**
 * What all x87 handlers share: the register stack, exceptions and condition codes (SDM volume 1,
 * chapter 8).
 *
 * <p>A handler checks availability, loads its memory operand, calls {@link #begin}, computes with
 * {@link CpuRegisters#soft}, stores to memory if it has to, and only then {@link #settle}s the
 * exceptions it met and changes the stack.
 */
final class X87 {
  /** Status word bits beyond the six exceptions. */
  static final int STACK_FAULT = 1 << 6;

  static final int C0 = 1 << 8;
  static final int C1 = 1 << 9;
  static final int C2 = 1 << 10;
  static final int C3 = 1 << 14;

  /** Error summary and busy. */
  private static final int SUMMARY = 0x8080;

  /** Exceptions found before anything is computed: unmasked, they leave the operands alone. */
  private static final int BEFORE =
      SoftFloat.INVALID | SoftFloat.DENORMAL | SoftFloat.DIVIDE_BY_ZERO;

  /** Exceptions that, unmasked, keep a result out of memory. */
  static final int NOT_STORED = BEFORE | SoftFloat.OVERFLOW | SoftFloat.UNDERFLOW;

  /** Double extended QNaN that masked invalid operations give. */
  private static final long INDEFINITE_SIGNIFICAND = FloatValue.INTEGER_BIT | FloatValue.QUIET_BIT;

  private static final int INDEFINITE_SIGN_EXPONENT = 0xFFFF;

  private X87() {}

  /** Remembers where the instruction stands, for FNSTENV, and prepares the arithmetic. */
  static SoftFloat begin(Cpu c, Insn i) {
    c.fpOpcode = (i.opcode & 7) << 8 | i.modrm & 0xFF;
    c.fpInstructionPointer = c.rip;
    c.fpInstructionSelector = c.code64() ? 0 : c.segSelector[CpuRegisters.CS];
    if (i.modrm < 0xC0) {
      c.fpDataPointer = c.effectiveAddress(i);
      c.fpDataSelector = c.code64() ? 0 : c.segSelector[i.seg];
    }
    SoftFloat f = c.soft;
    f.flags = 0;
    f.roundedUp = false;
    f.rounding = c.fpControl >> 10 & 3;
    f.masks = c.fpControl & 0x3F;
    f.denormalsAreZero = false;
    f.flushToZero = false;
    return f;
  }

  /** Significand bits that the precision control asks for. */
  static int precision(Cpu c) {
    return switch (c.fpControl >> 8 & 3) {
      case 0 -> 24;
      case 2 -> 53;
      default -> 64;
    };
  }

  // ---- registers ----

  static int physical(Cpu c, int st) {
    return c.fpTop + st & 7;
  }

  static boolean empty(Cpu c, int st) {
    return (c.fpEmpty >> physical(c, st) & 1) != 0;
  }

  static void load(Cpu c, int st, FloatValue v) {
    int r = physical(c, st);
    v.setExtended(c.fpSignificand[r], c.fpSignExponent[r]);
  }

  static void store(Cpu c, int st, FloatValue v) {
    store(c, st, v.extendedSignificand(), v.extendedSignExponent());
  }

  static void store(Cpu c, int st, long significand, int signExponent) {
    int r = physical(c, st);
    c.fpSignificand[r] = significand;
    c.fpSignExponent[r] = signExponent;
    c.fpEmpty &= ~(1 << r);
  }

  static void storeIndefinite(Cpu c, int st) {
    store(c, st, INDEFINITE_SIGNIFICAND, INDEFINITE_SIGN_EXPONENT);
  }

  /** Makes room for a new ST0; the caller stores to it. */
  static void push(Cpu c) {
    c.fpTop = c.fpTop - 1 & 7;
  }

  static void pop(Cpu c) {
    c.fpEmpty |= 1 << c.fpTop;
    c.fpTop = c.fpTop + 1 & 7;
  }

  // ---- exceptions ----

  /** Whether the exceptions met so far, as far as they are unmasked, include any of these. */
  static boolean unmasked(Cpu c, int exceptions) {
    return (c.soft.flags & ~c.fpControl & exceptions & 0x3F) != 0;
  }

  /**
   * Puts the exceptions met and C1 (rounded up) into the status word.
   *
   * @return whether the result goes to the stack: false when an unmasked exception found before the
   *     computation keeps the operands as they are
   */
  static boolean settle(Cpu c) {
    return settle(c, c.soft.roundedUp);
  }

  static boolean settle(Cpu c, boolean c1) {
    boolean stopped = unmasked(c, BEFORE);
    if (stopped) {
      c.soft.flags &= BEFORE | STACK_FAULT; // nothing was computed
    }
    int flags = c.soft.flags;
    boolean up = c1 && (!stopped || (flags & STACK_FAULT) != 0);
    int status = c.fpStatus & ~C1 | flags | (up ? C1 : 0);
    c.fpStatus = unmasked(c, -1) ? status | SUMMARY : status;
    return !stopped;
  }

  /** An operand is empty: invalid operation with C1 = 0. Whether the masked response follows. */
  static boolean stackUnderflow(Cpu c) {
    c.soft.flags = SoftFloat.INVALID | STACK_FAULT;
    return settle(c, false);
  }

  /** The new ST0 is in use: invalid operation with C1 = 1. Whether the masked response follows. */
  static boolean stackOverflow(Cpu c) {
    c.soft.flags = SoftFloat.INVALID | STACK_FAULT;
    return settle(c, true);
  }

  static void setConditions(Cpu c, int codes) {
    c.fpStatus = c.fpStatus & ~(C0 | C1 | C2 | C3) | codes;
  }

  // ---- NaNs ----

  /**
   * Whether a or b of the work space is a NaN or unsupported; then r is what the operation gives.
   */
  static boolean nanResult(SoftFloat f) {
    FloatValue a = f.a;
    FloatValue b = f.b;
    if (!a.isNan() && !b.isNan()) {
      return false;
    }
    if (a.kind == FloatValue.UNSUPPORTED || b.kind == FloatValue.UNSUPPORTED) {
      f.flags |= SoftFloat.INVALID;
      f.r.setDefaultNan();
      return true;
    }
    if (a.kind == FloatValue.SIGNALING_NAN || b.kind == FloatValue.SIGNALING_NAN) {
      f.flags |= SoftFloat.INVALID;
    }
    f.r.copy(chosenNan(a, b));
    f.r.kind = FloatValue.QUIET_NAN;
    return true;
  }

  /** SDM volume 1, table 4-7: a quiet before a signaling one, else the larger significand. */
  private static FloatValue chosenNan(FloatValue a, FloatValue b) {
    if (!a.isNan() || !b.isNan()) {
      return a.isNan() ? a : b;
    }
    if (a.kind != b.kind) {
      return a.kind == FloatValue.QUIET_NAN ? a : b;
    }
    int order = Long.compareUnsigned(a.significand, b.significand);
    if (order == 0) {
      return a.negative ? b : a;
    }
    return order > 0 ? a : b;
  }

  /** As {@link #nanResult} for the single operand a. */
  static boolean nanResultOfA(SoftFloat f) {
    f.b.setZero(false);
    return nanResult(f);
  }
}
