package org.pluribus.vmm.emulator;

/** x87 sums, products, quotients, roots, comparisons and classification. */
final class X87Arithmetic {
  private X87Arithmetic() {}

  /** An operation on the work space: r = a op b. */
  interface Operation {
    void apply(SoftFloat f);
  }

  /** Loads the memory operand into a value; may fault. */
  interface MemoryOperand {
    void load(Cpu c, Insn i, FloatValue v);
  }

  static void single(Cpu c, Insn i, FloatValue v) {
    v.setSingle((int) c.load32(c.address(i, 4, false)), false);
  }

  static void real(Cpu c, Insn i, FloatValue v) {
    v.setDouble(c.load64(c.address(i, 8, false)), false);
  }

  static void word(Cpu c, Insn i, FloatValue v) {
    v.setLong((short) c.load16(c.address(i, 2, false)));
  }

  static void doubleword(Cpu c, Insn i, FloatValue v) {
    v.setLong((int) c.load32(c.address(i, 4, false)));
  }

  // ---- the four operations ----

  /** {@code ST(d) = ST(d) op ST(s)}, one of them ST0, the other the operand's. */
  static Handler registers(Operation op, boolean toSti, boolean reverse, boolean pop) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      SoftFloat f = X87.begin(c, i);
      int st = i.modrm & 7;
      int d = toSti ? st : 0;
      if (X87.empty(c, 0) || X87.empty(c, st)) {
        if (X87.stackUnderflow(c)) {
          X87.storeIndefinite(c, d);
          popIf(c, pop);
        }
        return;
      }
      X87.load(c, d, reverse ? f.b : f.a);
      X87.load(c, toSti ? 0 : st, reverse ? f.a : f.b);
      if (computed(c, op)) {
        X87.store(c, d, f.r);
        popIf(c, pop);
      }
    };
  }

  private static void popIf(Cpu c, boolean pop) {
    if (pop) {
      X87.pop(c);
    }
  }

  /** {@code ST0 = ST0 op memory}. */
  static Handler memory(Operation op, MemoryOperand operand, boolean reverse) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      operand.load(c, i, reverse ? c.soft.a : c.soft.b);
      SoftFloat f = X87.begin(c, i);
      if (X87.empty(c, 0)) {
        if (X87.stackUnderflow(c)) {
          X87.storeIndefinite(c, 0);
        }
        return;
      }
      X87.load(c, 0, reverse ? f.b : f.a);
      if (computed(c, op)) {
        X87.store(c, 0, f.r);
      }
    };
  }

  /** Computes and rounds; whether r is to be stored. */
  private static boolean computed(Cpu c, Operation op) {
    SoftFloat f = c.soft;
    if (!X87.nanResult(f)) {
      op.apply(f);
      f.roundExtended(X87.precision(c));
    }
    return X87.settle(c);
  }

  // ---- of ST0 alone ----

  /** Whether ST0 may be worked on; else the response to an empty one is given. */
  private static boolean beginUnary(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    SoftFloat f = X87.begin(c, i);
    if (X87.empty(c, 0)) {
      if (X87.stackUnderflow(c)) {
        X87.storeIndefinite(c, 0);
      }
      return false;
    }
    X87.load(c, 0, f.a);
    return true;
  }

  static void fsqrt(Cpu c, Insn i) {
    if (beginUnary(c, i)) {
      SoftFloat f = c.soft;
      if (!X87.nanResultOfA(f)) {
        f.squareRoot();
        f.roundExtended(X87.precision(c));
      }
      if (X87.settle(c)) {
        X87.store(c, 0, f.r);
      }
    }
  }

  static void frndint(Cpu c, Insn i) {
    if (beginUnary(c, i)) {
      SoftFloat f = c.soft;
      if (!X87.nanResultOfA(f)) {
        f.flags |= f.a.denormal ? SoftFloat.DENORMAL : 0;
        f.roundToIntegral(f.rounding);
      }
      if (X87.settle(c)) {
        X87.store(c, 0, f.r);
      }
    }
  }

  static void fabs(Cpu c, Insn i) {
    if (beginUnary(c, i)) {
      X87.settle(c);
      c.fpSignExponent[c.fpTop] &= 0x7FFF;
    }
  }

  static void fchs(Cpu c, Insn i) {
    if (beginUnary(c, i)) {
      X87.settle(c);
      c.fpSignExponent[c.fpTop] ^= 0x8000;
    }
  }

  // ---- comparisons ----

  /** Compares a with b; the result as {@link SseArithmetic#order} gives it. */
  private static int order(SoftFloat f, boolean signalsQuiet) {
    FloatValue a = f.a;
    FloatValue b = f.b;
    if (a.isNan() || b.isNan()) {
      if (signalsQuiet || a.kind > FloatValue.QUIET_NAN || b.kind > FloatValue.QUIET_NAN) {
        f.flags |= SoftFloat.INVALID;
      }
      return SseArithmetic.UNORDERED;
    }
    if (a.denormal || b.denormal) {
      f.flags |= SoftFloat.DENORMAL;
    }
    return a.compareTo(b);
  }

  private static int conditions(int order) {
    return switch (order) {
      case SseArithmetic.UNORDERED -> X87.C0 | X87.C2 | X87.C3;
      case -1 -> X87.C0;
      case 0 -> X87.C3;
      default -> 0;
    };
  }

  private static void popTimes(Cpu c, int pops) {
    for (int k = 0; k < pops; k++) {
      X87.pop(c);
    }
  }

  /** FCOM, FUCOM and their popping forms with a register. */
  static Handler compareRegister(boolean signalsQuiet, int pops) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      SoftFloat f = X87.begin(c, i);
      int st = i.modrm & 7;
      if (X87.empty(c, 0) || X87.empty(c, st)) {
        unorderedByUnderflow(c, pops);
        return;
      }
      X87.load(c, 0, f.a);
      X87.load(c, st, f.b);
      finishCompare(c, order(f, signalsQuiet), pops);
    };
  }

  /** FCOM and FICOM with memory. */
  static Handler compareMemory(MemoryOperand operand, int pops) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      operand.load(c, i, c.soft.b);
      SoftFloat f = X87.begin(c, i);
      if (X87.empty(c, 0)) {
        unorderedByUnderflow(c, pops);
        return;
      }
      X87.load(c, 0, f.a);
      finishCompare(c, order(f, true), pops);
    };
  }

  static void ftst(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    SoftFloat f = X87.begin(c, i);
    if (X87.empty(c, 0)) {
      unorderedByUnderflow(c, 0);
      return;
    }
    X87.load(c, 0, f.a);
    f.b.setZero(false);
    finishCompare(c, order(f, true), 0);
  }

  private static void unorderedByUnderflow(Cpu c, int pops) {
    boolean masked = X87.stackUnderflow(c);
    X87.setConditions(c, conditions(SseArithmetic.UNORDERED));
    popTimes(c, masked ? pops : 0);
  }

  private static void finishCompare(Cpu c, int order, int pops) {
    boolean masked = X87.settle(c, false);
    // Even an unmasked exception sets the codes, as processors do; it only keeps the stack.
    X87.setConditions(c, conditions(order));
    popTimes(c, masked ? pops : 0);
  }

  /** FCOMI, FUCOMI and their popping forms. */
  static Handler compareToFlags(boolean signalsQuiet, boolean pop) {
    return (c, i) -> {
      FpuState.checkWaiting(c);
      SoftFloat f = X87.begin(c, i);
      int st = i.modrm & 7;
      int order = SseArithmetic.UNORDERED;
      boolean masked;
      if (X87.empty(c, 0) || X87.empty(c, st)) {
        masked = X87.stackUnderflow(c);
      } else {
        X87.load(c, 0, f.a);
        X87.load(c, st, f.b);
        order = order(f, signalsQuiet);
        int c1 = c.fpStatus & X87.C1;
        masked = X87.settle(c, false);
        c.fpStatus |= c1; // only a stack fault touches it
      }
      SseFloat.setOrderFlags(c, order);
      popIf(c, pop && masked);
    };
  }

  static void fxam(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    SoftFloat f = X87.begin(c, i);
    X87.load(c, 0, f.a);
    int kind =
        switch (f.a.kind) {
          case FloatValue.ZERO -> X87.C3;
          case FloatValue.NORMAL -> f.a.denormal ? X87.C3 | X87.C2 : X87.C2;
          case FloatValue.INFINITE -> X87.C2 | X87.C0;
          case FloatValue.UNSUPPORTED -> 0;
          default -> X87.C0;
        };
    boolean empty = X87.empty(c, 0);
    boolean negative = (c.fpSignExponent[c.fpTop] & 0x8000) != 0;
    X87.setConditions(c, (empty ? X87.C3 | X87.C0 : kind) | (negative ? X87.C1 : 0));
  }
}
