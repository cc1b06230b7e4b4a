package org.pluribus.vmm.emulator;

/** x87 loads, stores, constants and stack moves. */
final class X87Moves {
  private static final int BIAS = FloatValue.EXTENDED_BIAS;

  private X87Moves() {}

  // ---- loads ----

  /** FLD of a single or double, FILD: anything that becomes a value. */
  static Handler load(X87Arithmetic.MemoryOperand operand) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      operand.load(c, i, c.soft.a);
      SoftFloat f = X87.begin(c, i);
      if (!X87.empty(c, 7)) {
        overflowPush(c);
        return;
      }
      if (!X87.nanResultOfA(f)) {
        f.flags |= f.a.denormal ? SoftFloat.DENORMAL : 0;
        f.r.copy(f.a);
      }
      // A denormal is loaded even when its exception is unmasked, as processors do.
      X87.settle(c, false);
      if (!X87.unmasked(c, SoftFloat.INVALID)) {
        X87.push(c);
        X87.store(c, 0, f.r);
      }
    };
  }

  private static void overflowPush(Cpu c) {
    if (X87.stackOverflow(c)) {
      X87.push(c);
      X87.storeIndefinite(c, 0);
    }
  }

  static void quadword(Cpu c, Insn i, FloatValue v) {
    v.setLong(c.load64(c.address(i, 8, false)));
  }

  /** FLD m80fp: the bits as they are, nothing raised but a stack fault. */
  static void fldExtended(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    long la = c.address(i, 10, false);
    long significand = c.load64(la);
    int signExponent = (int) c.load16(la + 8);
    X87.begin(c, i);
    pushRaw(c, significand, signExponent);
  }

  private static void pushRaw(Cpu c, long significand, int signExponent) {
    if (!X87.empty(c, 7)) {
      overflowPush(c);
      return;
    }
    X87.settle(c, false);
    X87.push(c);
    X87.store(c, 0, significand, signExponent);
  }

  /** FLD STi. */
  static void fldRegister(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    X87.begin(c, i);
    int st = i.modrm & 7;
    if (!X87.empty(c, 7)) {
      overflowPush(c);
    } else if (X87.empty(c, st)) {
      if (X87.stackUnderflow(c)) {
        X87.push(c);
        X87.storeIndefinite(c, 0);
      }
    } else {
      int r = X87.physical(c, st);
      pushRaw(c, c.fpSignificand[r], c.fpSignExponent[r]);
    }
  }

  /** FBLD: 18 packed decimal digits and a sign. */
  static void packedDecimal(Cpu c, Insn i, FloatValue v) {
    long la = c.address(i, 10, false);
    long digits = c.load64(la);
    int top = (int) c.load16(la + 8);
    long n = 10 * (top >> 4 & 15) + (top & 15);
    for (int shift = 60; shift >= 0; shift -= 4) {
      n = 10 * n + (digits >>> shift & 15);
    }
    v.setLong(n);
    v.negative = (top & 0x8000) != 0;
  }

  // ---- constants: the significand cut off, and whether nearest is the next one ----

  private static Handler constant(int exponent, long cut, boolean nearestIsNext, boolean exact) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      SoftFloat f = X87.begin(c, i);
      boolean next =
          !exact
              && (f.rounding == SoftFloat.UP || (f.rounding == SoftFloat.NEAREST && nearestIsNext));
      pushRaw(c, cut + (next ? 1 : 0), exponent);
    };
  }

  static Handler fld1() {
    return constant(BIAS, FloatValue.INTEGER_BIT, false, true);
  }

  static Handler fldz() {
    return constant(0, 0, false, true);
  }

  static Handler fldl2t() {
    return constant(BIAS + 1, 0xD49A784BCD1B8AFEL, false, false);
  }

  static Handler fldl2e() {
    return constant(BIAS, 0xB8AA3B295C17F0BBL, true, false);
  }

  static Handler fldpi() {
    return constant(BIAS + 1, 0xC90FDAA22168C234L, true, false);
  }

  static Handler fldlg2() {
    return constant(BIAS - 2, 0x9A209A84FBCFF798L, true, false);
  }

  static Handler fldln2() {
    return constant(BIAS - 1, 0xB17217F7D1CF79ABL, true, false);
  }

  // ---- stores ----

  /** FST and FSTP to a single or double. */
  static Handler storeReal(int size, boolean pop) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      long la = c.address(i, size, true);
      SoftFloat f = X87.begin(c, i);
      boolean empty = X87.empty(c, 0);
      if (empty) {
        f.flags = SoftFloat.INVALID | X87.STACK_FAULT;
        f.r.setDefaultNan();
      } else {
        X87.load(c, 0, f.a);
        roundForStore(f, size);
      }
      if (!X87.unmasked(c, X87.NOT_STORED)) {
        c.store(la, size, size == 4 ? f.r.toSingle() : f.r.toDouble());
        X87.settle(c);
        popIf(c, pop);
      } else {
        c.checkWritable(la, size);
        f.flags &= ~SoftFloat.PRECISION; // nothing was stored, nothing got inexact
        X87.settle(c, false);
      }
    };
  }

  private static void roundForStore(SoftFloat f, int size) {
    if (X87.nanResultOfA(f)) {
      return;
    }
    f.r.copy(f.a);
    if (size == 4) {
      f.roundSingle();
    } else {
      f.roundDouble();
    }
  }

  private static void popIf(Cpu c, boolean pop) {
    if (pop) {
      X87.pop(c);
    }
  }

  /** FSTP m80fp: the bits as they are. */
  static void fstpExtended(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    long la = c.address(i, 10, true);
    SoftFloat f = X87.begin(c, i);
    if (X87.empty(c, 0)) {
      f.flags = SoftFloat.INVALID | X87.STACK_FAULT;
      f.r.setDefaultNan();
      if (!X87.unmasked(c, X87.NOT_STORED)) {
        storeTenBytes(c, la, f.r.extendedSignificand(), f.r.extendedSignExponent());
      } else {
        c.checkWritable(la, 10);
      }
    } else {
      storeTenBytes(c, la, c.fpSignificand[c.fpTop], c.fpSignExponent[c.fpTop]);
    }
    if (X87.settle(c, false)) {
      X87.pop(c);
    }
  }

  private static void storeTenBytes(Cpu c, long la, long low, int high) {
    if ((la & ~CpuMemory.PAGE_MASK) > CpuMemory.PAGE_SIZE - 10) {
      c.checkWritable(la, 10);
    }
    c.store64(la, low);
    c.store16(la + 8, high);
  }

  /** FIST, FISTP and, truncating, FISTTP. */
  static Handler storeInteger(int size, boolean truncate, boolean pop) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      long la = c.address(i, size, true);
      SoftFloat f = X87.begin(c, i);
      long v = Long.MIN_VALUE >> 64 - 8 * size;
      if (X87.empty(c, 0)) {
        f.flags = SoftFloat.INVALID | X87.STACK_FAULT;
      } else {
        X87.load(c, 0, f.a);
        v = f.toInteger(8 * size, truncate ? SoftFloat.TOWARD_ZERO : f.rounding);
      }
      if (!X87.unmasked(c, X87.NOT_STORED)) {
        c.store(la, size, v);
        X87.settle(c);
        popIf(c, pop);
      } else {
        c.checkWritable(la, size);
        X87.settle(c, false);
      }
    };
  }

  /** Largest magnitude of 18 decimal digits. */
  private static final long MAX_DECIMAL = 999_999_999_999_999_999L;

  /** FBSTP's answer to invalid operands. */
  private static final long DECIMAL_INDEFINITE_LOW = 0xC000000000000000L;

  private static final int DECIMAL_INDEFINITE_HIGH = 0xFFFF;

  static void fbstp(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    long la = c.address(i, 10, true);
    SoftFloat f = X87.begin(c, i);
    long v = 0;
    boolean negative = false;
    if (X87.empty(c, 0)) {
      f.flags = SoftFloat.INVALID | X87.STACK_FAULT;
    } else {
      X87.load(c, 0, f.a);
      negative = f.a.negative;
      v = Math.abs(f.toInteger(64, f.rounding));
      if (v < 0 || v > MAX_DECIMAL) {
        f.flags = SoftFloat.INVALID;
        f.roundedUp = false;
      }
    }
    if (X87.unmasked(c, X87.NOT_STORED)) {
      c.checkWritable(la, 10);
      X87.settle(c, false);
      return;
    }
    if ((f.flags & SoftFloat.INVALID) != 0) {
      storeTenBytes(c, la, DECIMAL_INDEFINITE_LOW, DECIMAL_INDEFINITE_HIGH);
    } else {
      long digits = 0;
      for (int shift = 0; shift < 64; shift += 4) {
        digits |= v % 10 << shift;
        v /= 10;
      }
      storeTenBytes(c, la, digits, (int) (v / 10 << 4 | v % 10) | (negative ? 0x8000 : 0));
    }
    X87.settle(c);
    X87.pop(c);
  }

  /** FST STi and FSTP STi. */
  static Handler storeRegister(boolean pop) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      X87.begin(c, i);
      int st = i.modrm & 7;
      if (X87.empty(c, 0)) {
        if (X87.stackUnderflow(c)) {
          X87.storeIndefinite(c, st);
          popIf(c, pop);
        }
        return;
      }
      X87.settle(c, false);
      X87.store(c, st, c.fpSignificand[c.fpTop], c.fpSignExponent[c.fpTop]);
      popIf(c, pop);
    };
  }

  /** FSTP1 and its like: an empty register is not copied, and nothing is raised. */
  static void storeUnchecked(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    X87.begin(c, i);
    X87.settle(c, false);
    int st = i.modrm & 7;
    if (!X87.empty(c, 0)) {
      X87.store(c, st, c.fpSignificand[c.fpTop], c.fpSignExponent[c.fpTop]);
    }
    X87.pop(c);
  }

  // ---- within the stack ----

  static void fxch(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    X87.begin(c, i);
    int st = i.modrm & 7;
    if (X87.empty(c, 0) || X87.empty(c, st)) {
      if (!X87.stackUnderflow(c)) {
        return;
      }
      for (int k = 0; k <= st; k += Math.max(st, 1)) {
        if (X87.empty(c, k)) {
          X87.storeIndefinite(c, k);
        }
      }
    } else {
      X87.settle(c, false);
    }
    int r = X87.physical(c, st);
    long significand = c.fpSignificand[r];
    int signExponent = c.fpSignExponent[r];
    X87.store(c, st, c.fpSignificand[c.fpTop], c.fpSignExponent[c.fpTop]);
    X87.store(c, 0, significand, signExponent);
  }

  /** FCMOVcc with the condition code of the matching CMOVcc. */
  static Handler fcmov(int condition) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      X87.begin(c, i);
      int st = i.modrm & 7;
      if (X87.empty(c, 0) || X87.empty(c, st)) {
        if (X87.stackUnderflow(c)) {
          X87.storeIndefinite(c, 0);
        }
        return;
      }
      if (c.condition(condition)) {
        int r = X87.physical(c, st);
        X87.store(c, 0, c.fpSignificand[r], c.fpSignExponent[r]);
      }
    };
  }

  static void ffree(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    X87.begin(c, i);
    c.fpStatus &= ~X87.C1;
    c.fpEmpty |= 1 << X87.physical(c, i.modrm & 7);
  }

  /** FFREEP, which the SDM does not name. */
  static void ffreep(Cpu c, Insn i) {
    ffree(c, i);
    X87.pop(c);
  }

  static void fincstp(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    X87.begin(c, i);
    X87.settle(c, false);
    c.fpTop = c.fpTop + 1 & 7;
  }

  static void fdecstp(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    X87.begin(c, i);
    X87.settle(c, false);
    c.fpTop = c.fpTop - 1 & 7;
  }

  static void fnop(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    X87.begin(c, i);
  }
}
