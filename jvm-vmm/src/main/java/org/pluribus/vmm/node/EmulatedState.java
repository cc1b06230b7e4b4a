package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.pluribus.vmm.emulator.Cpu;
import org.pluribus.vmm.emulator.CpuAccess;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.node.VcpuState.Activity;
import org.pluribus.vmm.node.VcpuState.Control;
import org.pluribus.vmm.node.VcpuState.Event;
import org.pluribus.vmm.node.VcpuState.Fpu;
import org.pluribus.vmm.node.VcpuState.Segment;
import org.pluribus.vmm.node.VcpuState.Table;

/** An emulated CPU's registers as a {@link VcpuState}, and back. The CPU is outside its run. */
final class EmulatedState {
  /** TOP in the x87 status word (SDM volume 1, 8.1.3). */
  private static final int TOP_SHIFT = 11;

  private static final int TOP_MASK = 7;

  /** DR6 and DR7 in {@link Cpu#dr}. */
  private static final int DR6 = 6;

  private static final int DR7 = 7;

  /** L0 to L3 and G0 to G3 in DR7. */
  private static final int BREAKPOINTS_ENABLED = 0xFF;

  private static final int BREAKPOINTS = 4;

  /** Bit 1 of RFLAGS is always set. */
  private static final int FLAGS_FIXED = 2;

  private EmulatedState() {}

  static VcpuState capture(Cpu cpu) {
    List<Long> general = new ArrayList<>();
    for (long register : cpu.gpr) {
      general.add(register);
    }
    List<Segment> segments = new ArrayList<>();
    for (int s = 0; s < VcpuState.SEGMENT_REGISTERS; s++) {
      segments.add(
          Segment.of(cpu.segSelector[s], cpu.segBase[s], cpu.segLimit[s], cpu.segAccess[s]));
    }
    return new VcpuState(
        general,
        cpu.rip,
        cpu.eflags(),
        segments,
        new Table(cpu.gdtBase, cpu.gdtLimit),
        new Table(cpu.idtBase, cpu.idtLimit),
        new Control(cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4, cpu.xcr0),
        List.of(cpu.dr[0], cpu.dr[1], cpu.dr[2], cpu.dr[3], cpu.dr[DR6], cpu.dr[DR7]),
        msrs(cpu),
        fpu(cpu),
        new Activity(cpu.halted, cpu.interruptShadow, cpu.nmiBlocked, false, null));
  }

  private static SortedMap<Integer, Long> msrs(Cpu cpu) {
    SortedMap<Integer, Long> values = new TreeMap<>();
    for (int msr : VcpuMsrs.ALL) {
      values.put(msr, CpuAccess.msr(cpu, msr));
    }
    return values;
  }

  private static Fpu fpu(Cpu cpu) {
    List<Long> significands = new ArrayList<>();
    List<Integer> signExponents = new ArrayList<>();
    for (int i = 0; i < Fpu.STACK; i++) {
      int physical = cpu.fpTop + i & TOP_MASK;
      significands.add(cpu.fpSignificand[physical]);
      signExponents.add(cpu.fpSignExponent[physical]);
    }
    List<Long> xmm = new ArrayList<>();
    for (int i = 0; i < Fpu.XMM_WORDS; i++) {
      xmm.add(cpu.xmm[i]);
    }
    return new Fpu(
        cpu.fpControl,
        cpu.fpStatus | cpu.fpTop << TOP_SHIFT,
        ~cpu.fpEmpty & 0xFF,
        cpu.fpOpcode,
        cpu.fpInstructionPointer,
        cpu.fpDataPointer,
        significands,
        signExponents,
        cpu.mxcsr,
        xmm);
  }

  /** Sets all registers, then enters the handler of an event that was under way. */
  static void restore(Cpu cpu, VcpuState s) {
    for (int r = 0; r < VcpuState.GENERAL_REGISTERS; r++) {
      cpu.gpr[r] = s.general().get(r);
    }
    cpu.rip = s.rip();
    cpu.setArithmeticFlags((int) s.rflags());
    cpu.flagsSystem = (int) s.rflags() & ~CpuRegisters.ARITHMETIC_FLAGS | FLAGS_FIXED;
    if ((s.debug().get(BREAKPOINTS + 1) & BREAKPOINTS_ENABLED) == 0) {
      // Set where a repeated instruction was left in its middle (SDM volume 3, 19.3.1.1); the
      // emulator looks at it, and clears it, only while there are breakpoints.
      cpu.flagsSystem &= ~CpuRegisters.FLAG_RF;
    }
    for (int r = 0; r < VcpuState.SEGMENT_REGISTERS; r++) {
      Segment segment = s.segments().get(r);
      cpu.segSelector[r] = segment.selector();
      cpu.segBase[r] = segment.base();
      cpu.segLimit[r] = segment.limit();
      cpu.segAccess[r] = segment.access();
    }
    cpu.gdtBase = s.gdt().base();
    cpu.gdtLimit = s.gdt().limit();
    cpu.idtBase = s.idt().base();
    cpu.idtLimit = s.idt().limit();
    cpu.cr0 = s.control().cr0();
    cpu.cr2 = s.control().cr2();
    cpu.cr3 = s.control().cr3();
    cpu.cr4 = s.control().cr4();
    cpu.xcr0 = s.control().xcr0();
    for (int r = 0; r < BREAKPOINTS; r++) {
      cpu.dr[r] = s.debug().get(r);
    }
    cpu.dr[DR6] = s.debug().get(BREAKPOINTS);
    cpu.dr[DR7] = s.debug().get(BREAKPOINTS + 1);
    setMsrs(cpu, s);
    setFpu(cpu, s.fpu());
    cpu.halted = s.activity().halted();
    cpu.interruptShadow = s.activity().interruptShadow();
    cpu.nmiBlocked = s.activity().nmiBlocked();
    CpuAccess.registersSet(cpu);
    deliver(cpu, s.activity().event());
  }

  private static void setMsrs(Cpu cpu, VcpuState s) {
    s.msrs()
        .forEach((msr, value) -> {
          if (msr == VcpuMsrs.EFER) {
            cpu.efer = value;
          } else {
            CpuAccess.setMsr(cpu, msr, value);
          }
        });
  }

  private static void setFpu(Cpu cpu, Fpu f) {
    cpu.fpControl = f.control();
    cpu.fpTop = f.status() >> TOP_SHIFT & TOP_MASK;
    cpu.fpStatus = f.status() & ~(TOP_MASK << TOP_SHIFT);
    cpu.fpEmpty = ~f.tags() & 0xFF;
    cpu.fpOpcode = f.opcode();
    cpu.fpInstructionPointer = f.instructionPointer();
    cpu.fpDataPointer = f.dataPointer();
    cpu.fpInstructionSelector = 0;
    cpu.fpDataSelector = 0;
    for (int i = 0; i < Fpu.STACK; i++) {
      int physical = cpu.fpTop + i & TOP_MASK;
      cpu.fpSignificand[physical] = f.significands().get(i);
      cpu.fpSignExponent[physical] = f.signExponents().get(i);
    }
    cpu.mxcsr = f.mxcsr();
    for (int i = 0; i < Fpu.XMM_WORDS; i++) {
      cpu.xmm[i] = f.xmm().get(i);
    }
  }

  private static void deliver(Cpu cpu, @org.jspecify.annotations.Nullable Event event) {
    if (event == null) {
      return;
    }
    cpu.halted = false;
    if (event.exception()) {
      CpuAccess.deliverException(cpu, event.vector(), event.errorCode());
    } else {
      CpuAccess.deliverInterrupt(cpu, event.vector());
    }
  }
}
