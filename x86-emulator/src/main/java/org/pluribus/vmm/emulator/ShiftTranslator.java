package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.RegionFrame.FLAG_A;
import static org.pluribus.vmm.emulator.RegionFrame.INT_1;
import static org.pluribus.vmm.emulator.RegionFrame.LONG_1;
import static org.pluribus.vmm.emulator.RegionFrame.LONG_2;
import static org.pluribus.vmm.emulator.RegionFrame.LONG_3;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;

/** Emits shifts, rotates and bit tests of registers. */
final class ShiftTranslator {
  private final RegionFrame frame;
  private final CodeBuilder code;
  private final FlagEmitter flags;
  private final OperandEmitter operands;

  ShiftTranslator(RegionFrame frame, FlagEmitter flags, OperandEmitter operands) {
    this.frame = frame;
    this.code = frame.code;
    this.flags = flags;
    this.operands = operands;
  }

  private static int countMask(int size) {
    return size == 8 ? 63 : 31;
  }

  void byImmediate(Insn i) {
    int size = i.size[0];
    int n = (int) i.imm & countMask(size);
    if (i.row.mnemonic.startsWith("RO")) {
      flags.settle();
      operands.pushOperand(i, 0);
      code.loadConstant(n);
      rotate(i);
      code.dup2().lstore(LONG_1);
      frame.popRegister(i.reg[0], size);
      popRotateFlags(i);
      return;
    }
    operands.pushOperand(i, 0);
    code.loadConstant((long) n);
    flags.popPending(operation(i), size);
    code.lload(FLAG_A);
    code.loadConstant(n);
    shift(i);
    frame.popRegister(i.reg[0], size);
  }

  private static int operation(Insn i) {
    return switch (i.row.mnemonic) {
      case "SHL" -> LazyFlags.SHL;
      case "SHR" -> LazyFlags.SHR;
      default -> LazyFlags.SAR;
    };
  }

  /** Pops a count and a zero-extended value, pushes the value shifted. */
  private void shift(Insn i) {
    switch (i.row.mnemonic) {
      case "SHL" -> code.lshl();
      case "SHR" -> code.lushr();
      default -> {
        code.istore(INT_1);
        frame.signExtend(i.size[0]);
        code.iload(INT_1).lshr();
      }
    }
  }

  /** Pops a count and a value of 4 or 8 bytes, pushes it rotated. */
  private void rotate(Insn i) {
    String name = i.row.mnemonic.equals("ROL") ? "rotateLeft" : "rotateRight";
    if (i.size[0] == 8) {
      code.invokestatic(RegionEmitter.LONG_CLASS, name, RegionEmitter.JI_TO_J);
      return;
    }
    code.istore(INT_1).l2i().iload(INT_1);
    code.invokestatic(RegionEmitter.INTEGER_CLASS, name, RegionEmitter.II_TO_I).i2l();
  }

  private void popRotateFlags(Insn i) {
    String name = i.row.mnemonic.equals("ROL") ? "rolCarries" : "rorCarries";
    frame.getLong("fc");
    code.lload(LONG_1).loadConstant(64 - 8 * i.size[0]);
    frame.flagCall(name, "(JJI)J");
    frame.popLong("fc");
  }

  /** A count of 0 changes no flag, so whether the flags are those of the shift is known late. */
  void byCl(Insn i) {
    int size = i.size[0];
    boolean rotate = i.row.mnemonic.startsWith("RO");
    if (rotate) {
      flags.settle();
    }
    operands.pushOperand(i, 0);
    code.lstore(LONG_2);
    frame.pushWhole(CpuRegisters.RCX);
    code.loadConstant((long) countMask(size)).land().lstore(LONG_3);
    code.lload(LONG_2).lload(LONG_3).l2i();
    if (rotate) {
      rotate(i);
      code.dup2().lstore(LONG_1);
    } else {
      shift(i);
    }
    frame.popRegister(i.reg[0], size);
    Label unchanged = code.newLabel();
    code.lload(LONG_3).lconst_0().lcmp().ifeq(unchanged);
    if (rotate) {
      popRotateFlags(i);
    } else {
      code.lload(LONG_2).lload(LONG_3);
      flags.popPending(operation(i), size);
    }
    code.labelBinding(unchanged);
    if (!rotate) {
      flags.resume(FlagEmitter.UNKNOWN);
    }
  }

  /** BT, BTS, BTR and BTC of a register: only CF changes. */
  void bitTest(Insn i) {
    int size = i.size[0];
    flags.settle();
    operands.pushOperand(i, 0);
    code.lstore(LONG_2);
    operands.pushOperand(i, 1, size);
    code.l2i().loadConstant(8 * size - 1).iand().istore(INT_1);
    frame.getLong("fc");
    code.lload(LONG_2).bipush(63).iload(INT_1).isub().lshl();
    frame.flagCall("withCarry", "(JJ)J");
    frame.popLong("fc");
    if (i.row.mnemonic.equals("BT")) {
      return;
    }
    code.lload(LONG_2).lconst_1().iload(INT_1).lshl();
    switch (i.row.mnemonic) {
      case "BTS" -> code.lor();
      case "BTR" -> code.loadConstant(-1L).lxor().land();
      default -> code.lxor();
    }
    frame.popRegister(i.reg[0], size);
  }
}
