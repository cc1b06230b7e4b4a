package org.pluribus.vmm.emulator;

/** x87 instructions of the opcode table. */
final class X87Rows {
  private X87Rows() {}

  static void addTo(OpcodeTable t) {
    control(t);
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
}
