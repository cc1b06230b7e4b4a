package org.pluribus.vmm.emulator;

/**
 * The architectural registers of one CPU, and its arithmetic flags in lazy form.
 *
 * <p>The six arithmetic flags are kept in three longs that an operation stores without computing
 * any flag; they are computed when read:
 *
 * <ul>
 *   <li>{@link #fz}: ZF = {@code fz == 0};
 *   <li>{@link #fs}: SF = {@code fs < 0}, PF = even parity of the low byte of {@code fs};
 *   <li>{@link #fc}, the carry vector: CF = bit 63, OF = bit 63 xor bit 62, AF = bit 3.
 * </ul>
 *
 * <p>An addition or subtraction stores its result, sign-extended from the operand size, to {@code
 * fz} and {@code fs}, and the vector of carries out of each bit, moved so that the operand's top
 * bit is bit 63, to {@code fc} (see {@link #setAddFlags}). Any combination of flags can be stored
 * ({@link #setArithmeticFlags}).
 */
public abstract class CpuRegisters {
  public static final int RAX = 0;
  public static final int RCX = 1;
  public static final int RDX = 2;
  public static final int RBX = 3;
  public static final int RSP = 4;
  public static final int RBP = 5;
  public static final int RSI = 6;
  public static final int RDI = 7;

  public static final int ES = 0;
  public static final int CS = 1;
  public static final int SS = 2;
  public static final int DS = 3;
  public static final int FS = 4;
  public static final int GS = 5;

  /** The LDT and task registers share the segment arrays. */
  public static final int LDTR = 6;

  public static final int TR = 7;

  public static final int FLAG_CF = 1;
  public static final int FLAG_PF = 1 << 2;
  public static final int FLAG_AF = 1 << 4;
  public static final int FLAG_ZF = 1 << 6;
  public static final int FLAG_SF = 1 << 7;
  public static final int FLAG_TF = 1 << 8;
  public static final int FLAG_IF = 1 << 9;
  public static final int FLAG_DF = 1 << 10;
  public static final int FLAG_OF = 1 << 11;
  public static final int FLAG_IOPL = 3 << 12;
  public static final int FLAG_NT = 1 << 14;
  public static final int FLAG_RF = 1 << 16;
  public static final int FLAG_VM = 1 << 17;
  public static final int FLAG_AC = 1 << 18;
  public static final int FLAG_VIF = 1 << 19;
  public static final int FLAG_VIP = 1 << 20;
  public static final int FLAG_ID = 1 << 21;

  /** The six flags that live in {@link #fz}, {@link #fs} and {@link #fc}. */
  public static final int ARITHMETIC_FLAGS =
      FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF;

  public static final long CR0_PE = 1;
  public static final long CR0_MP = 1 << 1;
  public static final long CR0_EM = 1 << 2;
  public static final long CR0_TS = 1 << 3;
  public static final long CR0_ET = 1 << 4;
  public static final long CR0_NE = 1 << 5;
  public static final long CR0_WP = 1 << 16;
  public static final long CR0_AM = 1 << 18;
  public static final long CR0_NW = 1 << 29;
  public static final long CR0_CD = 1 << 30;
  public static final long CR0_PG = 1L << 31;

  public static final long CR4_VME = 1;
  public static final long CR4_PVI = 1 << 1;
  public static final long CR4_TSD = 1 << 2;
  public static final long CR4_DE = 1 << 3;
  public static final long CR4_PSE = 1 << 4;
  public static final long CR4_PAE = 1 << 5;
  public static final long CR4_MCE = 1 << 6;
  public static final long CR4_PGE = 1 << 7;
  public static final long CR4_PCE = 1 << 8;
  public static final long CR4_OSFXSR = 1 << 9;
  public static final long CR4_OSXMMEXCPT = 1 << 10;
  public static final long CR4_UMIP = 1 << 11;
  public static final long CR4_FSGSBASE = 1 << 16;
  public static final long CR4_PCIDE = 1 << 17;
  public static final long CR4_OSXSAVE = 1 << 18;
  public static final long CR4_SMEP = 1 << 20;
  public static final long CR4_SMAP = 1 << 21;

  public static final long EFER_SCE = 1;
  public static final long EFER_LME = 1 << 8;
  public static final long EFER_LMA = 1 << 10;
  public static final long EFER_NXE = 1 << 11;

