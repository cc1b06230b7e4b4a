package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ports with the permission bitmap, MSRs, CPUID and XCR0. */
class PortAndMsrTest {
  private final SystemMachine s = new SystemMachine();
  private final PlainMachine m = s.m;
  private final Cpu cpu = m.cpu;

  @AfterEach
  void close() {
    s.close();
  }

  // ---- ports ----

  @Test
  void portsOfAllWidths() {
    m.reg(CpuRegisters.RAX, 0x11223344_55667788L).reg(CpuRegisters.RDX, 0x3F8);
    m.exec("EE");
    assertThat(m.ports).containsEntry(0x3F8, 0x88L);
    m.exec("66EF");
    assertThat(m.ports).containsEntry(0x3F8, 0x7788L);
    m.exec("48EF");
    assertThat(m.ports).containsEntry(0x3F8, 0x55667788L);
    m.ports.put(0x60, 0xABCDEF01L);
    m.exec("E460");
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0x11223344_55667701L);
    m.exec("E560");
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0xABCDEF01L);
  }

  @Test
  void stringsOfPorts() {
    m.put64(PlainMachine.DATA, 0x4142434445464748L);
    m.reg(CpuRegisters.RSI, PlainMachine.DATA).reg(CpuRegisters.RDX, 0x80);
    m.reg(CpuRegisters.RCX, 3).exec("F36E");
    assertThat(m.ports).containsEntry(0x80, 0x46L);
    assertThat(m.reg(CpuRegisters.RSI)).isEqualTo(PlainMachine.DATA + 3);
    assertThat(m.reg(CpuRegisters.RCX)).isZero();
    m.ports.put(0x80, 0x1234L);
    m.reg(CpuRegisters.RDI, PlainMachine.DATA + 16).reg(CpuRegisters.RCX, 2).exec("F3666D");
    assertThat(m.get64(PlainMachine.DATA + 16) & 0xFFFFFFFFL).isEqualTo(0x12341234L);
  }

  @Test
  void bitmapAllowsSinglePortsToRing3() {
    m.reg(CpuRegisters.RDX, 0x35);
    s.enterUser("EE", 2);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.GP);
    m.put(SystemMachine.TSS + 0x68 + 6, new byte[] {(byte) ~0x20});
    s.enterUser("EE 66EF", 2);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.GP);
    assertThat(s.stack(1)).as("the word needs two ports").isEqualTo(SystemMachine.USER_TEXT + 1);
    m.reg(CpuRegisters.RDX, 0x4000);
    s.enterUser("EE", 2);
    assertThat(s.runToHandler()).as("beyond the map").isEqualTo(GuestFault.GP);
    s.enterUser("EE 0F0B", CpuRegisters.FLAG_IOPL | 2);
    assertThat(s.runToHandler()).as("IOPL 3").isEqualTo(GuestFault.UD);
  }

  // ---- MSRs ----

  private long rdmsr(int msr) {
    m.reg(CpuRegisters.RCX, msr).exec("0F32");
    return m.reg(CpuRegisters.RDX) << 32 | m.reg(CpuRegisters.RAX);
  }

  private void setUpWrite(int msr, long v) {
    m.reg(CpuRegisters.RCX, msr & 0xFFFFFFFFL);
    m.reg(CpuRegisters.RAX, v & 0xFFFFFFFFL).reg(CpuRegisters.RDX, v >>> 32);
  }

  private void wrmsr(int msr, long v) {
    setUpWrite(msr, v);
    m.exec("0F30");
  }

  private void expectRefused(int msr, long v) {
    setUpWrite(msr, v);
    assertThat(m.vectorOf("0F30")).as("MSR %x", msr).isEqualTo(GuestFault.GP);
  }

  @Test
  void msrsKeepTheirValues() {
    int[] addresses = {
      Msrs.LSTAR,
      Msrs.CSTAR,
      Msrs.FS_BASE,
      Msrs.GS_BASE,
      Msrs.KERNEL_GS_BASE,
      Msrs.SYSENTER_ESP,
      Msrs.SYSENTER_EIP
    };
    for (int msr : addresses) {
      wrmsr(msr, 0xFFFF8000_12345678L);
      assertThat(rdmsr(msr)).isEqualTo(0xFFFF8000_12345678L);
      expectRefused(msr, 1L << 47);
    }
    wrmsr(Msrs.PAT, 0x0007010600070106L);
    assertThat(rdmsr(Msrs.PAT)).isEqualTo(0x0007010600070106L);
    expectRefused(Msrs.PAT, 2);
    wrmsr(Msrs.MTRR_VARIABLE + 15, 0xFF80000800L);
    assertThat(rdmsr(Msrs.MTRR_VARIABLE + 15)).isEqualTo(0xFF80000800L);
    wrmsr(Msrs.MTRR_FIX_4K + 7, 5);
    assertThat(rdmsr(Msrs.MTRR_FIX_4K + 7)).isEqualTo(5);
    assertThat(rdmsr(Msrs.MTRR_CAP)).isEqualTo(0x508);
  }

  @Test
  void unknownMsrsAreRefused() {
    expectRefused(0x12345, 0);
    m.reg(CpuRegisters.RCX, 0xC0010015L);
    assertThat(m.vectorOf("0F32")).isEqualTo(GuestFault.GP);
    expectRefused(Msrs.ARCH_CAPABILITIES, 0);
    expectRefused(Msrs.EFER, cpu.efer | 1 << 12);
    expectRefused(Msrs.EFER, cpu.efer & ~CpuRegisters.EFER_LME);
  }

  @Test
  void apicMsrsGoToTheEnvironment() {
    m.msrs.put(0x802, 7L);
    assertThat(rdmsr(0x802)).isEqualTo(7);
    wrmsr(0x802, 9);
    assertThat(m.msrs).containsEntry(0x802, 9L);
    expectRefused(0x8FF, 1);
  }

  @Test
  void writingTheTscMovesItAndTheAdjustment() {
    wrmsr(Msrs.TSC, 1L << 40);
    m.exec("0F31");
    long now = m.reg(CpuRegisters.RDX) << 32 | m.reg(CpuRegisters.RAX);
    assertThat(now).isBetween(1L << 40, (1L << 40) + 1000);
    long adjust = rdmsr(Msrs.TSC_ADJUST);
    assertThat(adjust).isEqualTo(cpu.tscOffset);
    wrmsr(Msrs.TSC_ADJUST, 0);
    assertThat(cpu.tscOffset).isZero();
  }

  @Test
  void rdtscIsPrivilegedUnderTsd() {
    cpu.cr4 |= CpuRegisters.CR4_TSD;
    m.exec("0F31");
    s.enterUser("0F31", 2);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.GP);
  }

  @Test
  void rdtscpGivesTheProcessorId() {
    wrmsr(Msrs.TSC_AUX, 0x5003);
    m.exec("0F01F9");
    assertThat(m.reg(CpuRegisters.RCX)).isEqualTo(0x5003);
  }

  @Test
  void fsAndGsBaseInstructionsNeedTheirBit() {
    m.reg(CpuRegisters.RAX, PlainMachine.DATA);
    assertThat(m.vectorOf("F3480FAED8")).isEqualTo(GuestFault.UD);
    cpu.cr4 |= CpuRegisters.CR4_FSGSBASE;
    m.exec("F3480FAED8").exec("F3480FAECB"); // WRGSBASE RAX; RDGSBASE RBX
    assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(PlainMachine.DATA);
    m.reg(CpuRegisters.RAX, 1L << 50);
    assertThat(m.vectorOf("F3480FAED0")).isEqualTo(GuestFault.GP);
  }

  // ---- CPUID, XCR0 ----

  private void cpuid(int leaf, int subleaf) {
    m.reg(CpuRegisters.RAX, leaf & 0xFFFFFFFFL).reg(CpuRegisters.RCX, subleaf).exec("0FA2");
  }

  @Test
  void cpuidNamesTheVendorAndTheHypervisor() {
    cpuid(0, 0);
    assertThat(m.reg(CpuRegisters.RBX)).isEqualTo(0x756E6547);
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0x16);
    cpuid(0x40000000, 0);
    assertThat(text(CpuRegisters.RBX) + text(CpuRegisters.RCX) + text(CpuRegisters.RDX))
        .isEqualTo("Pluribus VMM");
    cpuid(0x80000008, 0);
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(0x3028);
    cpuid(0x15, 0);
    assertThat(m.reg(CpuRegisters.RCX)).isEqualTo(1_000_000_000);
  }

  private String text(int reg) {
    StringBuilder b = new StringBuilder();
    for (int k = 0; k < 4; k++) {
      b.append((char) (m.reg(reg) >>> 8 * k & 0xFF));
    }
    return b.toString();
  }

  @Test
  void osxsaveFollowsCr4AndGuardsXcr0() {
    cpuid(1, 0);
    assertThat(m.reg(CpuRegisters.RCX) & 1 << 27).isZero();
    m.reg(CpuRegisters.RCX, 0);
    assertThat(m.vectorOf("0F01D0")).isEqualTo(GuestFault.UD);
    cpu.cr4 |= CpuRegisters.CR4_OSXSAVE;
    cpuid(1, 0);
    assertThat(m.reg(CpuRegisters.RCX) & 1 << 27).isNotZero();
    m.reg(CpuRegisters.RCX, 0).reg(CpuRegisters.RDX, 0).reg(CpuRegisters.RAX, 3);
    m.exec("0F01D1").reg(CpuRegisters.RAX, 0).exec("0F01D0");
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(3);
    m.reg(CpuRegisters.RAX, 2);
    assertThat(m.vectorOf("0F01D1")).as("x87 cannot be off").isEqualTo(GuestFault.GP);
    m.reg(CpuRegisters.RAX, 7);
    assertThat(m.vectorOf("0F01D1")).as("no AVX").isEqualTo(GuestFault.GP);
  }

  @Test
  void topologyTellsNodeAndCore() {
    CpuidTable t = new CpuidTable(new CpuidConfig(0x13, 4, 2, CpuidConfig.STANDARD_TSC_HZ));
    assertThat(t.edx(0xB, 0)).isEqualTo(0x13);
    assertThat(t.eax(0xB, 1)).isEqualTo(4);
    assertThat(t.ebx(0xB, 1)).isEqualTo(2);
    assertThat(t.ecx(0xB, 1)).isEqualTo(0x201);
    assertThat(t.ecx(0xB, 9)).isEqualTo(9);
    assertThat(t.ebx(1, 0) >>> 24).isEqualTo(0x13);
    assertThat(t.ebx(1, 0) >>> 16 & 0xFF).isEqualTo(16);
    assertThat(t.eax(0x12345678, 0)).as("as the highest basic leaf").isEqualTo(t.eax(0x16, 0));
  }
}
