package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pluribus.vmm.emulator.CpuRegisters.RAX;
import static org.pluribus.vmm.emulator.CpuRegisters.RBP;
import static org.pluribus.vmm.emulator.CpuRegisters.RBX;
import static org.pluribus.vmm.emulator.CpuRegisters.RCX;
import static org.pluribus.vmm.emulator.CpuRegisters.RDI;
import static org.pluribus.vmm.emulator.CpuRegisters.RSI;
import static org.pluribus.vmm.emulator.CpuRegisters.RSP;

import org.junit.jupiter.api.Test;

/** Integer instructions in real mode and 32-bit protected mode. */
class IntegerLegacyModeTest {
  @Test
  void realModeStringsWrapWithinTheirSegment() {
    try (PlainMachine m = PlainMachine.in16()) {
      m.cpu.segBase[CpuRegisters.ES] = 0x20000;
      m.cpu.segBase[CpuRegisters.DS] = 0x10000;
      m.put(0x1FFFE, new byte[] {1, 2}).put(0x10000, new byte[] {3, 4});
      m.reg(RSI, 0xFFFE).reg(RDI, 0xABCD_0010L).reg(RCX, 4).exec("F3A4");
      assertThat(m.get(0x20010, 4)).containsExactly(1, 2, 3, 4);
      assertThat(m.reg(RSI)).isEqualTo(2);
      assertThat(m.reg(RDI)).isEqualTo(0xABCD_0014L);
    }
  }

  @Test
  void segmentOverrideChoosesTheSourceOnly() {
    try (PlainMachine m = PlainMachine.in16()) {
      m.cpu.segBase[CpuRegisters.FS] = 0x30000;
      m.cpu.segBase[CpuRegisters.ES] = 0x20000;
      m.put(0x30005, new byte[] {77});
      m.reg(RSI, 5).reg(RDI, 6).exec("64A4");
      assertThat(m.get(0x20006, 1)[0]).isEqualTo((byte) 77);
    }
  }

  @Test
  void downwardCopyGoesFromTheEnd() {
    try (PlainMachine m = PlainMachine.in32()) {
      long at = PlainMachine.DATA;
      m.put(at, new byte[] {1, 2, 3, 4});
      m.exec("FD").reg(RSI, at + 3).reg(RDI, at + 5).reg(RCX, 4).exec("F3A4");
      assertThat(m.get(at, 6)).containsExactly(1, 2, 1, 2, 3, 4);
      assertThat(m.reg(RSI)).isEqualTo(at - 1);
    }
  }

  @Test
  void relativeJumpsOf16BitOperandsCutTheTarget() {
    try (PlainMachine m = PlainMachine.in32()) {
      m.cpu.rip = PlainMachine.CODE;
      m.code("66EB10").run(1);
      assertThat(m.cpu.rip).isEqualTo(PlainMachine.CODE + 0x13 & 0xFFFF);
    }
  }

  @Test
  void branchBeyondTheCodeLimitFaults() {
    try (PlainMachine m = PlainMachine.in32()) {
      m.cpu.segLimit[CpuRegisters.CS] = (int) PlainMachine.CODE + 0xFFF;
      assertThat(m.vectorOf("E900100000")).isEqualTo(GuestFault.GP);
      assertThat(m.reg(RSP)).isEqualTo(PlainMachine.STACK);
    }
  }

  @Test
  void pushaAndPopaAreInverse() {
    try (PlainMachine m = PlainMachine.in32()) {
      for (int r = 0; r < 8; r++) {
        if (r != RSP) {
          m.reg(r, 0x1000_0000L + r);
        }
      }
      m.exec("60");
      assertThat(m.get64(PlainMachine.STACK - 20) & 0xFFFFFFFFL).isEqualTo(PlainMachine.STACK);
      for (int r = 0; r < 8; r++) {
        if (r != RSP) {
          m.reg(r, 0);
        }
      }
      m.exec("61");
      for (int r = 0; r < 8; r++) {
        assertThat(m.reg(r)).isEqualTo(r == RSP ? PlainMachine.STACK : 0x1000_0000L + r);
      }
    }
  }

  @Test
  void enterCopiesFramePointersOfOuterLevels() {
    try (PlainMachine m = PlainMachine.in32()) {
      long outer = PlainMachine.DATA;
      m.put64(outer - 4, 0xAABBCCDDL).reg(RBP, outer).exec("C8100002"); // enter 16, 2
      long frame = PlainMachine.STACK - 4;
      assertThat(m.reg(RBP)).isEqualTo(frame);
      assertThat(m.reg(RSP)).isEqualTo(frame - 8 - 16);
      assertThat(m.get64(frame - 8)).isEqualTo(0xAABBCCDDL << 32 | frame);
      m.exec("C9");
      assertThat(m.reg(RBP)).isEqualTo(outer);
      assertThat(m.reg(RSP)).isEqualTo(PlainMachine.STACK);
    }
  }

  @Test
  void popfKeepsIopAndInterruptFlagFromUsers() {
    try (PlainMachine m = PlainMachine.in32()) {
      m.cpu.cpl = 3;
      m.cpu.accessModeChanged();
      m.put64(PlainMachine.STACK, 0x3000 | CpuRegisters.FLAG_IF | CpuRegisters.FLAG_CF);
      m.exec("9D");
      assertThat(m.flags()).isEqualTo(2 | CpuRegisters.FLAG_CF);
    }
  }

  @Test
  void boundRaisesItsException() {
    try (PlainMachine m = PlainMachine.in32()) {
      m.put64(PlainMachine.DATA, 10L << 32 | 0xFFFF_FFFEL);
      m.reg(RBX, PlainMachine.DATA).reg(RAX, 10).exec("6203");
      m.reg(RAX, 0xFFFF_FFFDL);
      assertThat(m.vectorOf("6203")).isEqualTo(GuestFault.BR);
    }
  }

  @Test
  void longRepetitionGivesWayToAttention() {
    try (PlainMachine m = PlainMachine.in64()) {
      m.code("F3AA90").reg(RDI, PlainMachine.DATA).reg(RCX, 4 << 20).reg(RAX, 9);
      m.cpu.raiseAttention(Cpu.ATTENTION_SAFEPOINT);
      m.run(1);
      assertThat(m.cpu.rip).isEqualTo(PlainMachine.CODE);
      assertThat(m.reg(RCX)).isBetween(1L, (4L << 20) - 1);
      assertThat(m.reg(RDI) - PlainMachine.DATA).isEqualTo((4 << 20) - m.reg(RCX));
      while (m.cpu.rip == PlainMachine.CODE) {
        m.run(1);
      }
      assertThat(m.reg(RCX)).isZero();
      assertThat(m.get(PlainMachine.DATA + (4 << 20) - 1, 2)).containsExactly(9, 0);
    }
  }
}