  /** General registers by encoding: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. */
  public final long[] gpr = new long[16];

  /** Address of the instruction being executed (offset in CS). */
  public long rip;

  /** Address of the instruction to execute next; branch handlers store their target here. */
  public long nextRip;

  public long fz = 1;
  public long fs = 1;
  public long fc;

  /** EFLAGS without the arithmetic flags and with bit 1 set. */
  public int flagsSystem = 2;

  /** Selectors by segment register number; {@link #LDTR} and {@link #TR} too. */
  public final int[] segSelector = new int[8];

  /** Bases as loaded from descriptors (or MSRs for FS and GS in 64-bit mode). */
  public final long[] segBase = new long[8];

  /** Limits in bytes, granularity applied: the last valid offset of an expand-up segment. */
  public final int[] segLimit = new int[8];

  /**
   * Access rights as the descriptor's second doubleword holds them, bits 8 to 23 moved down by 8:
   * type (3:0), S (4), DPL (6:5), P (7), AVL (12), L (13), D/B (14), G (15).
   */
  public final int[] segAccess = new int[8];

  /** The base each data access adds: 0 for ES, CS, SS and DS in 64-bit mode. */
  public final long[] effectiveBase = new long[8];

  public long gdtBase;
  public int gdtLimit;
  public long idtBase;
  public int idtLimit = 0x3FF;

  public long cr0 = CR0_ET | CR0_NW | CR0_CD;
  public long cr2;
  public long cr3;
  public long cr4;
  public long efer;

  /** DR0 to DR3, DR6 and DR7 at their own numbers. */
  public final long[] dr = {0, 0, 0, 0, 0, 0, 0xFFFF0FF0L, 0x400};

  /** Current privilege level, 0 to 3. */
  public int cpl;

  /** Width of the code being run: 16, 32 or 64 (CS.L and CS.D). */
  public int codeBits = 16;

  /** Width of the implicit stack pointer: 16, 32 or 64. */
  public int stackBits = 16;

  public long star;
  public long lstar;
  public long cstar;
  public long sfmask;
  public long kernelGsBase;
  public long sysenterCs;
  public long sysenterEsp;
  public long sysenterEip;
  public long tscAux;
  public long tscOffset;

  /**
   * XMM registers: low quadword at 2n, high at 2n + 1. The last two elements are no register: a
   * memory source operand is loaded there, so that handlers see all sources alike.
   */
  public final long[] xmm = new long[34];

  public int mxcsr = 0x1F80;

  /** Work space of the floating-point handlers; no state between instructions. */
  final SoftFloat soft = new SoftFloat();

  /** x87 registers by physical number: significand, and sign (bit 15) with exponent (14:0). */
  public final long[] fpSignificand = new long[8];

  public final int[] fpSignExponent = new int[8];
  public int fpControl = 0x37F;

  /** Status word without TOP, which is {@link #fpTop}. */
  public int fpStatus;

  public int fpTop;

  /** Tag of each physical register: bit set = empty. */
  public int fpEmpty = 0xFF;

  public int fpOpcode;
  public long fpInstructionPointer;
  public long fpDataPointer;
  public int fpInstructionSelector;
  public int fpDataSelector;

  /** XCR0: x87 always, SSE where enabled. */
  public long xcr0 = 1;

  // ---- flags ----

  public final boolean cf() {
    return fc < 0;
  }

  public final boolean zf() {
    return fz == 0;
  }

  public final boolean sf() {
    return fs < 0;
  }

  public final boolean of() {
    return (fc ^ (fc << 1)) < 0;
  }

  public final boolean pf() {
    return (Integer.bitCount((int) fs & 0xFF) & 1) == 0;
  }

  public final boolean af() {
    return (fc & 8) != 0;
  }

  /** Evaluates condition code {@code cc} (the low four bits of Jcc, SETcc and CMOVcc). */
  public final boolean condition(int cc) {
    boolean v =
        switch ((cc >> 1) & 7) {
          case 0 -> of();
          case 1 -> cf();
          case 2 -> zf();
          case 3 -> cf() || zf();
          case 4 -> sf();
          case 5 -> pf();
          case 6 -> sf() != of();
          default -> zf() || sf() != of();
        };
    return v ^ ((cc & 1) != 0);
  }

