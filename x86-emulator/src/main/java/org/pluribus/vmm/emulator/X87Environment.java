package org.pluribus.vmm.emulator;

/**
 * FNSTENV, FLDENV, FNSAVE and FRSTOR: the x87 environment in its four layouts (SDM volume 1,
 * section 8.1.10: 16-bit or 32-bit operand size, real-address or protected mode).
 */
final class X87Environment {
  private static final int REGISTER_BYTES = 80;

  /** Tag word codes (SDM volume 1, figure 8-7). */
  private static final int TAG_VALID = 0;

  private static final int TAG_ZERO = 1;
  private static final int TAG_SPECIAL = 2;
  private static final int TAG_EMPTY = 3;

  private X87Environment() {}

  private static int environmentSize(Insn i) {
    return i.opSize == 2 ? 14 : 28;
  }

  static void fnstenv(Cpu c, Insn i) {
    FpuState.checkAvailable(c);
    int size = environmentSize(i);
    long la = writable(c, i, size);
    store(c, i, la);
    c.fpControl |= 0x3F;
    FpuState.summarize(c);
  }

  static void fldenv(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    int size = environmentSize(i);
    long la = readable(c, i, size);
    load(c, i, la);
  }

  static void fnsave(Cpu c, Insn i) {
    FpuState.checkAvailable(c);
    int size = environmentSize(i);
    long la = writable(c, i, size + REGISTER_BYTES);
    store(c, i, la);
    for (int k = 0; k < 8; k++) {
      int r = c.fpTop + k & 7;
      c.store64(la + size + 10 * k, c.fpSignificand[r]);
      c.store16(la + size + 10 * k + 8, c.fpSignExponent[r]);
    }
    FpuState.initialize(c);
  }

  static void frstor(Cpu c, Insn i) {
    FpuState.checkWaiting(c);
    int size = environmentSize(i);
    long la = readable(c, i, size + REGISTER_BYTES);
    load(c, i, la);
    for (int k = 0; k < 8; k++) {
      int r = c.fpTop + k & 7;
      c.fpSignificand[r] = c.load64(la + size + 10 * k);
      c.fpSignExponent[r] = (int) c.load16(la + size + 10 * k + 8);
    }
  }

  /**
   * Address of an operand of {@code size} bytes that is read field by field; raises what that would
   * raise before anything changes: first at its first field, then at its last byte.
   */
  private static long readable(Cpu c, Insn i, int size) {
    long la = c.address(i, unit(i), false);
    c.load(la, unit(i));
    c.address(i, size, false);
    c.load8(la + size - 1);
    return la;
  }

  private static long writable(Cpu c, Insn i, int size) {
    long la = c.address(i, unit(i), true);
    c.checkWritable(la, unit(i));
    c.address(i, size, true);
    c.checkWritable(la + size - 1, 1);
    return la;
  }

  private static int unit(Insn i) {
    return i.opSize == 2 ? 2 : 4;
  }

  private static boolean realLayout(Cpu c) {
    return !c.protectedMode() || c.virtual8086();
  }

  private static void store(Cpu c, Insn i, long la) {
    int unit = unit(i);
    long upper = unit == 4 ? 0xFFFF0000L : 0; // reserved halves are stored as ones
    c.store(la, unit, upper | c.fpControl);
    c.store(la + unit, unit, upper | FpuState.statusWord(c));
    c.store(la + 2L * unit, unit, upper | tagWord(c));
    long ip = c.fpInstructionPointer;
    long dp = c.fpDataPointer;
    if (!realLayout(c)) {
      c.store(la + 3L * unit, unit, ip);
      long opcode = unit == 4 ? (long) c.fpOpcode << 16 : 0;
      c.store(la + 4L * unit, unit, c.fpInstructionSelector | opcode);
      c.store(la + 5L * unit, unit, dp);
      c.store(la + 6L * unit, unit, upper | c.fpDataSelector);
      return;
    }
    // Real-address mode keeps linear addresses, with the selectors folded in.
    ip += (long) c.fpInstructionSelector << 4;
    dp += (long) c.fpDataSelector << 4;
    if (unit == 4) {
      c.store32(la + 12, upper | ip & 0xFFFF);
      c.store32(la + 16, (ip >>> 16 & 0xFFFF) << 12 | c.fpOpcode);
      c.store32(la + 20, upper | dp & 0xFFFF);
      c.store32(la + 24, (dp >>> 16 & 0xFFFF) << 12);
    } else {
      c.store16(la + 6, ip);
      c.store16(la + 8, (ip >>> 16 & 0xF) << 12 | c.fpOpcode);
      c.store16(la + 10, dp);
      c.store16(la + 12, (dp >>> 16 & 0xF) << 12);
    }
  }

  private static void load(Cpu c, Insn i, long la) {
    int unit = unit(i);
    c.fpControl = FpuState.legalControl((int) c.load16(la));
    int tags = (int) c.load16(la + 2L * unit);
    int empty = 0;
    for (int r = 0; r < 8; r++) {
      if ((tags >> 2 * r & 3) == TAG_EMPTY) {
        empty |= 1 << r;
      }
    }
    c.fpEmpty = empty;
    FpuState.setStatusWord(c, (int) c.load16(la + unit));
    long w3 = c.load(la + 3L * unit, unit);
    long w4 = c.load(la + 4L * unit, unit);
    long w5 = c.load(la + 5L * unit, unit);
    long w6 = c.load(la + 6L * unit, unit);
    if (realLayout(c)) {
      c.fpInstructionPointer = w3 & 0xFFFF | (w4 >>> 12 & 0xFFFF) << 16;
      c.fpInstructionSelector = 0;
      c.fpOpcode = (int) w4 & 0x7FF;
      c.fpDataPointer = w5 & 0xFFFF | (w6 >>> 12 & 0xFFFF) << 16;
      c.fpDataSelector = 0;
    } else {
      c.fpInstructionPointer = w3;
      c.fpInstructionSelector = (int) w4 & 0xFFFF;
      if (unit == 4) {
        c.fpOpcode = (int) (w4 >>> 16) & 0x7FF;
      }
      c.fpDataPointer = w5;
      c.fpDataSelector = (int) w6 & 0xFFFF;
    }
  }

  /** The full tag word, two bits a register. */
  static int tagWord(Cpu c) {
    int word = 0;
    for (int r = 0; r < 8; r++) {
      word |= tag(c, r) << 2 * r;
    }
    return word;
  }

  private static int tag(Cpu c, int r) {
    if ((c.fpEmpty >> r & 1) != 0) {
      return TAG_EMPTY;
    }
    int exponent = c.fpSignExponent[r] & 0x7FFF;
    long significand = c.fpSignificand[r];
    if (exponent == 0 && significand == 0) {
      return TAG_ZERO;
    }
    // Denormals, infinities, NaNs and whatever has no integer bit.
    boolean special = exponent == 0 || exponent == 0x7FFF || significand >= 0;
    return special ? TAG_SPECIAL : TAG_VALID;
  }
}
