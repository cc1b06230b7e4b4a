package org.pluribus.vmm.emulator;

import org.pluribus.vmm.emulator.X87Arithmetic.MemoryOperand;
import org.pluribus.vmm.emulator.X87Arithmetic.Operation;

/** x87 instructions of the opcode table. */
final class X87Rows {
  private X87Rows() {}

  static void addTo(OpcodeTable t) {
    control(t);
    loadsAndStores(t);
    arithmetic(t);
    comparisons(t);
    stack(t);
    constants(t);
    functions(t);
  }

  private static void control(OpcodeTable t) {
    t.row("9B", "FWAIT", "", FpuState::fwait);
    t.row("D9/4m", "FLDENV M", "", X87Environment::fldenv);
    t.row("D9/5m", "FLDCW Mw", "", FpuState::fldcw);
    t.row("D9/6m", "FNSTENV M", "", X87Environment::fnstenv);
    t.row("D9/7m", "FNSTCW Mw", "", FpuState::fnstcw);
    t.row("DB:E0", "FNENI", "", FpuState::fnop);
    t.row("DB:E1", "FNDISI", "", FpuState::fnop);
    t.row("DB:E2", "FNCLEX", "", FpuState::fnclex);
    t.row("DB:E3", "FNINIT", "", FpuState::fninit);
    t.row("DB:E4", "FNSETPM", "", FpuState::fnop);
    t.row("DD/4m", "FRSTOR M", "", X87Environment::frstor);
    t.row("DD/6m", "FNSAVE M", "", X87Environment::fnsave);
    t.row("DD/7m", "FNSTSW Mw", "", FpuState::fnstsw);
    t.row("DF:E0", "FNSTSW AX", "", FpuState::fnstsw);
  }

  private static void loadsAndStores(OpcodeTable t) {
    t.row("D9/0m", "FLD Md", "", X87Moves.load(X87Arithmetic::single));
    t.row("DD/0m", "FLD Mq", "", X87Moves.load(X87Arithmetic::real));
    t.row("DB/5m", "FLD Mt", "", X87Moves::fldExtended);
    t.row("DF/0m", "FILD Mw", "", X87Moves.load(X87Arithmetic::word));
    t.row("DB/0m", "FILD Md", "", X87Moves.load(X87Arithmetic::doubleword));
    t.row("DF/5m", "FILD Mq", "", X87Moves.load(X87Moves::quadword));
    t.row("DF/4m", "FBLD Mt", "", X87Moves.load(X87Moves::packedDecimal));
    t.row("D9/2m", "FST Md", "", X87Moves.storeReal(4, false));
    t.row("DD/2m", "FST Mq", "", X87Moves.storeReal(8, false));
    t.row("D9/3m", "FSTP Md", "", X87Moves.storeReal(4, true));
    t.row("DD/3m", "FSTP Mq", "", X87Moves.storeReal(8, true));
    t.row("DB/7m", "FSTP Mt", "", X87Moves::fstpExtended);
    t.row("DF/2m", "FIST Mw", "", X87Moves.storeInteger(2, false, false));
    t.row("DB/2m", "FIST Md", "", X87Moves.storeInteger(4, false, false));
    t.row("DF/3m", "FISTP Mw", "", X87Moves.storeInteger(2, false, true));
    t.row("DB/3m", "FISTP Md", "", X87Moves.storeInteger(4, false, true));
    t.row("DF/7m", "FISTP Mq", "", X87Moves.storeInteger(8, false, true));
    t.row("DF/1m", "FISTTP Mw", "", X87Moves.storeInteger(2, true, true));
    t.row("DB/1m", "FISTTP Md", "", X87Moves.storeInteger(4, true, true));
    t.row("DD/1m", "FISTTP Mq", "", X87Moves.storeInteger(8, true, true));
    t.row("DF/6m", "FBSTP Mt", "", X87Moves::fbstp);
  }

  private static void arithmetic(OpcodeTable t) {
    operation(t, 0, "FADD", 0xC0, 0xC0, SoftFloat::add, false);
    operation(t, 1, "FMUL", 0xC8, 0xC8, SoftFloat::multiply, false);
    operation(t, 4, "FSUB", 0xE0, 0xE8, SoftFloat::subtract, false);
    operation(t, 5, "FSUBR", 0xE8, 0xE0, SoftFloat::subtract, true);
    operation(t, 6, "FDIV", 0xF0, 0xF8, SoftFloat::divide, false);
    operation(t, 7, "FDIVR", 0xF8, 0xF0, SoftFloat::divide, true);
  }

