package org.pluribus.vmm.emulator.oracle;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.Insn;
import org.pluribus.vmm.emulator.OpcodeRow;

/**
 * Which arithmetic flags an instruction reads, surely writes and leaves undefined; so that a
 * sequence never consumes an undefined flag (SDM volume 1, appendix A).
 *
 * @param reads flags the outcome depends on
 * @param writes flags that are defined afterwards whatever they were
 * @param undefined flags that may be undefined afterwards
 */
record FlagUse(int reads, int writes, int undefined) {
  private static final int ALL = CpuRegisters.ARITHMETIC_FLAGS;
  private static final int CARRY = CpuRegisters.FLAG_CF;
  private static final int OVERFLOW = CpuRegisters.FLAG_OF;
  private static final int AUXILIARY = CpuRegisters.FLAG_AF;

  private static final Set<String> WRITE_ALL =
      Set.of("ADD", "SUB", "CMP", "NEG", "XADD", "CMPXCHG", "AND", "OR", "XOR", "TEST", "POPCNT");
  private static final Set<String> WRITE_NONE =
      Set.of(
          "MOV", "MOVZX", "MOVSX", "MOVSXD", "LEA", "XCHG", "NOT", "BSWAP", "CBW", "CWD", "PUSH",
          "POP", "CRC32");
  private static final Set<String> SHIFTS = Set.of("SHL", "SAL", "SHR", "SAR", "SHLD", "SHRD");
  private static final Set<String> ROTATES = Set.of("ROL", "ROR");

  /** Condition codes by number, without the negating low bit: O, B, Z, BE, S, P, L, LE. */
  private static final int[] CONDITION_READS = {
    OVERFLOW,
    CARRY,
    CpuRegisters.FLAG_ZF,
    CARRY | CpuRegisters.FLAG_ZF,
    CpuRegisters.FLAG_SF,
    CpuRegisters.FLAG_PF,
    CpuRegisters.FLAG_SF | OVERFLOW,
    CpuRegisters.FLAG_SF | OVERFLOW | CpuRegisters.FLAG_ZF
  };

  private static final Map<String, FlagUse> OTHERS =
      Map.of(
          "INC", new FlagUse(0, ALL & ~CARRY, 0),
          "DEC", new FlagUse(0, ALL & ~CARRY, 0),
          "ADC", new FlagUse(CARRY, ALL, 0),
          "SBB", new FlagUse(CARRY, ALL, 0),
          "CLC", new FlagUse(0, CARRY, 0),
          "STC", new FlagUse(0, CARRY, 0),
          "CMC", new FlagUse(CARRY, CARRY, 0),
          "SAHF", new FlagUse(0, ALL & ~OVERFLOW, 0),
          "LAHF", new FlagUse(ALL & ~OVERFLOW, 0, 0));

  /** The use of flags, or null if the instruction is not for sequences. */
  static @Nullable FlagUse of(Insn insn) {
    OpcodeRow row = insn.row;
    String mnemonic = row.mnemonic;
    if (WRITE_ALL.contains(mnemonic)) {
      return new FlagUse(0, ALL & ~row.undefinedFlags, row.undefinedFlags);
    }
    if (WRITE_NONE.contains(mnemonic)) {
      return new FlagUse(0, 0, 0);
    }
    if (mnemonic.startsWith("SET") || mnemonic.startsWith("CMOV") || conditionalJump(row)) {
      return new FlagUse(CONDITION_READS[insn.opcode >> 1 & 7], 0, 0);
    }
    if (SHIFTS.contains(mnemonic) || ROTATES.contains(mnemonic)) {
      return shift(insn);
    }
    return switch (mnemonic) {
      case "MUL", "IMUL" -> new FlagUse(0, CARRY | OVERFLOW, row.undefinedFlags);
      case "BT", "BTS", "BTR", "BTC" -> new FlagUse(0, CARRY, row.undefinedFlags);
      case "BSF", "BSR" -> new FlagUse(0, CpuRegisters.FLAG_ZF, row.undefinedFlags);
      default -> vectorOnly(row) ? new FlagUse(0, 0, 0) : OTHERS.get(mnemonic);
    };
  }

  static boolean conditionalJump(OpcodeRow row) {
    return row.map == 0 && row.opcode >= 0x70 && row.opcode <= 0x7F;
  }

  /** XMM registers and immediates only, and no flags. */
  private static boolean vectorOnly(OpcodeRow row) {
    boolean flags = row.mnemonic.contains("COMIS") || row.mnemonic.equals("PTEST");
    boolean special =
        row.mnemonic.startsWith("R")
            || row.mnemonic.contains("STR")
            || row.mnemonic.contains("MASK");
    return !flags
        && !special
        && row.operands.stream().anyMatch(o -> o.letter() == 'V')
        && row.operands.stream().allMatch(o -> "VWUI".indexOf(o.letter()) >= 0);
  }

  /** With a count in CL nothing is sure: it may be 0, which changes no flag. */
  private static FlagUse shift(Insn insn) {
    int countOperand = insn.row.operands.size() - 1;
    boolean rotate = ROTATES.contains(insn.row.mnemonic);
    int undefined = CARRY | OVERFLOW | (rotate ? 0 : AUXILIARY);
    if (insn.kind[countOperand] != Insn.IMM) {
      return new FlagUse(0, 0, undefined);
    }
    int count = (int) insn.imm & (insn.size[0] == 8 ? 63 : 31);
    if (count == 0) {
      return new FlagUse(0, 0, 0);
    }
    int carry = count < 8 * insn.size[0] || rotate ? 0 : CARRY;
    int overflow = count == 1 ? 0 : OVERFLOW;
    int notSure = carry | overflow | (rotate ? 0 : AUXILIARY);
    int touched = rotate ? CARRY | OVERFLOW : ALL;
    return new FlagUse(0, touched & ~notSure, notSure);
  }
}
