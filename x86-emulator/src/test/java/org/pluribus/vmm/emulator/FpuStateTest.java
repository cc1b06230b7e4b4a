package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Saving and restoring x87 and SSE state, and who may use it when. */
class FpuStateTest {
  private static final String FXSAVE64_RSI = "48 0F AE 06";
  private static final String FXRSTOR64_RSI = "48 0F AE 0E";
  private static final String XSAVE64_RSI = "48 0F AE 26";
  private static final String XRSTOR64_RSI = "48 0F AE 2E";
  private static final String MOVDQA_XMM1_RSI = "66 0F 6F 0E";
  private static final String PXOR_XMM1_XMM2 = "66 0F EF CA";

  private final PlainMachine m = PlainMachine.in64();
  private final Cpu cpu = m.cpu;

  FpuStateTest() {
    m.reg(CpuRegisters.RSI, PlainMachine.DATA);
  }

  @AfterEach
  void close() {
    m.close();
  }

  private void fill() {
    for (int k = 0; k < 32; k++) {
      cpu.xmm[k] = 0x0101010101010101L * (k + 1);
    }
    for (int k = 0; k < 8; k++) {
      cpu.fpSignificand[k] = Long.MIN_VALUE + k;
      cpu.fpSignExponent[k] = 0x3FFF + k;
    }
    cpu.fpEmpty = 0x0F;
    cpu.fpTop = 4;
    cpu.fpControl = 0x27F;
    cpu.mxcsr = 0x1FA0;
  }

  @Test
  void fxsaveAndFxrstorAreInverse() {
    fill();
    m.exec(FXSAVE64_RSI);
    assertThat(m.get64(PlainMachine.DATA) & 0xFF_FFFF_FFFFL).isEqualTo(0xF0_2000_027FL);
    assertThat(m.get64(PlainMachine.DATA + 24)).isEqualTo(0xFFFF_0000_1FA0L);
    assertThat(m.get64(PlainMachine.DATA + 32)).isEqualTo(Long.MIN_VALUE + 4); // ST0 first
    java.util.Arrays.fill(cpu.xmm, 0);
    m.exec("DB E3").exec(FXRSTOR64_RSI);
    assertThat(cpu.xmm[31]).isEqualTo(0x2020202020202020L);
    assertThat(cpu.fpTop).isEqualTo(4);
    assertThat(cpu.fpEmpty).isEqualTo(0x0F);
    assertThat(cpu.fpControl).isEqualTo(0x27F);
    assertThat(cpu.fpSignExponent[5]).isEqualTo(0x4004);
    assertThat(cpu.mxcsr).isEqualTo(0x1FA0);
  }

  @Test
  void fxrstorRefusesReservedMxcsrBitsAndMisalignment() {
    m.put64(PlainMachine.DATA + 24, 0x1_1F80);
    assertThat(m.vectorOf(FXRSTOR64_RSI)).isEqualTo(GuestFault.GP);
    m.reg(CpuRegisters.RSI, PlainMachine.DATA + 8);
    assertThat(m.vectorOf(FXSAVE64_RSI)).isEqualTo(GuestFault.GP);
  }

  @Test
  void xsaveMarksOnlyWhatIsInUseAndXrstorInitializesTheRest() {
    cpu.cr4 |= CpuRegisters.CR4_OSXSAVE;
    cpu.xcr0 = 3;
    m.reg(CpuRegisters.RAX, -1).reg(CpuRegisters.RDX, -1);
    m.put64(PlainMachine.DATA + 512, 0);
    cpu.xmm[7] = 5;
    m.exec(XSAVE64_RSI);
    assertThat(m.get64(PlainMachine.DATA + 512)).isEqualTo(FpuState.STATE_SSE);
    fill();
    m.exec(XRSTOR64_RSI);
    assertThat(cpu.xmm[7]).isEqualTo(5);
    assertThat(cpu.xmm[8]).isZero();
    assertThat(cpu.fpControl).isEqualTo(FpuState.INITIAL_CONTROL);
    assertThat(cpu.fpSignExponent[3]).isZero();
    m.put64(PlainMachine.DATA + 520, Long.MIN_VALUE); // compacted form
    assertThat(m.vectorOf(XRSTOR64_RSI)).isEqualTo(GuestFault.GP);
    cpu.cr4 &= ~CpuRegisters.CR4_OSXSAVE;
    assertThat(m.vectorOf(XSAVE64_RSI)).isEqualTo(GuestFault.UD);
  }

  @Test
  void controlBitsDecideWhoMayRun() {
    cpu.cr0 |= CpuRegisters.CR0_TS;
    assertThat(m.vectorOf(PXOR_XMM1_XMM2)).isEqualTo(GuestFault.NM);
    assertThat(m.vectorOf("DB E3")).isEqualTo(GuestFault.NM);
    assertThat(m.vectorOf("9B")).isEqualTo(GuestFault.NM); // CR0.MP is set
    assertThat(m.vectorOf("0F 77")).isEqualTo(GuestFault.NM);
    cpu.cr0 |= CpuRegisters.CR0_EM;
    assertThat(m.vectorOf(PXOR_XMM1_XMM2)).isEqualTo(GuestFault.UD);
    assertThat(m.vectorOf("0F 77")).isEqualTo(GuestFault.UD);
    cpu.cr0 &= ~(CpuRegisters.CR0_EM | CpuRegisters.CR0_TS);
    cpu.cr4 &= ~CpuRegisters.CR4_OSFXSR;
    assertThat(m.vectorOf(PXOR_XMM1_XMM2)).isEqualTo(GuestFault.UD);
    m.exec("0F 77");
  }

  @Test
  void alignedMovesRefuseUnalignedMemory() {
    m.put64(PlainMachine.DATA, 1).put64(PlainMachine.DATA + 8, 2);
    m.exec(MOVDQA_XMM1_RSI);
    assertThat(cpu.xmm[3]).isEqualTo(2);
    m.reg(CpuRegisters.RSI, PlainMachine.DATA + 1);
    assertThat(m.vectorOf(MOVDQA_XMM1_RSI)).isEqualTo(GuestFault.GP);
    m.exec("F3 0F 6F 0E");
    assertThat(cpu.xmm[2]).isEqualTo(2L << 56);
  }

  @Test
  void pendingExceptionsReachWaitingInstructionsOnly() {
    cpu.fpControl &= ~1;
    cpu.fpStatus = 0x8081;
    assertThat(m.vectorOf("9B")).isEqualTo(GuestFault.MF);
    assertThat(m.vectorOf("0F 77")).isEqualTo(GuestFault.MF);
    m.exec("DF E0"); // FNSTSW AX
    assertThat(m.reg(CpuRegisters.RAX) & 0xFFFF).isEqualTo(0x8081);
    m.exec("DB E2").exec("9B");
  }

  @Test
  void fnsaveAndFrstorAreInverse() {
    fill();
    m.exec("DD 36"); // FNSAVE [rsi]
    assertThat(cpu.fpEmpty).isEqualTo(0xFF);
    assertThat(m.get64(PlainMachine.DATA)).isEqualTo(0xFFFF_2000_FFFF_027FL);
    java.util.Arrays.fill(cpu.fpSignificand, 0);
    m.exec("DD 26"); // FRSTOR [rsi]
    assertThat(cpu.fpSignificand[5]).isEqualTo(Long.MIN_VALUE + 5);
    assertThat(cpu.fpTop).isEqualTo(4);
    assertThat(cpu.fpEmpty).isEqualTo(0x0F);
  }
}
