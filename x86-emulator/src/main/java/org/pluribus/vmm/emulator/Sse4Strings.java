package org.pluribus.vmm.emulator;

/**
 * PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM volume 2, section 4.1): comparing two strings of
 * 16 bytes or 8 words in one of four ways, as the immediate says.
 */
final class Sse4Strings {
  private static final int WORDS = 1;
  private static final int SIGNED = 2;
  private static final int NEGATE = 1 << 4;
  private static final int NEGATE_VALID_ONLY = 1 << 5;

  /** Index instructions: take the highest bit; mask instructions: widen bits to elements. */
  private static final int OUTPUT_SELECT = 1 << 6;

  private Sse4Strings() {}

  static void pcmpestri(Cpu c, Insn i) {
    int s = source(c, i);
    storeIndex(c, i, compareExplicit(c, i, s));
  }

  static void pcmpestrm(Cpu c, Insn i) {
    int s = source(c, i);
    storeMask(c, i, compareExplicit(c, i, s));
  }

  static void pcmpistri(Cpu c, Insn i) {
    int s = source(c, i);
    storeIndex(c, i, compareImplicit(c, i, s));
  }

  static void pcmpistrm(Cpu c, Insn i) {
    int s = source(c, i);
    storeMask(c, i, compareImplicit(c, i, s));
  }

  private static int source(Cpu c, Insn i) {
    SseOperands.check(c);
    return SseOperands.sourceUnaligned(c, i, 1);
  }

  private static int elements(int control) {
    return (control & WORDS) != 0 ? 8 : 16;
  }

  private static int compareExplicit(Cpu c, Insn i, int s) {
    int n = elements((int) i.imm);
    boolean wide = (i.rex & 8) != 0;
    int lengthA = length(c.gpr[CpuRegisters.RAX], wide, n);
    int lengthB = length(c.gpr[CpuRegisters.RDX], wide, n);
    return compare(c, i, s, lengthA, lengthB);
  }

  /** Absolute value of a length register, at most {@code n}. */
  private static int length(long register, boolean wide, int n) {
    long v = Math.abs(wide ? register : (int) register);
    return v < 0 ? n : (int) Math.min(v, n); // the most negative has no absolute value
  }

  private static int compareImplicit(Cpu c, Insn i, int s) {
    int control = (int) i.imm;
    int lengthA = zeroAt(c, SseOperands.register(i, 0), control);
    return compare(c, i, s, lengthA, zeroAt(c, s, control));
  }

  private static int zeroAt(Cpu c, int register, int control) {
    int n = elements(control);
    for (int k = 0; k < n; k++) {
      if (element(c, register, k, control) == 0) {
        return k;
      }
    }
    return n;
  }

  private static int element(Cpu c, int register, int k, int control) {
    if ((control & WORDS) != 0) {
      long v = c.xmm[register + (k >> 2)] >>> 16 * (k & 3);
      return (control & SIGNED) != 0 ? (short) v : (int) v & 0xFFFF;
    }
    long v = c.xmm[register + (k >> 3)] >>> 8 * (k & 7);
    return (control & SIGNED) != 0 ? (byte) v : (int) v & 0xFF;
  }

  /** IntRes2: a bit per element of the second string; sets the flags. */
  private static int compare(Cpu c, Insn i, int s, int lengthA, int lengthB) {
    int control = (int) i.imm;
    int n = elements(control);
    int a = SseOperands.register(i, 0);
    int r = 0;
    for (int j = 0; j < n; j++) {
      boolean hit =
          switch (control >> 2 & 3) {
            case 0 -> j < lengthB && equalsAny(c, a, lengthA, s, j, control);
            case 1 -> j < lengthB && inRanges(c, a, lengthA, s, j, control);
            case 2 -> equalsEach(c, a, lengthA, s, lengthB, j, control);
            default -> startsAt(c, a, lengthA, s, lengthB, j, control);
          };
      r |= hit ? 1 << j : 0;
    }
    if ((control & NEGATE) != 0) {
      r ^= (control & NEGATE_VALID_ONLY) != 0 ? (1 << lengthB) - 1 : (1 << n) - 1;
    }
    c.setArithmeticFlags(
        (r != 0 ? CpuRegisters.FLAG_CF : 0)
            | (lengthB < n ? CpuRegisters.FLAG_ZF : 0)
            | (lengthA < n ? CpuRegisters.FLAG_SF : 0)
            | ((r & 1) != 0 ? CpuRegisters.FLAG_OF : 0));
    return r;
  }

  private static boolean equalsAny(Cpu c, int a, int lengthA, int s, int j, int control) {
    int v = element(c, s, j, control);
    for (int k = 0; k < lengthA; k++) {
      if (element(c, a, k, control) == v) {
        return true;
      }
    }
    return false;
  }

  private static boolean inRanges(Cpu c, int a, int lengthA, int s, int j, int control) {
    int v = element(c, s, j, control);
    for (int k = 0; k + 1 < lengthA; k += 2) {
      if (element(c, a, k, control) <= v && v <= element(c, a, k + 1, control)) {
        return true;
      }
    }
    return false;
  }

  private static boolean equalsEach(
      Cpu c, int a, int lengthA, int s, int lengthB, int j, int control) {
    if (j >= lengthA || j >= lengthB) {
      return j >= lengthA && j >= lengthB;
    }
    return element(c, a, j, control) == element(c, s, j, control);
  }

  /** Whether the first string, as far as it fits, stands at {@code j} in the second. */
  private static boolean startsAt(
      Cpu c, int a, int lengthA, int s, int lengthB, int j, int control) {
    int n = elements(control);
    for (int k = 0; k < lengthA && j + k < n; k++) {
      if (j + k >= lengthB || element(c, a, k, control) != element(c, s, j + k, control)) {
        return false;
      }
    }
    return true;
  }

  private static void storeIndex(Cpu c, Insn i, int r) {
    int n = elements((int) i.imm);
    int index = n;
    if (r != 0) {
      boolean highest = ((int) i.imm & OUTPUT_SELECT) != 0;
      index = highest ? 31 - Integer.numberOfLeadingZeros(r) : Integer.numberOfTrailingZeros(r);
    }
    c.gpr[CpuRegisters.RCX] = index;
  }

  private static void storeMask(Cpu c, Insn i, int r) {
    int control = (int) i.imm;
    if ((control & OUTPUT_SELECT) == 0) {
      SseOperands.set(c, 0, r, 0);
      return;
    }
    int n = elements(control);
    int bits = 128 / n;
    SseOperands.set(c, 0, spread(r, n / 2, bits), spread(r >> n / 2, n / 2, bits));
  }

  private static long spread(int r, int count, int bits) {
    long v = 0;
    for (int k = 0; k < count; k++) {
      if ((r >> k & 1) != 0) {
        v |= -1L >>> 64 - bits << bits * k;
      }
    }
    return v;
  }
}
