package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Delivery of faults, traps and interrupts in long mode, and the way back. */
class ExceptionsTest {
  private static final int IF = CpuRegisters.FLAG_IF;

  private final SystemMachine s = new SystemMachine();
  private final PlainMachine m = s.m;
  private final Cpu cpu = m.cpu;

  @AfterEach
  void close() {
    s.close();
  }

  @Test
  void faultInRing3SwitchesToTheStackOfRing0() {
    s.enterUser("0F0B", IF | CpuRegisters.FLAG_DF | 2); // UD2
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.UD);
    assertThat(cpu.cpl).isZero();
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(SystemMachine.KERNEL_STACK - 40);
    assertThat(s.stack(0)).isEqualTo(SystemMachine.USER_TEXT);
    assertThat(s.stack(1)).isEqualTo(SystemMachine.USER_CODE);
    assertThat(s.stack(2)).isEqualTo(CpuRegisters.FLAG_RF | IF | CpuRegisters.FLAG_DF | 2);
    assertThat(s.stack(3)).isEqualTo(SystemMachine.USER_STACK);
    assertThat(s.stack(4)).isEqualTo(SystemMachine.USER_DATA);
    assertThat(cpu.segSelector[CpuRegisters.SS]).as("null SS in ring 0").isZero();
    assertThat(cpu.eflags() & IF).isZero();
  }

  @Test
  void iretReturnsToTheInterruptedProgram() {
    // INC EAX; INT 80h; INC EAX; UD2
    m.code(SystemMachine.HANDLERS + 16 * 0x80, "48CF");
    s.gate(0x80, SystemMachine.HANDLERS + 16 * 0x80, 0, 3);
    m.reg(CpuRegisters.RAX, 0);
    s.enterUser("FFC0 CD80 FFC0 0F0B", IF | CpuRegisters.FLAG_CF | 2);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.UD);
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(2);
    assertThat(s.stack(0)).isEqualTo(SystemMachine.USER_TEXT + 6);
    assertThat(s.stack(2) & IF).isEqualTo(IF);
  }

  @Test
  void softwareInterruptFromRing3NeedsTheGatesPermission() {
    s.enterUser("CD81", 2);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.GP);
    assertThat(s.stack(0)).isEqualTo(0x81 << 3 | 2);
    assertThat(s.stack(1)).isEqualTo(SystemMachine.USER_TEXT);
  }

  @Test
  void breakpointReturnsBehindIt() {
    s.gate(GuestFault.BP, SystemMachine.HANDLERS + 16 * 3, 0, 3);
    s.enterUser("CC", 2);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.BP);
    assertThat(s.stack(0)).isEqualTo(SystemMachine.USER_TEXT + 1);
    assertThat(s.stack(2)).as("a trap saves RF as it was").isEqualTo(2);
  }

  @Test
  void faultInRing0KeepsTheStackAligned() {
    m.reg(CpuRegisters.RSP, PlainMachine.STACK - 3);
    m.code("0F0B");
    assertThat(s.runToHandler()).isEqualTo(GuestFault.UD);
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(PlainMachine.STACK - 16 - 40);
    assertThat(s.stack(3)).isEqualTo(PlainMachine.STACK - 3);
  }

  @Test
  void interruptStackTableIsUsedAndAligned() {
    s.gate(GuestFault.UD, SystemMachine.HANDLERS + 16 * 6, 1, 0);
    m.code("0F0B");
    assertThat(s.runToHandler()).isEqualTo(GuestFault.UD);
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo((SystemMachine.IST1_STACK & -16) - 40);
    assertThat(cpu.segSelector[CpuRegisters.SS]).isEqualTo(SystemMachine.KERNEL_DATA);
  }

  @Test
  void trapGateLeavesInterruptsOn() {
    long gate = SystemMachine.IDT + 16 * GuestFault.UD;
    m.put64(gate, m.get64(gate) | 1L << 40);
    m.code("FB 90 0F0B"); // STI; NOP; UD2
    assertThat(s.runToHandler()).isEqualTo(GuestFault.UD);
    assertThat(cpu.interruptsEnabled()).isTrue();
  }

  @Test
  void missingGateBecomesItsOwnFault() {
    m.put64(SystemMachine.IDT + 16 * GuestFault.UD, 0);
    m.code("0F0B");
    assertThat(s.runToHandler()).isEqualTo(GuestFault.GP);
    assertThat(s.stack(0)).as("IDT entry 6, external").isEqualTo(GuestFault.UD << 3 | 3);
    long np = SystemMachine.IDT + 16 * GuestFault.UD;
    s.gate(GuestFault.UD, SystemMachine.HANDLERS, 0, 0);
    m.put64(np, m.get64(np) & ~(0x80L << 40));
    m.code("0F0B");
    assertThat(s.runToHandler()).isEqualTo(GuestFault.NP);
    assertThat(s.stack(0)).isEqualTo(GuestFault.UD << 3 | 3);
  }

  @Test
  void faultWhileDeliveringPageFaultIsDouble() {
    m.put64(SystemMachine.IDT + 16 * GuestFault.PF, 0);
    m.code("A1 0000005000000000"); // MOV EAX,[50000000h]: not mapped
    assertThat(s.runToHandler()).isEqualTo(GuestFault.DF);
    assertThat(s.stack(0)).isZero();
    assertThat(s.stack(1)).isEqualTo(PlainMachine.CODE);
    assertThat(cpu.cr2).isEqualTo(0x50000000L);
  }

  @Test
  void unmappedKernelStackIsDoubleFaultOnItsInterruptStack() {
    s.gate(GuestFault.DF, SystemMachine.HANDLERS + 16 * GuestFault.DF, 1, 0);
    m.reg(CpuRegisters.RSP, 0x50000000L);
    m.code("50"); // PUSH RAX
    assertThat(s.runToHandler()).isEqualTo(GuestFault.DF);
    assertThat(s.stack(4)).isEqualTo(0x50000000L);
  }

  @Test
  void divideErrorWhileNoHandlerExistsIsTripleFault() {
    cpu.idtLimit = 0;
    m.reg(CpuRegisters.RCX, 0);
    m.code("F7F1");
    cpu.run();
    assertThat(m.tripleFaulted).isTrue();
    assertThat(cpu.halted).isFalse();
  }

  @Test
  void pageFaultDeliveringAnotherFaultIsServedFirst() {
    // Benign first (#UD): the page fault met on its IST stack is delivered alone.
    s.gate(GuestFault.UD, SystemMachine.HANDLERS, 2, 0);
    m.put64(SystemMachine.TSS + 44, 0x50000000L);
    m.code("0F0B");
    assertThat(s.runToHandler()).isEqualTo(GuestFault.PF);
    assertThat(s.stack(0)).isEqualTo(CpuMemory.PF_WRITE);
    assertThat(s.stack(1)).isEqualTo(PlainMachine.CODE);
  }

  @Test
  void stiDelaysInterruptsByOneInstruction() {
    m.pendingVector = 0x40;
    m.reg(CpuRegisters.RAX, 0);
    m.code("FB FFC0 FFC0 F4"); // STI; INC EAX; INC EAX; HLT
    assertThat(s.runToHandler()).isEqualTo(0x40);
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(1);
    assertThat(s.stack(0)).isEqualTo(PlainMachine.CODE + 3);
    assertThat(s.stack(2)).isEqualTo(IF | 0x2);
  }

  @Test
  void stiHltWakesBehindTheHlt() {
    m.pendingVector = 0x41;
    m.code("FB F4 90");
    assertThat(s.runToHandler()).isEqualTo(0x41);
    assertThat(s.stack(0)).isEqualTo(PlainMachine.CODE + 2);
  }

  @Test
  void movSsDelaysInterruptsByOneInstruction() {
    m.pendingVector = 0x42;
    cpu.flagsSystem |= IF;
    m.reg(CpuRegisters.RAX, SystemMachine.KERNEL_DATA).reg(CpuRegisters.RCX, 0);
    m.code("8ED0 FFC1 FFC1 F4"); // MOV SS,EAX; INC ECX; INC ECX; HLT
    cpu.raiseAttention(Cpu.ATTENTION_INTERRUPT);
    cpu.interruptShadow = true; // so that MOV SS itself runs first
    assertThat(s.runToHandler()).isEqualTo(0x42);
    assertThat(m.reg(CpuRegisters.RCX)).isEqualTo(1);
  }

  @Test
  void nmiIsHeldUntilIret() {
    // NMI handler: INC EAX; IRETQ. The second NMI comes while the first is handled.
    m.code(SystemMachine.HANDLERS + 16 * 2, "FFC0 48CF");
    m.reg(CpuRegisters.RAX, 0);
    m.code("90 F4");
    m.pendingNmi = true;
    cpu.raiseAttention(Cpu.ATTENTION_INTERRUPT);
    cpu.run();
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(1);
    assertThat(cpu.nmiBlocked).isFalse();

    m.code(SystemMachine.HANDLERS + 16 * 2, "FFC0 F4 48CF");
    cpu.halted = false;
    m.code("90 F4");
    m.pendingNmi = true;
    cpu.raiseAttention(Cpu.ATTENTION_INTERRUPT);
    cpu.run();
    assertThat(cpu.nmiBlocked).isTrue();
    m.pendingNmi = true;
    cpu.raiseAttention(Cpu.ATTENTION_INTERRUPT);
    cpu.halted = true;
    cpu.run();
    assertThat(m.pendingNmi).as("not taken while blocked").isTrue();
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(2);
  }

  @Test
  void iretToInvalidSelectorFaultsInRing0() {
    s.enterUser("90", 2);
    cpu.cpl = 0;
    Segments.load(cpu, CpuRegisters.DS, SystemMachine.KERNEL_DATA);
    Segments.setFlat(cpu, CpuRegisters.CS, 8, 0xA09B);
    Segments.setNullStack(cpu, 0);
    cpu.accessModeChanged();
    long frame = SystemMachine.KERNEL_STACK - 0x100;
    cpu.gpr[CpuRegisters.RSP] = frame;
    m.put64(frame + 8, 0xFF8 | 3); // beyond anything present: descriptor 0
    m.code("48CF");
    assertThat(s.runToHandler()).isEqualTo(GuestFault.GP);
    assertThat(s.stack(0)).isEqualTo(0xFF8);
    assertThat(s.stack(1)).isEqualTo(PlainMachine.CODE);
  }

  @Test
  void iretToRing3DropsKernelDataSegments() {
    Segments.load(cpu, CpuRegisters.DS, SystemMachine.KERNEL_DATA);
    Segments.load(cpu, CpuRegisters.ES, SystemMachine.USER_DATA);
    s.enterUser("90", 2);
    assertThat(cpu.segSelector[CpuRegisters.DS]).isZero();
    assertThat(cpu.segSelector[CpuRegisters.ES]).isEqualTo(SystemMachine.USER_DATA);
  }

  @Test
  void privilegedInstructionsFaultInRing3() {
    String[] privileged = {
      "F4", "FA", "FB", "0F20C0", "0F22D8", "0F23C0", "0F30", "0F32", "0F06", "0F09", "0F0138",
      "0F0110", "0F0118", "0F00D8", "0F00D0", "0F01F0", "0F01F8", "480F07", "E460", "6C"
    };
    for (String hex : privileged) {
      s.enterUser(hex, IF | 2);
      assertThat(s.runToHandler()).as(hex).isEqualTo(GuestFault.GP);
      assertThat(s.stack(0)).as(hex).isZero();
    }
  }
}
