package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Single-stepping and hardware breakpoints. */
class DebugTest {
  private static final int TF = CpuRegisters.FLAG_TF;
  private static final long DR6_FIXED = 0xFFFF0FF0L;

  private final SystemMachine s = new SystemMachine();
  private final PlainMachine m = s.m;
  private final Cpu cpu = m.cpu;

  @AfterEach
  void close() {
    s.close();
  }

  private void expectDebug(long returnRip, long dr6) {
    assertThat(s.runToHandler()).isEqualTo(GuestFault.DB);
    assertThat(s.stack(0)).isEqualTo(returnRip);
    assertThat(cpu.dr[6]).isEqualTo(DR6_FIXED | dr6);
    cpu.dr[6] = DR6_FIXED;
  }

  @Test
  void singleStepTrapsBehindEachInstruction() {
    s.enterUser("90 FFC0 90", TF | 2);
    expectDebug(SystemMachine.USER_TEXT + 1, Debug.DR6_BS);
    assertThat(cpu.flagsSystem & TF).as("cleared in the handler").isZero();
    assertThat(s.stack(2) & TF).isEqualTo(TF);
    m.code("48CF");
    expectDebug(SystemMachine.USER_TEXT + 3, Debug.DR6_BS);
  }

  @Test
  void noTrapBehindSoftwareInterrupt() {
    s.gate(0x80, SystemMachine.HANDLERS + 16 * 0x80, 0, 3);
    s.enterUser("CD80", TF | 2);
    assertThat(s.runToHandler()).isEqualTo(0x80);
    assertThat(s.stack(0)).isEqualTo(SystemMachine.USER_TEXT + 2);
  }

  @Test
  void movSsHoldsTheTrapOff() {
    m.reg(CpuRegisters.RAX, SystemMachine.USER_DATA);
    s.enterUser("8ED0 90 90", TF | 2);
    expectDebug(SystemMachine.USER_TEXT + 3, Debug.DR6_BS);
  }

  @Test
  void instructionBreakpointComesBeforeItAndRfSkipsIt() {
    cpu.dr[1] = PlainMachine.CODE + 1;
    cpu.dr[7] = 0x400 | 1 << 2;
    m.reg(CpuRegisters.RAX, 0);
    m.code("90 FFC0 F4");
    expectDebug(PlainMachine.CODE + 1, 2);
    assertThat(m.reg(CpuRegisters.RAX)).isZero();
    // Resume as a debugger does: set RF in the frame.
    long flags = m.reg(CpuRegisters.RSP) + 16;
    m.put64(flags, m.get64(flags) | CpuRegisters.FLAG_RF);
    m.code(0x13_0000, "48CF");
    cpu.rip = 0x13_0000;
    assertThat(s.runToHandler()).isEqualTo(-1);
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(1);
    assertThat(cpu.rip).isEqualTo(PlainMachine.CODE + 4);
  }

  @Test
  void dataBreakpointTrapsBehindTheWrite() {
    m.reg(CpuRegisters.RBX, PlainMachine.DATA).reg(CpuRegisters.RAX, 7);
    m.exec("8903"); // fills the TLB first
    m.reg(CpuRegisters.RCX, PlainMachine.DATA + 4);
    m.exec("0F23D1"); // MOV DR2,RCX
    m.reg(CpuRegisters.RCX, 0x400 | 1 << 4 | 1L << 24 | 3L << 26); // L2, write, 4 bytes
    m.exec("0F23F9"); // MOV DR7,RCX
    // MOV EAX,[RBX+4]; MOV [RBX],EAX; MOV [RBX+5],AL
    m.code("8B4304 8903 884305 90");
    expectDebug(PlainMachine.CODE + 8, 4);
    assertThat(m.get64(PlainMachine.DATA + 4) >>> 8 & 0xFF).isEqualTo(m.reg(CpuRegisters.RAX));
  }

  @Test
  void readWriteBreakpointTrapsBehindTheRead() {
    cpu.dr[0] = PlainMachine.DATA;
    cpu.dr[7] = 0x400 | 1 | 3L << 16 | 3L << 18;
    Debug.armed(cpu);
    m.reg(CpuRegisters.RBX, PlainMachine.DATA);
    m.code("0FB603 90"); // MOVZX EAX,byte [RBX]
    expectDebug(PlainMachine.CODE + 3, 1);
  }

  @Test
  void generalDetectGuardsTheDebugRegisters() {
    cpu.dr[7] |= Debug.DR7_GD;
    m.code("0F21C0");
    expectDebug(PlainMachine.CODE, Debug.DR6_BD);
    assertThat(cpu.dr[7] & Debug.DR7_GD).isZero();
  }

  @Test
  void dr4AndDr5AreAliasesUnlessDe() {
    m.exec("0F21E0"); // MOV RAX,DR4
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(DR6_FIXED);
    cpu.cr4 |= CpuRegisters.CR4_DE;
    assertThat(m.vectorOf("0F21E0")).isEqualTo(GuestFault.UD);
  }
}
