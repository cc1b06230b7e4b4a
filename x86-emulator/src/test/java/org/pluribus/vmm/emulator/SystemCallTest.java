package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** SYSCALL and SYSRET between ring 0 and ring 3 in 64-bit mode. */
class SystemCallTest {
  private static final long KERNEL_ENTRY = 0x12_0000;
  private static final long USER_CODE = 0x11_0000;
  private static final int USER_FLAGS = 0x202;

  private final PlainMachine m = PlainMachine.in64();
  private final Cpu cpu = m.cpu;

  @BeforeEach
  void registers() {
    cpu.star = 0x23L << 48 | 0x10L << 32;
    cpu.lstar = KERNEL_ENTRY;
    cpu.sfmask = CpuRegisters.FLAG_IF | CpuRegisters.FLAG_CF;
  }

  @AfterEach
  void close() {
    m.close();
  }

  @Test
  void sysretGoesToRing3AndSyscallBack() {
    m.reg(CpuRegisters.RCX, USER_CODE).reg(11, USER_FLAGS | CpuRegisters.FLAG_CF);
    m.code(USER_CODE, "0F05").exec("480F07");
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.rip).isEqualTo(USER_CODE);
    assertThat(cpu.segSelector[CpuRegisters.CS]).isEqualTo(0x33);
    assertThat(cpu.segSelector[CpuRegisters.SS]).isEqualTo(0x2B);
    assertThat(cpu.eflags()).isEqualTo(USER_FLAGS | CpuRegisters.FLAG_CF);

    m.run(1);
    assertThat(cpu.cpl).isZero();
    assertThat(cpu.rip).isEqualTo(KERNEL_ENTRY);
    assertThat(m.reg(CpuRegisters.RCX)).isEqualTo(USER_CODE + 2);
    assertThat(m.reg(11)).isEqualTo(USER_FLAGS | CpuRegisters.FLAG_CF);
    assertThat(cpu.segSelector[CpuRegisters.CS]).isEqualTo(0x10);
    assertThat(cpu.segSelector[CpuRegisters.SS]).isEqualTo(0x18);
    assertThat(cpu.eflags()).isEqualTo(2);
    assertThat(cpu.codeBits).isEqualTo(64);
  }

  @Test
  void sysretWithoutRexEntersCompatibilityMode() {
    m.reg(CpuRegisters.RCX, 0xFFFFFFFF_00110000L).reg(11, USER_FLAGS);
    m.exec("0F07");
    assertThat(cpu.codeBits).isEqualTo(32);
    assertThat(cpu.rip).isEqualTo(USER_CODE);
    assertThat(cpu.segSelector[CpuRegisters.CS]).isEqualTo(0x23);
  }

  @Test
  void withoutSceBothAreUndefined() {
    cpu.efer &= ~CpuRegisters.EFER_SCE;
    assertThat(m.vectorOf("0F05")).isEqualTo(GuestFault.UD);
    assertThat(m.vectorOf("480F07")).isEqualTo(GuestFault.UD);
  }

  @Test
  void sysretToNonCanonicalAddressFaultsInRing0() {
    m.reg(CpuRegisters.RCX, 1L << 47);
    assertThat(m.vectorOf("480F07")).isEqualTo(GuestFault.GP);
    assertThat(cpu.cpl).isZero();
  }

  @Test
  void sysenterAndSysexit() {
    cpu.sysenterCs = 0x10;
    cpu.sysenterEsp = PlainMachine.STACK - 64;
    cpu.sysenterEip = KERNEL_ENTRY;
    m.reg(CpuRegisters.RDX, USER_CODE).reg(CpuRegisters.RCX, PlainMachine.DATA);
    m.code(USER_CODE, "0F34").exec("480F35");
    assertThat(cpu.cpl).isEqualTo(3);
    assertThat(cpu.segSelector[CpuRegisters.CS]).isEqualTo(0x33);
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(PlainMachine.DATA);
    m.run(1);
    assertThat(cpu.cpl).isZero();
    assertThat(cpu.rip).isEqualTo(KERNEL_ENTRY);
    assertThat(m.reg(CpuRegisters.RSP)).isEqualTo(PlainMachine.STACK - 64);
  }

  @Test
  void swapgsExchangesBases() {
    cpu.segBase[CpuRegisters.GS] = 0x1000;
    cpu.kernelGsBase = PlainMachine.DATA;
    m.put64(PlainMachine.DATA + 8, 0x1234);
    m.exec("0F01F8").exec("65488B042508000000");
    assertThat(cpu.kernelGsBase).isEqualTo(0x1000);
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0x1234);
  }
}
