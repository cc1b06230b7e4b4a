package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Segments, gates and far transfers in 32-bit protected mode, and call gates in long mode. */
class SegmentsTest {
  private static final long GDT = 0x2_0000;
  private static final long IDT = 0x2_1000;
  private static final long TSS = 0x2_2000;
  private static final long LDT = 0x2_3000;
  private static final long CODE32 = 0x00CF_9B00_0000_FFFFL;
  private static final long DATA32 = 0x00CF_9300_0000_FFFFL;
  private static final long DPL3 = 0x0000_6000_0000_0000L;
  private static final long PRESENT = 0x0000_8000_0000_0000L;
  private static final int USER_CODE = 0x1B;
  private static final int USER_DATA = 0x23;
  private static final int TSS_SELECTOR = 0x28;
  private static final int LDT_SELECTOR = 0x30;
  private static final int GATE = 0x38;
  private static final int FREE = 0x40;
  private static final long USER_TEXT = 0x11_0000;
  private static final long HANDLER = 0x12_0000;
  private static final long INNER_STACK = 0x20_0000;
  private static final long USER_STACK = 0x22_0000;

  private final PlainMachine m = PlainMachine.in32();
  private final Cpu cpu = m.cpu;

  @BeforeEach
  void tables() {
    long[] gdt = {
      0,
      CODE32,
      DATA32,
      CODE32 | DPL3,
      DATA32 | DPL3,
      0x67 | TSS << 16 | 0x89L << 40,
      0x1F | LDT << 16 | 0x82L << 40,
      0
    };
    for (int k = 0; k < gdt.length; k++) {
      m.put64(GDT + 8L * k, gdt[k]);
    }
    cpu.gdtBase = GDT;
    cpu.gdtLimit = 0xFF;
    cpu.idtBase = IDT;
    cpu.idtLimit = 0x7FF;
    for (int v = 0; v < 32; v++) {
      gate(v, 0x8E);
    }
    m.code(HANDLER, "F4");
    m.put64(TSS + 4, INNER_STACK | 0x10L << 32);
    m.reg(CpuRegisters.RAX, TSS_SELECTOR).exec("0F00D8");
  }

  @AfterEach
  void close() {
    m.close();
  }

  private void gate(int vector, int access) {
    m.put64(IDT + 8L * vector, descriptorOfGate(HANDLER, 8, access));
  }

  private static long descriptorOfGate(long offset, int selector, int access) {
    return offset & 0xFFFF
        | (long) selector << 16
        | (long) access << 40
        | (offset >>> 16 & 0xFFFF) << 48;
  }

  private long stack32(int n) {
    return m.get64(cpu.gpr[CpuRegisters.RSP] + 4L * n) & 0xFFFFFFFFL;
  }

  /** Goes to ring 3 by RETF. */
  private void enterUser(String hex) {
    m.code(USER_TEXT, hex);
    long frame = INNER_STACK - 0x100;
    m.put64(frame, USER_TEXT | (long) USER_CODE << 32);
    m.put64(frame + 8, USER_STACK | (long) USER_DATA << 32);
    cpu.gpr[CpuRegisters.RSP] = frame;
    m.exec("CB");
  }

