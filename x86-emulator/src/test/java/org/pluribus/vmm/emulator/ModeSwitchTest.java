package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Real mode, protected mode, long mode and compatibility mode, entered and left by guest code. */
class ModeSwitchTest {
  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long ONE_GIB_PAGE = 0x83;

  /**
   * From 0x7C00: LGDT, CR0.PE, JMP 08:prot32; segments, CR4.PAE, CR3, EFER.LME, CR0.PG, JMP
   * 18:long64; PUSH a 64-bit value and read it back; JMP 08:compat; CR0.PG off, JMP 20:prot16;
   * CR0.PE off, JMP 0:real; MOV DS,1234; HLT. The GDT (null, code32, data, code64, code16) follows.
   */
  private static final String THERE_AND_BACK =
      "fa0f01169b7c0f20c00c010f22c0ea137c080066b810008ed88ed08ec0bc00003000"
          + "0f20e083c8200f22e0b8001000000f22d8b9800000c00f320d000100000f"
          + "300f20c00d000000800f22c0ea537c0000180048b8887766554433221150488b1c240f20c048"
          + "ff2d00000000767c00000000000008000f20c025ffffff7f0f22"
          + "c0ea887c000020000f20c024fe0f22c0ea957c0000b834128ed8f42700a87c0000"
          + "8db400008d7400"
          + "0000000000000000ffff0000009bcf00ffff00000093cf00ffff0000009baf00ffff0000009b0000";

  @Test
  void realToProtectedToLongModeAndBack() {
    try (PlainMachine m = PlainMachine.in16()) {
      m.put64(PML4, PDPT | 7);
      m.put64(PDPT, ONE_GIB_PAGE);
      m.code(THERE_AND_BACK);
      m.cpu.run();
      assertThat(m.cpu.halted).isTrue();
      assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(0x1122334455667788L);
      assertThat(m.get64(0x300000 - 8)).isEqualTo(0x1122334455667788L);
      assertThat(m.cpu.longModeActive()).isFalse();
      assertThat(m.cpu.efer).isEqualTo(CpuRegisters.EFER_LME);
      assertThat(m.cpu.protectedMode()).isFalse();
      assertThat(m.cpu.codeBits).isEqualTo(16);
      assertThat(m.cpu.segBase[CpuRegisters.DS]).isEqualTo(0x12340);
      assertThat(m.cpu.segLimit[CpuRegisters.DS]).as("unreal mode keeps the limit").isEqualTo(-1);
      assertThat(m.unknownInstructions).isZero();
    }
  }

  @Test
  void pagingWithoutPaeInLongModeIsRefused() {
    try (PlainMachine m = PlainMachine.in32()) {
      m.cpu.efer = CpuRegisters.EFER_LME;
      m.reg(CpuRegisters.RAX, m.cpu.cr0 | CpuRegisters.CR0_PG);
      assertThat(m.vectorOf("0F22C0")).isEqualTo(GuestFault.GP);
    }
  }

  @Test
  void controlRegisterBitsAreChecked() {
    try (PlainMachine m = PlainMachine.in64()) {
      long cr0 = m.cpu.cr0;
      m.reg(CpuRegisters.RAX, cr0 | 1L << 32);
      assertThat(m.vectorOf("0F22C0")).isEqualTo(GuestFault.GP);
      m.reg(CpuRegisters.RAX, cr0 & ~CpuRegisters.CR0_PE);
      assertThat(m.vectorOf("0F22C0")).isEqualTo(GuestFault.GP);
      m.reg(CpuRegisters.RAX, cr0 & ~CpuRegisters.CR0_PG);
      assertThat(m.vectorOf("0F22C0")).as("in 64-bit code").isEqualTo(GuestFault.GP);
      m.reg(CpuRegisters.RAX, cr0 | CpuRegisters.CR0_NW);
      assertThat(m.vectorOf("0F22C0")).isEqualTo(GuestFault.GP);
      m.reg(CpuRegisters.RAX, m.cpu.cr4 & ~CpuRegisters.CR4_PAE);
      assertThat(m.vectorOf("0F22E0")).isEqualTo(GuestFault.GP);
      m.reg(CpuRegisters.RAX, m.cpu.cr4 | CpuRegisters.CR4_PCIDE);
      assertThat(m.vectorOf("0F22E0")).isEqualTo(GuestFault.GP);
      m.reg(CpuRegisters.RAX, 1L << PageWalker.PHYSICAL_BITS);
      assertThat(m.vectorOf("0F22D8")).isEqualTo(GuestFault.GP);
      assertThat(m.vectorOf("0F22C8")).as("CR1").isEqualTo(GuestFault.UD);
      assertThat(m.cpu.cr0).isEqualTo(cr0);
    }
  }

  @Test
  void cr8IsTheTaskPriority() {
    try (PlainMachine m = PlainMachine.in64()) {
      m.reg(CpuRegisters.RAX, 9).exec("440F22C0").exec("440F20C3");
      assertThat(m.cr8).isEqualTo(9);
      assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(9);
      m.reg(CpuRegisters.RAX, 16);
      assertThat(m.vectorOf("440F22C0")).isEqualTo(GuestFault.GP);
    }
  }

  @Test
  void startUpIpiBeginsAtItsPage() {
    try (PlainMachine m = PlainMachine.in64()) {
      CpuReset.init(m.cpu);
      assertThat(m.cpu.cpl).isZero();
      assertThat(m.cpu.codeBits).isEqualTo(16);
      assertThat(m.cpu.efer).isZero();
      assertThat(m.cpu.segBase[CpuRegisters.CS] + m.cpu.rip).isEqualTo(0xFFFFFFF0L);
      CpuReset.sipi(m.cpu, 0x9F);
      // MOV AX,CS; MOV DS,AX; MOV BX,[10h]; HLT
      m.code(0x9F000, "8CC8 8ED8 8B1E1000 F4");
      m.put64(0x9F010, 0xBEEF);
      m.cpu.run();
      assertThat(m.cpu.halted).isTrue();
      assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0x9F00);
      assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(0xBEEF);
    }
  }

  @Test
  void linuxEntryState() {
    try (PlainMachine m = PlainMachine.in64()) {
      m.code(PlainMachine.CODE, "488CD8 F4"); // MOV RAX,DS; HLT
      CpuReset.enterLong64(
          m.cpu, PlainMachine.CODE, PlainMachine.STACK, 0x7000, PML4, 0x20000, 31, 0x10, 0x18);
      assertThat(m.cpu.codeBits).isEqualTo(64);
      assertThat(m.reg(CpuRegisters.RSI)).isEqualTo(0x7000);
      m.cpu.run();
      assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0x18);
      assertThat(m.cpu.segSelector[CpuRegisters.CS]).isEqualTo(0x10);
      assertThat(m.cpu.interruptsEnabled()).isFalse();
    }
  }

  @Test
  void multibootEntryState() {
    try (PlainMachine m = PlainMachine.in32()) {
      m.code(PlainMachine.CODE, "89D9 F4"); // MOV ECX,EBX; HLT
      CpuReset.enterProtected32(
          m.cpu, PlainMachine.CODE, 0, 0x2BADB002L, 0x9500, 0x20000, 31, 0x10, 0x18);
      m.cpu.run();
      assertThat(m.cpu.codeBits).isEqualTo(32);
      assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0x2BADB002L);
      assertThat(m.reg(CpuRegisters.RCX)).isEqualTo(0x9500);
      assertThat(m.cpu.cr0 & CpuRegisters.CR0_PG).isZero();
    }
  }
}
