package org.pluribus.vmm.emulator;

/**
 * Turns instruction bytes into an {@link Insn}, driven by {@link OpcodeTable}. Stateless between
 * calls; one per CPU.
 */
public final class Decoder {
  /** {@link #decode}: the bytes given end before the instruction does. */
  public static final int NEED_MORE = -1;

  /** {@link #decode}: no such instruction (#UD). */
  public static final int INVALID = -2;

  /** {@link #decode}: longer than 15 bytes (#GP). */
  public static final int TOO_LONG = -3;

  /** SDM volume 2, section 2.3.11. */
  public static final int MAX_LENGTH = 15;

  private static final class OutOfBytes extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OutOfBytes() {
      super(null, null, false, false);
    }
  }

  private static final OutOfBytes OUT_OF_BYTES = new OutOfBytes();

  private final OpcodeTable table;
  private byte[] bytes = new byte[0];
  private int end;
  private int pos;

  public Decoder(OpcodeTable table) {
    this.table = table;
  }

  /**
   * Decodes one instruction.
   *
   * @param code bytes from offset {@code from} up to {@code to}
   * @param codeBits 16, 32 or 64
   * @param out a fresh Insn
   * @return the length, or {@link #NEED_MORE}, {@link #INVALID} or {@link #TOO_LONG}
   */
  public int decode(byte[] code, int from, int to, int codeBits, Insn out) {
    bytes = code;
    pos = from;
    end = Math.min(to, from + MAX_LENGTH);
    try {
      boolean ok = decode(codeBits, out);
      out.length = pos - from;
      return ok ? out.length : INVALID;
    } catch (OutOfBytes e) {
      return to - from >= MAX_LENGTH ? TOO_LONG : NEED_MORE;
    }
  }

  private int next() {
    if (pos >= end) {
      throw OUT_OF_BYTES;
    }
    return bytes[pos++] & 0xFF;
  }

  private long nextSigned(int size) {
    long v = 0;
    for (int i = 0; i < size; i++) {
      v |= (long) next() << 8 * i;
    }
    int shift = 64 - 8 * size;
    return v << shift >> shift;
  }

  private boolean decode(int codeBits, Insn out) {
    boolean has67 = false;
    int rex = 0;
    int b;
    while (true) {
      b = next();
      switch (b) {
        case 0x66 -> out.prefix66 = true;
        case 0x67 -> has67 = true;
        case 0xF0 -> out.lock = true;
        case 0xF2, 0xF3 -> out.rep = b;
        case 0x26, 0x2E, 0x36, 0x3E -> {
          if (codeBits != 64) {
            out.segOverride = b >> 3 & 3;
          }
        }
        case 0x64, 0x65 -> out.segOverride = b & 7;
        default -> {
          if (codeBits == 64 && (b & 0xF0) == 0x40) {
            rex = b;
            continue; // REX counts only right before the opcode
          }
          return opcode(codeBits, out, b, rex, has67);
        }
      }
      rex = 0;
    }
  }

  private boolean opcode(int codeBits, Insn out, int first, int rex, boolean has67) {
    int map = 0;
    int op = first;
    if (op == 0x0F) {
      map = 1;
      op = next();
      if (op == 0x38 || op == 0x3A) {
        map = op == 0x38 ? 2 : 3;
        op = next();
      }
    }
    out.opcode = op;
    out.rex = rex;
    int prefix =
        out.rep == 0xF3
            ? OpcodeRow.PREFIX_F3
            : out.rep == 0xF2
                ? OpcodeRow.PREFIX_F2
                : out.prefix66 ? OpcodeRow.PREFIX_66 : OpcodeRow.PREFIX_NONE;
    boolean modrm = table.hasModrm(map, op);
    // MOV to and from control and debug registers ignores ModRM.mod, like all 0F20-0F23.
    if (modrm) {
      out.modrm = next();
    }
    OpcodeRow row = table.find(codeBits == 64, map, op, prefix, out.modrm);
    if (row == null) {
      return false;
    }
    out.row = row;
    out.handler = row.handler;
    sizes(codeBits, out, row, has67);
    if (modrm && row.hasModrm && out.modrm < 0xC0 && !ignoresMod(row)) {
      memoryOperand(codeBits, out);
    }
    for (int i = 0; i < row.operands.size(); i++) {
      if (!operand(out, i, row.operands.get(i), codeBits)) {
        return false;
      }
    }
    return !out.lock || (row.lockable && out.kind[0] == Insn.MEM);
  }

  private static boolean ignoresMod(OpcodeRow row) {
    return row.map == 1 && row.opcode >= 0x20 && row.opcode <= 0x23;
  }

  private static void sizes(int codeBits, Insn out, OpcodeRow row, boolean has67) {
    if (codeBits == 64) {
      out.addrSize = has67 ? 4 : 8;
      if (row.force64 || (out.rex & 8) != 0) {
        out.opSize = 8;
      } else if (out.prefix66) {
        out.opSize = 2;
      } else {
        out.opSize = row.default64 ? 8 : 4;
      }
    } else {
      boolean wide = codeBits == 32;
      out.opSize = wide != out.prefix66 ? 4 : 2;
      out.addrSize = wide != has67 ? 4 : 2;
    }
  }

  private void memoryOperand(int codeBits, Insn out) {
    int mod = out.modrm >> 6;
    int rm = out.modrm & 7;
    if (out.addrSize == 2) {
      memoryOperand16(out, mod, rm);
    } else {
      out.base = rm | (out.rex & 1) << 3;
      if (rm == 4) {
        int sib = next();
        out.scale = sib >> 6;
        int index = sib >> 3 & 7 | (out.rex & 2) << 2;
        out.index = index == 4 ? Insn.NO_REG : index;
        out.base = sib & 7 | (out.rex & 1) << 3;
        if ((sib & 7) == 5 && mod == 0) {
          out.base = Insn.NO_REG;
          out.disp = nextSigned(4);
        }
      } else if (rm == 5 && mod == 0) {
        out.base = codeBits == 64 ? Insn.BASE_RIP : Insn.NO_REG;
        out.disp = nextSigned(4);
      }
      if (mod == 1) {
        out.disp = nextSigned(1);
      } else if (mod == 2) {
        out.disp = nextSigned(4);
      }
      boolean stack = out.base == CpuRegisters.RSP || out.base == CpuRegisters.RBP;
      out.seg = stack ? CpuRegisters.SS : CpuRegisters.DS;
    }
    if (out.segOverride >= 0) {
      out.seg = out.segOverride;
    }
  }

  private static final int[] BASE_16 = {
    CpuRegisters.RBX, CpuRegisters.RBX, CpuRegisters.RBP, CpuRegisters.RBP,
    CpuRegisters.RSI, CpuRegisters.RDI, CpuRegisters.RBP, CpuRegisters.RBX
  };
  private static final int[] INDEX_16 = {
    CpuRegisters.RSI, CpuRegisters.RDI, CpuRegisters.RSI, CpuRegisters.RDI,
    Insn.NO_REG, Insn.NO_REG, Insn.NO_REG, Insn.NO_REG
  };

  private void memoryOperand16(Insn out, int mod, int rm) {
    out.base = BASE_16[rm];
    out.index = INDEX_16[rm];
    if (mod == 0 && rm == 6) {
      out.base = Insn.NO_REG;
      out.disp = nextSigned(2);
    } else if (mod == 1) {
      out.disp = nextSigned(1);
    } else if (mod == 2) {
      out.disp = nextSigned(2);
    }
    out.seg = out.base == CpuRegisters.RBP ? CpuRegisters.SS : CpuRegisters.DS;
  }

  private boolean operand(Insn out, int n, OpcodeRow.Operand o, int codeBits) {
    int size = sizeOf(o, out, codeBits);
    out.size[n] = (byte) size;
    int modrmReg = out.modrm >> 3 & 7;
    int modrmRm = out.modrm & 7;
    boolean memory = out.modrm < 0xC0;
    int rexR = (out.rex & 4) << 1;
    int rexB = (out.rex & 1) << 3;
    switch (o.letter()) {
      case 'E' -> registerOrMemory(out, n, memory, Insn.REG, byteReg(out, modrmRm | rexB, size));
      case 'W' -> registerOrMemory(out, n, memory, Insn.XMM, modrmRm | rexB);
      case 'Q' -> registerOrMemory(out, n, memory, Insn.MMX, modrmRm);
      case 'M' -> {
        if (!memory) return false;
        set(out, n, Insn.MEM, 0);
      }
      case 'R' -> {
        if (memory && !ignoresMod(out.row)) return false;
        set(out, n, Insn.REG, modrmRm | rexB);
      }
      case 'U' -> {
        if (memory) return false;
        set(out, n, Insn.XMM, modrmRm | rexB);
      }
      case 'N' -> {
        if (memory) return false;
        set(out, n, Insn.MMX, modrmRm);
      }
      case 'G' -> set(out, n, Insn.REG, byteReg(out, modrmReg | rexR, size));
      case 'V' -> set(out, n, Insn.XMM, modrmReg | rexR);
      case 'P' -> set(out, n, Insn.MMX, modrmReg);
      case 'Z' -> set(out, n, Insn.REG, byteReg(out, out.opcode & 7 | rexB, size));
      case 'C' -> set(out, n, Insn.CREG, modrmReg | rexR);
      case 'D' -> set(out, n, Insn.DREG, modrmReg | rexR);
      case 'S' -> {
        set(out, n, Insn.SREG, modrmReg);
        return modrmReg < 6;
      }
      case 'I' -> immediate(out, n, size);
      case 'J' -> {
        set(out, n, Insn.REL, 0);
        out.imm = nextSigned(size);
      }
      case 'O' -> {
        set(out, n, Insn.MEM, 0);
        out.disp = nextSigned(out.addrSize);
        if (out.addrSize == 4) out.disp &= 0xFFFFFFFFL;
        out.seg = out.segOverride >= 0 ? out.segOverride : CpuRegisters.DS;
      }
      case 'A' -> {
        set(out, n, Insn.FAR, 0);
        out.imm = nextSigned(out.opSize == 2 ? 2 : 4) & (out.opSize == 2 ? 0xFFFF : 0xFFFFFFFFL);
        out.imm2 = (int) nextSigned(2) & 0xFFFF;
      }
      case '%' -> set(out, n, Insn.ST, modrmRm);
      case '=' -> fixed(out, n, o.spec());
      case 'X', 'Y', 'F' -> set(out, n, Insn.NONE, 0);
      default -> throw new IllegalStateException("unknown operand letter in " + out.row.text());
    }
    return true;
  }

  private void immediate(Insn out, int n, int size) {
    boolean second = n > 0 && out.kind[n - 1] == Insn.IMM;
    set(out, n, Insn.IMM, 0);
    if (second) {
      out.imm2 = (int) nextSigned(size) & 0xFF;
    } else {
      out.imm = nextSigned(size);
    }
  }

  private static void fixed(Insn out, int n, String name) {
    int kind = Insn.REG;
    int reg = 0;
    int size = 0;
    switch (name) {
      case "AL" -> size = 1;
      case "CL" -> {
        reg = CpuRegisters.RCX;
        size = 1;
      }
      case "AX" -> size = 2;
      case "DX" -> {
        reg = CpuRegisters.RDX;
        size = 2;
      }
      case "rAX" -> size = out.opSize;
      case "1" -> {
        kind = Insn.IMM;
        size = 1;
        out.imm = 1;
      }
      case "ST0" -> {
        kind = Insn.ST;
        size = 10;
      }
      default -> {
        kind = Insn.SREG;
        size = 2;
        reg = "ES CS SS DS FS GS".indexOf(name) / 3;
      }
    }
    out.size[n] = (byte) size;
    set(out, n, kind, reg);
  }

  /** Without REX, byte registers 4 to 7 are AH, CH, DH and BH. */
  private static int byteReg(Insn out, int reg, int size) {
    return size == 1 && out.rex == 0 && reg >= 4 ? reg + 12 : reg;
  }

  private static void registerOrMemory(Insn out, int n, boolean memory, int kind, int reg) {
    set(out, n, memory ? Insn.MEM : kind, memory ? 0 : reg);
  }

  private static void set(Insn out, int n, int kind, int reg) {
    out.kind[n] = (byte) kind;
    out.reg[n] = (byte) reg;
  }

  private static int sizeOf(OpcodeRow.Operand o, Insn out, int codeBits) {
    return switch (o.sizeCode()) {
      case "b" -> 1;
      case "w" -> 2;
      case "d", "ss" -> 4;
      case "q", "sd" -> 8;
      case "dq", "x", "ps", "pd" -> 16;
      case "t" -> 10;
      case "v" -> out.opSize;
      case "z" -> Math.min(out.opSize, 4);
      case "y" -> Math.max(out.opSize == 2 ? 4 : out.opSize, 4);
      // MOV to and from control and debug registers: the mode's width, whatever the prefixes.
      case "r" -> codeBits == 64 ? 8 : 4;
      default -> 0;
    };
  }
}