  /** The whole of EFLAGS as PUSHF shows it. */
  public final int eflags() {
    return flagsSystem | arithmeticFlags();
  }

  /** The six arithmetic flags at their places in EFLAGS. */
  public final int arithmeticFlags() {
    int f = 0;
    if (cf()) f |= FLAG_CF;
    if (pf()) f |= FLAG_PF;
    if (af()) f |= FLAG_AF;
    if (zf()) f |= FLAG_ZF;
    if (sf()) f |= FLAG_SF;
    if (of()) f |= FLAG_OF;
    return f;
  }

  /** Sets the six arithmetic flags from the bits of {@code flags}; others are ignored. */
  public final void setArithmeticFlags(int flags) {
    fz = (flags & FLAG_ZF) != 0 ? 0 : 1;
    fs = ((flags & FLAG_SF) != 0 ? Long.MIN_VALUE : 0) | ((flags & FLAG_PF) != 0 ? 0 : 1);
    boolean carry = (flags & FLAG_CF) != 0;
    boolean overflow = (flags & FLAG_OF) != 0;
    fc =
        (carry ? 1L << 63 : 0)
            | (carry != overflow ? 1L << 62 : 0)
            | ((flags & FLAG_AF) != 0 ? 8 : 0);
  }

  /** Replaces CF only. */
  public final void setCarry(boolean carry) {
    boolean overflow = of();
    fc = (fc & (-1L >>> 2)) | (carry ? 1L << 63 : 0) | (carry != overflow ? 1L << 62 : 0);
  }

  /**
   * Flags of {@code result = a + b (+ carry in)} at {@code size} bytes. Only the low {@code size}
   * bytes of the operands and result count; they need not be extended.
   */
  public final void setAddFlags(long a, long b, long result, int size) {
    setResultAndCarries(result, (a & b) | ((a | b) & ~result), size);
  }

  /** Flags of {@code result = a - b (- borrow in)} at {@code size} bytes; also of CMP and NEG. */
  public final void setSubFlags(long a, long b, long result, int size) {
    setResultAndCarries(result, (~a & b) | ((~a | b) & result), size);
  }

  /** Flags of a logical operation: CF = OF = AF = 0. */
  public final void setLogicFlags(long result, int size) {
    int shift = 64 - 8 * size;
    long r = result << shift >> shift;
    fz = r;
    fs = r;
    fc = 0;
  }

  private void setResultAndCarries(long result, long carries, int size) {
    int shift = 64 - 8 * size;
    long r = result << shift >> shift;
    fz = r;
    fs = r;
    // The top carry goes to bit 63; AF's carry out of bit 3 stays at bit 3 (for 64 bits both hold).
    fc = (carries << shift & (3L << 62)) | (carries & 8);
  }

  // ---- modes ----

  public final boolean protectedMode() {
    return (cr0 & CR0_PE) != 0;
  }

  public final boolean longModeActive() {
    return (efer & EFER_LMA) != 0;
  }

  public final boolean code64() {
    return codeBits == 64;
  }

  public final boolean virtual8086() {
    return (flagsSystem & FLAG_VM) != 0;
  }

  /** A register as an operand of {@code size} bytes; 16 to 19 are AH, CH, DH and BH (size 1). */
  public final long readGpr(int reg, int size) {
    if (reg >= 16) {
      return gpr[reg - 16] >>> 8 & 0xFF;
    }
    long v = gpr[reg];
    return switch (size) {
      case 1 -> v & 0xFF;
      case 2 -> v & 0xFFFF;
      case 4 -> v & 0xFFFFFFFFL;
      default -> v;
    };
  }

  /**
   * Writes a register operand: a 32-bit write clears the upper half, narrower ones keep the rest.
   */
  public final void writeGpr(int reg, int size, long value) {
    if (reg >= 16) {
      gpr[reg - 16] = (gpr[reg - 16] & ~0xFF00L) | (value & 0xFF) << 8;
      return;
    }
    switch (size) {
      case 1 -> gpr[reg] = (gpr[reg] & ~0xFFL) | (value & 0xFF);
      case 2 -> gpr[reg] = (gpr[reg] & ~0xFFFFL) | (value & 0xFFFF);
      case 4 -> gpr[reg] = value & 0xFFFFFFFFL;
      default -> gpr[reg] = value;
    }
  }
}
