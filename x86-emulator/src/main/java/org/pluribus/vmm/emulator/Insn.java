package org.pluribus.vmm.emulator;

/**
 * One decoded instruction: its row, effective sizes, prefixes and operands. Immutable once decoded;
 * shared by all CPUs of a node.
 */
public final class Insn {
  /** Operand kinds ({@link #kind}). */
  public static final int NONE = 0;

  public static final int REG = 1;
  public static final int MEM = 2;
  public static final int IMM = 3;
  public static final int REL = 4;
  public static final int SREG = 5;
  public static final int CREG = 6;
  public static final int DREG = 7;
  public static final int XMM = 8;
  public static final int MMX = 9;
  public static final int ST = 10;
  public static final int FAR = 11;

  /** Base register number that means RIP-relative. */
  public static final int BASE_RIP = 16;

  /** No base or no index register. */
  public static final int NO_REG = -1;

  public OpcodeRow row;
  public Handler handler;

  /** Length in bytes, 1 to 15. */
  public int length;

  /** Effective operand size in bytes: 2, 4 or 8. */
  public int opSize;

  /** Effective address size in bytes: 2, 4 or 8. */
  public int addrSize;

  /** The last opcode byte (condition code and register in its low bits). */
  public int opcode;

  /** The ModRM byte, or -1. */
  public int modrm = -1;

  /** The REX byte, or 0. */
  public int rex;

  public boolean lock;

  /** 0xF3, 0xF2 or 0. */
  public int rep;

  /** Whether the 0x66 prefix was there. */
  public boolean prefix66;

  /** Kind of each operand, destination first. */
  public final byte[] kind = new byte[4];

  /**
   * Register number of each REG (0-15; 16-19 are AH, CH, DH, BH), SREG, CREG, DREG, XMM, MMX or ST
   * operand.
   */
  public final byte[] reg = new byte[4];

  /** Size of each operand in bytes. */
  public final byte[] size = new byte[4];

  /** Segment register of the memory operand after overrides. */
  public int seg = CpuRegisters.DS;

  /** Segment override prefix (a segment number), or -1; string instructions look at it. */
  public int segOverride = -1;

  public int base = NO_REG;
  public int index = NO_REG;

  /** Left shift of the index: 0 to 3. */
  public int scale;

  public long disp;

  /** The immediate, sign-extended; the relative displacement of a branch; the far offset. */
  public long imm;

  /** Second immediate: ENTER's level, a far pointer's selector. */
  public int imm2;

  /** Whether operand {@code n} is in memory. */
  public boolean isMem(int n) {
    return kind[n] == MEM;
  }

  @Override
  public String toString() {
    return row == null ? "(undecoded)" : row.text() + " len " + length;
  }
}
