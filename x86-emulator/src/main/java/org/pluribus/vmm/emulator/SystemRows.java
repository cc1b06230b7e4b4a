package org.pluribus.vmm.emulator;

/** System instructions of the opcode table. */
final class SystemRows {
  private SystemRows() {}

  static void addTo(OpcodeTable t) {
    segmentRegisters(t);
    tables(t);
    farTransfers(t);
    interrupts(t);
    controlRegisters(t);
    fastCalls(t);
    ports(t);
    identification(t);
  }

  private static void segmentRegisters(OpcodeTable t) {
    t.row("8C", "MOV Ev,Sw", "", SegmentInstructions::movFromSegment);
    t.row("8E/0", "MOV Sw,Ew", "", SegmentInstructions::movToSegment);
    t.row("8E/2", "MOV Sw,Ew", "end", SegmentInstructions::movToStackSegment);
    t.row("8E/3", "MOV Sw,Ew", "", SegmentInstructions::movToSegment);
    t.row("8E/4", "MOV Sw,Ew", "", SegmentInstructions::movToSegment);
    t.row("8E/5", "MOV Sw,Ew", "", SegmentInstructions::movToSegment);
    t.row("06", "PUSH ES", "i64", SegmentInstructions::push);
    t.row("0E", "PUSH CS", "i64", SegmentInstructions::push);
    t.row("16", "PUSH SS", "i64", SegmentInstructions::push);
    t.row("1E", "PUSH DS", "i64", SegmentInstructions::push);
    t.row("0FA0", "PUSH FS", "d64", SegmentInstructions::push);
    t.row("0FA8", "PUSH GS", "d64", SegmentInstructions::push);
    t.row("07", "POP ES", "i64", SegmentInstructions::pop);
    t.row("17", "POP SS", "i64 end", SegmentInstructions::pop);
    t.row("1F", "POP DS", "i64", SegmentInstructions::pop);
    t.row("0FA1", "POP FS", "d64", SegmentInstructions::pop);
    t.row("0FA9", "POP GS", "d64", SegmentInstructions::pop);
    loadFarPointer(t, "C4", "LES Gv,Mp", "i64", CpuRegisters.ES);
    loadFarPointer(t, "C5", "LDS Gv,Mp", "i64", CpuRegisters.DS);
    loadFarPointer(t, "0FB2", "LSS Gv,Mp", "end", CpuRegisters.SS);
    loadFarPointer(t, "0FB4", "LFS Gv,Mp", "", CpuRegisters.FS);
    loadFarPointer(t, "0FB5", "LGS Gv,Mp", "", CpuRegisters.GS);
  }

  private static void loadFarPointer(
      OpcodeTable t, String opcode, String text, String attributes, int seg) {
    t.row(opcode, text, attributes, SegmentInstructions.loadFarPointer(seg));
  }

  private static void tables(OpcodeTable t) {
    t.row("0F00/0", "SLDT Ev", "", SegmentInstructions::sldt);
    t.row("0F00/1", "STR Ev", "", SegmentInstructions::str);
    t.row("0F00/2", "LLDT Ew", "end", SegmentInstructions::lldt);
    t.row("0F00/3", "LTR Ew", "end", SegmentInstructions::ltr);
    t.row("0F00/4", "VERR Ew", "", SegmentInstructions::verr);
    t.row("0F00/5", "VERW Ew", "", SegmentInstructions::verw);
    t.row("0F01/0m", "SGDT Ms", "", SegmentInstructions::sgdt);
    t.row("0F01/1m", "SIDT Ms", "", SegmentInstructions::sidt);
    t.row("0F01/2m", "LGDT Ms", "end", SegmentInstructions::lgdt);
    t.row("0F01/3m", "LIDT Ms", "end", SegmentInstructions::lidt);
    t.row("0F02", "LAR Gv,Ew", "", SegmentInstructions::lar);
    t.row("0F03", "LSL Gv,Ew", "", SegmentInstructions::lsl);
  }

  private static void farTransfers(OpcodeTable t) {
    t.row("9A", "CALLF Ap", "i64 end", FarTransfers::callDirect);
    t.row("EA", "JMPF Ap", "i64 end", FarTransfers::jumpDirect);
    t.row("FF/3m", "CALLF Mp", "end", FarTransfers::callIndirect);
    t.row("FF/5m", "JMPF Mp", "end", FarTransfers::jumpIndirect);
    t.row("CA", "RETF Iw", "end", FarTransfers::retImmediate);
    t.row("CB", "RETF", "end", FarTransfers::ret);
    t.row("CF", "IRET", "end", InterruptReturn::iret);
  }