  /**
   * All forms of one operation. With ST(i) as destination the opcodes of the reversed operations
   * change places (SDM volume 2, FSUB).
   */
  private static void operation(
      OpcodeTable t, int digit, String name, int toSt0, int toSti, Operation op, boolean reverse) {
    String integer = "FI" + name.substring(1);
    memory(t, "D8/" + digit + "m", name + " Md", op, X87Arithmetic::single, reverse);
    memory(t, "DC/" + digit + "m", name + " Mq", op, X87Arithmetic::real, reverse);
    memory(t, "DA/" + digit + "m", integer + " Md", op, X87Arithmetic::doubleword, reverse);
    memory(t, "DE/" + digit + "m", integer + " Mw", op, X87Arithmetic::word, reverse);
    String st0 = "%02X+".formatted(toSt0);
    String sti = "%02X+".formatted(toSti);
    t.row("D8:" + st0, name + " ST0,STi", "", X87Arithmetic.registers(op, false, reverse, false));
    t.row("DC:" + sti, name + " STi,ST0", "", X87Arithmetic.registers(op, true, reverse, false));
    t.row("DE:" + sti, name + "P STi,ST0", "", X87Arithmetic.registers(op, true, reverse, true));
  }

  private static void memory(
      OpcodeTable t, String opcode, String text, Operation op, MemoryOperand m, boolean reverse) {
    t.row(opcode, text, "", X87Arithmetic.memory(op, m, reverse));
  }

  private static void comparisons(OpcodeTable t) {
    t.row("D8/2m", "FCOM Md", "", X87Arithmetic.compareMemory(X87Arithmetic::single, 0));
    t.row("DC/2m", "FCOM Mq", "", X87Arithmetic.compareMemory(X87Arithmetic::real, 0));
    t.row("D8/3m", "FCOMP Md", "", X87Arithmetic.compareMemory(X87Arithmetic::single, 1));
    t.row("DC/3m", "FCOMP Mq", "", X87Arithmetic.compareMemory(X87Arithmetic::real, 1));
    t.row("DE/2m", "FICOM Mw", "", X87Arithmetic.compareMemory(X87Arithmetic::word, 0));
    t.row("DA/2m", "FICOM Md", "", X87Arithmetic.compareMemory(X87Arithmetic::doubleword, 0));
    t.row("DE/3m", "FICOMP Mw", "", X87Arithmetic.compareMemory(X87Arithmetic::word, 1));
    t.row("DA/3m", "FICOMP Md", "", X87Arithmetic.compareMemory(X87Arithmetic::doubleword, 1));
    t.row("D8:D0+", "FCOM STi", "", X87Arithmetic.compareRegister(true, 0));
    t.row("D8:D8+", "FCOMP STi", "", X87Arithmetic.compareRegister(true, 1));
    t.row("DE:D9", "FCOMPP", "", X87Arithmetic.compareRegister(true, 2));
    t.row("DD:E0+", "FUCOM STi", "", X87Arithmetic.compareRegister(false, 0));
    t.row("DD:E8+", "FUCOMP STi", "", X87Arithmetic.compareRegister(false, 1));
    t.row("DA:E9", "FUCOMPP", "", X87Arithmetic.compareRegister(false, 2));
    t.row("DB:F0+", "FCOMI STi", "", X87Arithmetic.compareToFlags(true, false));
    t.row("DF:F0+", "FCOMIP STi", "", X87Arithmetic.compareToFlags(true, true));
    t.row("DB:E8+", "FUCOMI STi", "", X87Arithmetic.compareToFlags(false, false));
    t.row("DF:E8+", "FUCOMIP STi", "", X87Arithmetic.compareToFlags(false, true));
    t.row("D9:E4", "FTST", "", X87Arithmetic::ftst);
    t.row("D9:E5", "FXAM", "", X87Arithmetic::fxam);
    // Encodings that the SDM leaves out but every processor knows (AMD APM volume 3, appendix A).
    t.row("DC:D0+", "FCOM2 STi", "", X87Arithmetic.compareRegister(true, 0));
    t.row("DC:D8+", "FCOMP3 STi", "", X87Arithmetic.compareRegister(true, 1));
    t.row("DE:D0+", "FCOMP5 STi", "", X87Arithmetic.compareRegister(true, 1));
  }

