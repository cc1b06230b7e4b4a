package org.pluribus.vmm.emulator.oracle;

import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.Insn;

/**
 * Which flags the SDM leaves undefined after a given execution. The opcode row says it in general;
 * for shifts and rotates it depends on the count (SDM volume 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR,
 * SHLD, SHRD: "Flags Affected").
 */
final class UndefinedFlags {
  private UndefinedFlags() {}

  static int after(MachineImage in, Insn insn) {
    int general = insn.row.undefinedFlags;
    return switch (insn.row.mnemonic) {
      case "SHL", "SAL", "SHR", "SAR", "ROL", "ROR", "RCL", "RCR" ->
          shift(in, insn, general, countOperand(in, insn, 1));
      case "SHLD", "SHRD" -> doubleShift(insn, general, countOperand(in, insn, 2));
      default -> general;
    };
  }

  private static int countOperand(MachineImage in, Insn insn, int operand) {
    long count = insn.kind[operand] == Insn.IMM ? insn.imm : in.gpr(CpuRegisters.RCX);
    return (int) count & (insn.opSize == 8 && insn.size[0] == 8 ? 63 : 31);
  }

  private static int shift(MachineImage in, Insn insn, int general, int count) {
    if (count == 0) {
      return 0;
    }
    boolean rotates = insn.row.mnemonic.startsWith("R");
    int undefined = general | (rotates ? 0 : CpuRegisters.FLAG_AF);
    undefined = count == 1 ? undefined & ~CpuRegisters.FLAG_OF : undefined | CpuRegisters.FLAG_OF;
    boolean outOfRange = !rotates && !insn.row.mnemonic.equals("SAR") && count >= 8 * insn.size[0];
    return outOfRange ? undefined | CpuRegisters.FLAG_CF : undefined;
  }

  private static int doubleShift(Insn insn, int general, int count) {
    if (count == 0) {
      return 0;
    }
    int undefined = general | CpuRegisters.FLAG_AF;
    if (count > 8 * insn.size[0]) {
      return CpuRegisters.ARITHMETIC_FLAGS; // and the result: 16-bit operand, count above 16
    }
    return count == 1 ? undefined & ~CpuRegisters.FLAG_OF : undefined | CpuRegisters.FLAG_OF;
  }
}
