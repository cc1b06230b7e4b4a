package org.pluribus.vmm.emulator;

/** SSE data movement. None of these raises a floating-point exception. */
final class SseMoves {
  private SseMoves() {}

  /** MOVAPS, MOVAPD, MOVDQA, MOVNTDQA and 16-byte loads that must be aligned. */
  static void loadAligned(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    SseOperands.set(c, SseOperands.register(i, 0), c.xmm[s], c.xmm[s + 1]);
  }

  /** MOVUPS, MOVUPD, MOVDQU, LDDQU. */
  static void loadUnaligned(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.sourceUnaligned(c, i, 1);
    SseOperands.set(c, SseOperands.register(i, 0), c.xmm[s], c.xmm[s + 1]);
  }

  /** Stores of 16 bytes that must be aligned, MOVNT* among them; also register to register. */
  static void storeAligned(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.register(i, 1);
    if (i.kind[0] == Insn.MEM) {
      long la = SseOperands.alignedAddress(c, i, true);
      SseOperands.store128(c, la, c.xmm[s], c.xmm[s + 1]);
    } else {
      SseOperands.set(c, SseOperands.register(i, 0), c.xmm[s], c.xmm[s + 1]);
    }
  }

  static void storeUnaligned(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.register(i, 1);
    if (i.kind[0] == Insn.MEM) {
      SseOperands.store128(c, c.address(i, 16, true), c.xmm[s], c.xmm[s + 1]);
    } else {
      SseOperands.set(c, SseOperands.register(i, 0), c.xmm[s], c.xmm[s + 1]);
    }
  }

  /** MOVQ and MOVSD from memory, MOVQ between registers: the high quadword becomes 0. */
  static void load64ZeroHigh(Cpu c, Insn i) {
    SseOperands.check(c);
    SseOperands.set(c, SseOperands.register(i, 0), SseOperands.source64(c, i, 1), 0);
  }

  /** MOVSS from memory: the rest of the register becomes 0. */
  static void load32ZeroHigh(Cpu c, Insn i) {
    SseOperands.check(c);
    SseOperands.set(c, SseOperands.register(i, 0), SseOperands.source32(c, i, 1) & 0xFFFFFFFFL, 0);
  }

  /** MOVSD between registers: the high quadword stays. */
  static void moveLow64(Cpu c, Insn i) {
    SseOperands.check(c);
    c.xmm[SseOperands.register(i, 0)] = c.xmm[SseOperands.register(i, 1)];
  }

  /** MOVSS between registers: the rest stays. */
  static void moveLow32(Cpu c, Insn i) {
    SseOperands.check(c);
    int d = SseOperands.register(i, 0);
    c.xmm[d] = c.xmm[d] & ~0xFFFFFFFFL | c.xmm[SseOperands.register(i, 1)] & 0xFFFFFFFFL;
  }

  /** MOVQ, MOVSD, MOVLPS, MOVLPD to memory. */
  static void store64(Cpu c, Insn i) {
    SseOperands.check(c);
    c.store64(c.address(i, 8, true), c.xmm[SseOperands.register(i, 1)]);
  }

  /** MOVQ Wq,Vq: to memory, or to a register whose high quadword becomes 0. */
  static void moveQuadwordToW(Cpu c, Insn i) {
    if (i.kind[0] == Insn.MEM) {
      store64(c, i);
    } else {
      SseOperands.check(c);
      SseOperands.set(c, SseOperands.register(i, 0), c.xmm[SseOperands.register(i, 1)], 0);
    }
  }

  static void store32(Cpu c, Insn i) {
    SseOperands.check(c);
    c.store32(c.address(i, 4, true), c.xmm[SseOperands.register(i, 1)]);
  }

  /** MOVHPS, MOVHPD to memory. */
  static void storeHigh64(Cpu c, Insn i) {
    SseOperands.check(c);
    c.store64(c.address(i, 8, true), c.xmm[SseOperands.register(i, 1) + 1]);
  }

  /** MOVLPS, MOVLPD from memory: the high quadword stays. */
  static void loadLow64(Cpu c, Insn i) {
    SseOperands.check(c);
    c.xmm[SseOperands.register(i, 0)] = c.load64(c.address(i, 8, false));
  }

  /** MOVHPS, MOVHPD from memory. */
  static void loadHigh64(Cpu c, Insn i) {
    SseOperands.check(c);
    c.xmm[SseOperands.register(i, 0) + 1] = c.load64(c.address(i, 8, false));
  }

  static void movhlps(Cpu c, Insn i) {
    SseOperands.check(c);
    c.xmm[SseOperands.register(i, 0)] = c.xmm[SseOperands.register(i, 1) + 1];
  }

  static void movlhps(Cpu c, Insn i) {
    SseOperands.check(c);
    c.xmm[SseOperands.register(i, 0) + 1] = c.xmm[SseOperands.register(i, 1)];
  }

  /** MOVD, MOVQ from a general register or memory. */
  static void fromGeneral(Cpu c, Insn i) {
    SseOperands.check(c);
    SseOperands.set(c, SseOperands.register(i, 0), c.read(i, 1), 0);
  }

  /** MOVD, MOVQ to a general register or memory. */
  static void toGeneral(Cpu c, Insn i) {
    SseOperands.check(c);
    c.write(i, 0, c.xmm[SseOperands.register(i, 1)]);
  }

  /** MOVNTI: an ordinary store. */
  static void movnti(Cpu c, Insn i) {
    c.write(i, 0, c.read(i, 1));
  }

  static void movmskps(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.register(i, 1);
    c.gpr[i.reg[0]] = signs32(c.xmm[s]) | signs32(c.xmm[s + 1]) << 2;
  }

  private static long signs32(long v) {
    return v >>> 31 & 1 | v >>> 62 & 2;
  }

  static void movmskpd(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.register(i, 1);
    c.gpr[i.reg[0]] = c.xmm[s] >>> 63 | c.xmm[s + 1] >>> 63 << 1;
  }

  /** MOVDDUP: the low quadword twice; its memory operand is 8 bytes. */
  static void movddup(Cpu c, Insn i) {
    SseOperands.check(c);
    long v = SseOperands.source64(c, i, 1);
    SseOperands.set(c, SseOperands.register(i, 0), v, v);
  }

  static void movsldup(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    SseOperands.set(c, SseOperands.register(i, 0), twiceLow(c.xmm[s]), twiceLow(c.xmm[s + 1]));
  }

  static void movshdup(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    SseOperands.set(
        c, SseOperands.register(i, 0), twiceLow(c.xmm[s] >>> 32), twiceLow(c.xmm[s + 1] >>> 32));
  }

  private static long twiceLow(long v) {
    return v & 0xFFFFFFFFL | v << 32;
  }

  static void shufps(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    int order = (int) i.imm;
    long[] x = c.xmm;
    long low =
        PackedShuffle.doublewordOf(x[d], x[d + 1], order & 3)
            | PackedShuffle.doublewordOf(x[d], x[d + 1], order >> 2 & 3) << 32;
    long high =
        PackedShuffle.doublewordOf(x[s], x[s + 1], order >> 4 & 3)
            | PackedShuffle.doublewordOf(x[s], x[s + 1], order >> 6 & 3) << 32;
    SseOperands.set(c, d, low, high);
  }

  static void shufpd(Cpu c, Insn i) {
    SseOperands.check(c);
    int s = SseOperands.source(c, i, 1);
    int d = SseOperands.register(i, 0);
    int order = (int) i.imm;
    long low = c.xmm[d + (order & 1)];
    SseOperands.set(c, d, low, c.xmm[s + (order >> 1 & 1)]);
  }
}