  /** Condition codes as CMOVcc numbers them. */
  private static final int BELOW = 2;

  private static final int EQUAL = 4;
  private static final int BELOW_OR_EQUAL = 6;
  private static final int PARITY = 10;

  private static void stack(OpcodeTable t) {
    t.row("D9:C0+", "FLD STi", "", X87Moves::fldRegister);
    t.row("DD:D0+", "FST STi", "", X87Moves.storeRegister(false));
    t.row("DD:D8+", "FSTP STi", "", X87Moves.storeRegister(true));
    t.row("D9:C8+", "FXCH STi", "", X87Moves::fxch);
    t.row("DA:C0+", "FCMOVB STi", "", X87Moves.fcmov(BELOW));
    t.row("DA:C8+", "FCMOVE STi", "", X87Moves.fcmov(EQUAL));
    t.row("DA:D0+", "FCMOVBE STi", "", X87Moves.fcmov(BELOW_OR_EQUAL));
    t.row("DA:D8+", "FCMOVU STi", "", X87Moves.fcmov(PARITY));
    t.row("DB:C0+", "FCMOVNB STi", "", X87Moves.fcmov(BELOW + 1));
    t.row("DB:C8+", "FCMOVNE STi", "", X87Moves.fcmov(EQUAL + 1));
    t.row("DB:D0+", "FCMOVNBE STi", "", X87Moves.fcmov(BELOW_OR_EQUAL + 1));
    t.row("DB:D8+", "FCMOVNU STi", "", X87Moves.fcmov(PARITY + 1));
    t.row("DD:C0+", "FFREE STi", "", X87Moves::ffree);
    t.row("D9:D0", "FNOP", "", X87Moves::fnop);
    t.row("D9:F6", "FDECSTP", "", X87Moves::fdecstp);
    t.row("D9:F7", "FINCSTP", "", X87Moves::fincstp);
    // Aliases, as above.
    t.row("DD:C8+", "FXCH4 STi", "", X87Moves::fxch);
    t.row("DF:C0+", "FFREEP STi", "", X87Moves::ffreep);
    t.row("DF:C8+", "FXCH7 STi", "", X87Moves::fxch);
    t.row("D9:D8+", "FSTP1 STi", "", X87Moves::storeUnchecked);
    t.row("DF:D0+", "FSTP8 STi", "", X87Moves.storeRegister(true));
    t.row("DF:D8+", "FSTP9 STi", "", X87Moves.storeRegister(true));
  }

  private static void constants(OpcodeTable t) {
    t.row("D9:E8", "FLD1", "", X87Moves.fld1());
    t.row("D9:E9", "FLDL2T", "", X87Moves.fldl2t());
    t.row("D9:EA", "FLDL2E", "", X87Moves.fldl2e());
    t.row("D9:EB", "FLDPI", "", X87Moves.fldpi());
    t.row("D9:EC", "FLDLG2", "", X87Moves.fldlg2());
    t.row("D9:ED", "FLDLN2", "", X87Moves.fldln2());
    t.row("D9:EE", "FLDZ", "", X87Moves.fldz());
  }

  private static void functions(OpcodeTable t) {
    t.row("D9:E0", "FCHS", "", X87Arithmetic::fchs);
    t.row("D9:E1", "FABS", "", X87Arithmetic::fabs);
    t.row("D9:FA", "FSQRT", "", X87Arithmetic::fsqrt);
    t.row("D9:FC", "FRNDINT", "", X87Arithmetic::frndint);
    t.row("D9:F4", "FXTRACT", "", X87Remainder::fxtract);
    t.row("D9:F5", "FPREM1", "", X87Remainder.remainder(true));
    t.row("D9:F8", "FPREM", "", X87Remainder.remainder(false));
    t.row("D9:FD", "FSCALE", "", X87Remainder::fscale);
    t.row("D9:F0", "F2XM1", "", X87Functions::f2xm1);
    t.row("D9:F1", "FYL2X", "", X87Functions::fyl2x);
    t.row("D9:F2", "FPTAN", "", X87Functions::fptan);
    t.row("D9:F3", "FPATAN", "", X87Functions::fpatan);
    t.row("D9:F9", "FYL2XP1", "", X87Functions::fyl2xp1);
    t.row("D9:FB", "FSINCOS", "", X87Functions::fsincos);
    t.row("D9:FE", "FSIN", "", X87Functions::fsin);
    t.row("D9:FF", "FCOS", "", X87Functions::fcos);
  }
}