  @Test
  void farReturnToRing3() {
    enterUser("90");
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.segSelector[CpuRegisters.CS]).isEqualTo(USER_CODE);
    assertThat(cpu.segSelector[CpuRegisters.SS]).isEqualTo(USER_DATA);
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(USER_STACK);
    assertThat(cpu.segSelector[CpuRegisters.DS]).as("ring 0 data is dropped").isZero();
  }

  @Test
  void faultInRing3UsesTheStackOfTheTss() {
    enterUser("8B03"); // MOV EAX,[EBX] with a null DS
    cpu.run();
    assertThat(cpu.halted).isTrue();
    assertThat(cpu.cpl).isZero();
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(INNER_STACK - 24);
    assertThat(stack32(0)).as("error code").isZero();
    assertThat(stack32(1)).isEqualTo(USER_TEXT);
    assertThat(stack32(2)).isEqualTo(USER_CODE);
    assertThat(stack32(4)).isEqualTo(USER_STACK);
    assertThat(stack32(5)).isEqualTo(USER_DATA);
    m.reg(CpuRegisters.RSP, m.reg(CpuRegisters.RSP) + 4).exec("CF");
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.rip).isEqualTo(USER_TEXT);
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(USER_STACK);
  }

  @Test
  void callGateCopiesParametersAndReturnReleasesThem() {
    m.put64(GDT + GATE, descriptorOfGate(HANDLER, 8, 0xEC) | 2L << 32);
    m.code(HANDLER, "CA0800"); // RETF 8
    // PUSH 11h; PUSH 22h; CALLF 38:0; NOP
    enterUser("6A11 6A22 9A000000003B00 90");
    m.run(3);
    assertThat(cpu.cpl).isZero();
    assertThat(cpu.rip).isEqualTo(HANDLER);
    assertThat(stack32(0)).isEqualTo(USER_TEXT + 11);
    assertThat(stack32(1)).isEqualTo(USER_CODE);
    assertThat(stack32(2)).isEqualTo(0x22);
    assertThat(stack32(3)).isEqualTo(0x11);
    assertThat(stack32(4)).isEqualTo(USER_STACK - 8);
    m.run(1);
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(USER_STACK);
    assertThat(cpu.rip).isEqualTo(USER_TEXT + 11);
  }

  @Test
  void callGateOfLongMode() {
    try (SystemMachine s = new SystemMachine()) {
      long gate = SystemMachine.GDT + SystemMachine.FREE_SELECTOR;
      s.m.put64(gate, descriptorOfGate(HANDLER, SystemMachine.KERNEL_CODE, 0xEC));
      s.m.put64(gate + 8, 0);
      s.m.code(HANDLER, "48CB"); // RETFQ
      s.m.put64(PlainMachine.DATA, (long) (SystemMachine.FREE_SELECTOR | 3) << 32);
      s.m.reg(CpuRegisters.RBX, PlainMachine.DATA);
      s.enterUser("FF1B 90", 2); // CALLF [RBX]
      s.m.run(1);
      assertThat(s.cpu.cpl).isZero();
      assertThat(s.cpu.rip).isEqualTo(HANDLER);
      assertThat(s.stack(0)).isEqualTo(SystemMachine.USER_TEXT + 2);
      assertThat(s.stack(3)).isEqualTo(SystemMachine.USER_DATA);
      s.m.run(1);
      assertThat(s.cpu.cpl).isEqualTo(3);
      assertThat(s.cpu.gpr[CpuRegisters.RSP]).isEqualTo(SystemMachine.USER_STACK);
      // Without REX.W the selector stands at +4; the gate's upper half must be empty.
      s.m.put64(gate + 8, 0x8900L << 32);
      assertThat(s.m.vectorOf("FF1B")).isEqualTo(GuestFault.GP);
    }
  }

  @Test
  void loadsCheckTypeLevelAndPresence() {
    m.reg(CpuRegisters.RAX, 8);
    assertThat(m.vectorOf("8ED0")).as("SS from code").isEqualTo(GuestFault.GP);
    assertThat(cpu.fault.errorCode).isEqualTo(8);
    m.reg(CpuRegisters.RAX, 0);
    assertThat(m.vectorOf("8ED0")).as("null SS").isEqualTo(GuestFault.GP);
    m.reg(CpuRegisters.RAX, 0x100);
    assertThat(m.vectorOf("8ED8")).as("beyond the GDT").isEqualTo(GuestFault.GP);
    assertThat(cpu.fault.errorCode).isEqualTo(0x100);
    m.put64(GDT + FREE, DATA32 & ~PRESENT);
    m.reg(CpuRegisters.RAX, FREE);
    assertThat(m.vectorOf("8ED8")).isEqualTo(GuestFault.NP);
    assertThat(m.vectorOf("8ED0")).isEqualTo(GuestFault.SS);
    assertThat(cpu.fault.errorCode).isEqualTo(FREE);
    m.put64(GDT + FREE, DATA32 & ~(1L << 40));
    m.exec("8ED8");
    assertThat(m.get64(GDT + FREE) >>> 40 & 1).as("accessed").isEqualTo(1);
    assertThat(m.vectorOf("8EC8")).as("CS").isEqualTo(GuestFault.UD);
  }

  @Test
  void limitsAndRightsAreEnforced() {
    m.put64(GDT + FREE, 0x0040_9300_0000_0FFFL | 0x4000L << 16); // base 4000h, limit FFFh
    m.reg(CpuRegisters.RAX, FREE).exec("8EC0");
    m.put64(0x4FF8, 0x1122334455667788L);
    m.reg(CpuRegisters.RBX, 0xFFC).exec("268B03");
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0x11223344);
    m.reg(CpuRegisters.RBX, 0xFFD);
    assertThat(m.vectorOf("268B03")).isEqualTo(GuestFault.GP);
    assertThat(m.vectorOf("2E8803")).as("write through CS").isEqualTo(GuestFault.GP);
    m.put64(GDT + FREE, 0x0040_9700_0000_0FFFL); // expand-down
    m.reg(CpuRegisters.RAX, FREE).exec("8EC0");
    assertThat(m.vectorOf("268B03")).isEqualTo(GuestFault.GP);
    m.reg(CpuRegisters.RBX, 0x5000).exec("268B03");
  }

  @Test
  void localDescriptorTable() {
    m.reg(CpuRegisters.RAX, 0xC);
    assertThat(m.vectorOf("8ED8")).as("no LDT yet").isEqualTo(GuestFault.GP);
    m.reg(CpuRegisters.RAX, LDT_SELECTOR).exec("0F00D0");
    m.put64(LDT + 8, DATA32 | 0x5000L << 16);
    m.reg(CpuRegisters.RAX, 0xC).exec("8ED8");
    assertThat(cpu.segBase[CpuRegisters.DS]).isEqualTo(0x5000);
    m.reg(CpuRegisters.RBX, 0).exec("0F00C3"); // SLDT EBX
    assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(LDT_SELECTOR);
  }

  @Test
  void taskRegisterBecomesBusy() {
    assertThat(m.get64(GDT + TSS_SELECTOR) >>> 40 & 0xFF).isEqualTo(0x8B);
    m.reg(CpuRegisters.RAX, TSS_SELECTOR);
    assertThat(m.vectorOf("0F00D8")).as("busy already").isEqualTo(GuestFault.GP);
    m.exec("0F00CB"); // STR EBX
    assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(TSS_SELECTOR);
  }

  @Test
  void selectorTests() {
    m.reg(CpuRegisters.RAX, 8).exec("0F02D8"); // LAR EBX,EAX
    assertThat(m.flags() & CpuRegisters.FLAG_ZF).isNotZero();
    assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(0x00CF9B00);
    m.exec("0F03D8"); // LSL
    assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(0xFFFFFFFFL);
    m.exec("0F00E0"); // VERR
    assertThat(m.flags() & CpuRegisters.FLAG_ZF).isNotZero();
    m.exec("0F00E8"); // VERW
    assertThat(m.flags() & CpuRegisters.FLAG_ZF).isZero();
    m.reg(CpuRegisters.RAX, 0x10).exec("0F00E8");
    assertThat(m.flags() & CpuRegisters.FLAG_ZF).isNotZero();
    m.reg(CpuRegisters.RAX, 0xF000).reg(CpuRegisters.RBX, 77).exec("0F02D8");
    assertThat(m.flags() & CpuRegisters.FLAG_ZF).isZero();
    assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(77);
  }

  @Test
  void farPointersLoadSegmentAndOffset() {
    m.put64(PlainMachine.DATA, 0x12345678L | 0x10L << 32);
    m.reg(CpuRegisters.RBX, PlainMachine.DATA);
    m.exec("0FB233"); // LSS ESI,[EBX]
    assertThat(m.reg(CpuRegisters.RSI)).isEqualTo(0x12345678);
    m.exec("C43B"); // LES EDI,[EBX]
    assertThat(cpu.segSelector[CpuRegisters.ES]).isEqualTo(0x10);
    assertThat(m.reg(CpuRegisters.RDI)).isEqualTo(0x12345678);
    m.put64(PlainMachine.DATA + 4, 8);
    assertThat(m.vectorOf("0FB233")).isEqualTo(GuestFault.GP);
  }

  @Test
  void pushAndPopSegments() {
    m.exec("16").exec("07"); // PUSH SS; POP ES
    assertThat(cpu.segSelector[CpuRegisters.ES]).isEqualTo(0x10);
    m.exec("0E");
    assertThat(stack32(0)).isEqualTo(8);
    assertThat(m.vectorOf("17")).as("POP SS of a code selector").isEqualTo(GuestFault.GP);
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(PlainMachine.STACK - 4);
  }

  @Test
  void tablesAreStoredAndLoaded() {
    m.reg(CpuRegisters.RBX, PlainMachine.DATA).exec("0F0103"); // SGDT
    assertThat(m.get64(PlainMachine.DATA) & 0xFFFF_FFFFFFFFL).isEqualTo(0xFFL | GDT << 16);
    m.put64(PlainMachine.DATA, 0x123L | 0x89ABCDEFL << 16);
    m.exec("660F011B"); // LIDT with a 24-bit base
    assertThat(cpu.idtBase).isEqualTo(0xABCDEF);
    assertThat(cpu.idtLimit).isEqualTo(0x123);
  }

  @Test
  void taskSwitchesAreRefused() {
    assertThat(m.vectorOf("EA000000002800")).isEqualTo(GuestFault.GP);
    assertThat(cpu.fault.errorCode).isEqualTo(TSS_SELECTOR);
  }

  @Test
  void realModeInterruptAndReturn() {
    try (PlainMachine r = PlainMachine.in16()) {
      r.put64(4 * 0x21, 0x2000_0010L); // IVT 21h: 2000:0010
      r.code(0x20010, "40 CF"); // INC AX; IRET
      r.code("F9 CD21 F4"); // STC; INT 21h; HLT
      r.cpu.flagsSystem |= CpuRegisters.FLAG_IF;
      r.cpu.run();
      assertThat(r.cpu.halted).isTrue();
      assertThat(r.reg(CpuRegisters.RAX)).isEqualTo(1);
      assertThat(r.cpu.cf()).isTrue();
      assertThat(r.cpu.interruptsEnabled()).isTrue();
      assertThat(r.reg(CpuRegisters.RSP)).isEqualTo(0x7C00);
    }
  }
}