  private static void interrupts(OpcodeTable t) {
    t.row("CC", "INT3", "end", ProcessorControl::breakpoint);
    t.row("CD", "INT Ib", "end", ProcessorControl::interrupt);
    t.row("CE", "INTO", "i64 end", ProcessorControl::into);
    t.row("F1", "INT1", "end", ProcessorControl::int1);
    t.row("FA", "CLI", "end", ProcessorControl::cli);
    t.row("FB", "STI", "end", ProcessorControl::sti);
    t.row("F4", "HLT", "end", ProcessorControl::hlt);
  }

  private static void controlRegisters(OpcodeTable t) {
    t.row("0F01/4", "SMSW Ev", "", ControlRegisters::smsw);
    t.row("0F01/6", "LMSW Ew", "end", ControlRegisters::lmsw);
    t.row("0F01/7m", "INVLPG Mb", "end", ProcessorControl::invlpg);
    t.row("0F06", "CLTS", "end", ControlRegisters::clts);
    t.row("0F08", "INVD", "end", ProcessorControl::flushCaches);
    t.row("0F09", "WBINVD", "end", ProcessorControl::flushCaches);
    t.row("0F20", "MOV Rr,Cr", "end u:OSZAPC", ControlRegisters::movFromControl);
    t.row("0F21", "MOV Rr,Dr", "end u:OSZAPC", ControlRegisters::movFromDebug);
    t.row("0F22", "MOV Cr,Rr", "end u:OSZAPC", ControlRegisters::movToControl);
    t.row("0F23", "MOV Dr,Rr", "end u:OSZAPC", ControlRegisters::movToDebug);
    t.row("NP 0F01:CA", "CLAC", "end", ControlRegisters::clac);
    t.row("NP 0F01:CB", "STAC", "end", ControlRegisters::stac);
    t.row("NP 0F01:D0", "XGETBV", "", ControlRegisters::xgetbv);
    t.row("NP 0F01:D1", "XSETBV", "end", ControlRegisters::xsetbv);
    t.row("0F30", "WRMSR", "end", Msrs::wrmsr);
    t.row("0F32", "RDMSR", "end", Msrs::rdmsr);
  }

  private static void fastCalls(OpcodeTable t) {
    t.row("0F05", "SYSCALL", "o64 end", FastCalls::syscall);
    t.row("0F07", "SYSRET", "o64 end", FastCalls::sysret);
    t.row("0F34", "SYSENTER", "end", FastCalls::sysenter);
    t.row("0F35", "SYSEXIT", "end", FastCalls::sysexit);
    t.row("0F01:F8", "SWAPGS", "o64 end", FastCalls::swapgs);
    t.row("F3 0FAE/0r", "RDFSBASE Ry", "o64", FastCalls.readBase(CpuRegisters.FS));
    t.row("F3 0FAE/1r", "RDGSBASE Ry", "o64", FastCalls.readBase(CpuRegisters.GS));
    t.row("F3 0FAE/2r", "WRFSBASE Ry", "o64", FastCalls.writeBase(CpuRegisters.FS));
    t.row("F3 0FAE/3r", "WRGSBASE Ry", "o64", FastCalls.writeBase(CpuRegisters.GS));
  }

  private static void ports(OpcodeTable t) {
    t.row("E4", "IN AL,Ib", "end", PortInstructions::inByteImmediate);
    t.row("E5", "IN rAX,Ib", "end", PortInstructions::inImmediate);
    t.row("E6", "OUT Ib,AL", "end", PortInstructions::outByteImmediate);
    t.row("E7", "OUT Ib,rAX", "end", PortInstructions::outImmediate);
    t.row("EC", "IN AL,DX", "end", PortInstructions::inByte);
    t.row("ED", "IN rAX,DX", "end", PortInstructions::inWide);
    t.row("EE", "OUT DX,AL", "end", PortInstructions::outByte);
    t.row("EF", "OUT DX,rAX", "end", PortInstructions::outWide);
    t.row("6C", "INSB Yb,DX", "end", PortInstructions::insByte);
    t.row("6D", "INSW Yz,DX", "end", PortInstructions::insWide);
    t.row("6E", "OUTSB DX,Xb", "end", PortInstructions::outsByte);
    t.row("6F", "OUTSW DX,Xz", "end", PortInstructions::outsWide);
  }

  private static void identification(OpcodeTable t) {
    t.row("0FA2", "CPUID", "end", ProcessorControl::cpuid);
    t.row("0F31", "RDTSC", "end", ProcessorControl::rdtsc);
    t.row("0F01:F9", "RDTSCP", "end", ProcessorControl::rdtscp);
    t.row("0F33", "RDPMC", "end", ProcessorControl::rdpmc);
  }
}
