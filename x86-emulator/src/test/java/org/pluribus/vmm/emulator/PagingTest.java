package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Page faults with their error codes, accessed and dirty bits, and what guards them. */
class PagingTest {
  private static final int P = CpuMemory.PF_PRESENT;
  private static final int W = CpuMemory.PF_WRITE;
  private static final int U = CpuMemory.PF_USER;
  private static final int I = CpuMemory.PF_FETCH;
  private static final long NX = 1L << 63;
  private static final long ACCESSED = 1 << 5;
  private static final long DIRTY = 1 << 6;
  private static final long PT = 0x4000;
  private static final long RWU = PlainMachine.PRESENT | PlainMachine.WRITABLE | PlainMachine.USER;
  private static final long PAGE = PlainMachine.DATA;

  private static final String LOAD = "8B03"; // MOV EAX,[RBX]
  private static final String STORE = "8903"; // MOV [RBX],EAX

  private final SystemMachine s = new SystemMachine();
  private final PlainMachine m = s.m;
  private final Cpu cpu = m.cpu;

  @AfterEach
  void close() {
    s.close();
  }

  private void expectPageFault(int code) {
    assertThat(s.runToHandler()).isEqualTo(GuestFault.PF);
    assertThat(s.stack(0)).isEqualTo(code);
    assertThat(cpu.cr2).isEqualTo(PAGE + 8);
  }

  private void user(String hex, long flags) {
    m.setPageFlags(PAGE, flags);
    m.reg(CpuRegisters.RBX, PAGE + 8);
    s.enterUser(hex, 2);
  }

  private void kernel(String hex, long flags) {
    m.setPageFlags(PAGE, flags);
    m.reg(CpuRegisters.RBX, PAGE + 8);
    m.code(hex + "F4");
  }

  @Test
  void userFaults() {
    user(LOAD, 0);
    expectPageFault(U);
    user(STORE, 0);
    expectPageFault(U | W);
    user(LOAD, PlainMachine.PRESENT | PlainMachine.WRITABLE);
    expectPageFault(U | P);
    user(STORE, PlainMachine.PRESENT | PlainMachine.USER);
    expectPageFault(U | W | P);
    user("FFE3", RWU | NX); // JMP RBX
    expectPageFault(U | I | P);
  }

  @Test
  void kernelFaults() {
    kernel(LOAD, 0);
    expectPageFault(0);
    kernel(STORE, PlainMachine.PRESENT);
    expectPageFault(W | P);
    kernel("FFE3", RWU & ~PlainMachine.USER | NX);
    expectPageFault(I | P);
  }

  @Test
  void reservedBitIsReported() {
    m.setPageFlags(PAGE, RWU);
    long entry = PT + (PAGE >>> 12) * 8;
    m.put64(entry, m.get64(entry) | 1L << 45);
    cpu.flushTlbPage(PAGE);
    m.reg(CpuRegisters.RBX, PAGE + 8);
    m.code(LOAD);
    expectPageFault(P | CpuMemory.PF_RESERVED);
  }

  @Test
  void withoutWriteProtectTheKernelWritesReadOnlyPages() {
    kernel(STORE, PlainMachine.PRESENT);
    m.reg(CpuRegisters.RAX, 0x55);
    cpu.cr0 &= ~CpuRegisters.CR0_WP;
    cpu.flushTlb();
    assertThat(s.runToHandler()).isEqualTo(-1);
    assertThat(m.get64(PAGE + 8)).isEqualTo(0x55);

    // Setting WP again takes effect at once: MOV CR0 flushes.
    m.reg(CpuRegisters.RAX, cpu.cr0 | CpuRegisters.CR0_WP);
    m.code("0F22C0" + STORE);
    expectPageFault(W | P);
  }

  @Test
  void smepForbidsExecutingUserPages() {
    cpu.cr4 |= CpuRegisters.CR4_SMEP;
    m.setPageFlags(PlainMachine.CODE, RWU & ~PlainMachine.USER);
    for (long p = SystemMachine.HANDLERS; p < SystemMachine.HANDLERS + 0x1000; p += 0x1000) {
      m.setPageFlags(p, RWU & ~PlainMachine.USER);
    }
    cpu.flushTlb();
    kernel("FFE3", RWU);
    expectPageFault(I | P);
  }

  @Test
  void smapForbidsUserDataUnlessAcIsSet() {
    m.setPageFlags(PAGE, RWU);
    for (long p = PlainMachine.STACK - 0x1000; p <= PlainMachine.STACK; p += 0x1000) {
      m.setPageFlags(p, RWU & ~PlainMachine.USER);
    }
    m.reg(CpuRegisters.RAX, cpu.cr4 | CpuRegisters.CR4_SMAP).reg(CpuRegisters.RBX, PAGE + 8);
    m.exec("0F22E0"); // MOV CR4,RAX
    m.code(LOAD + "F4");
    expectPageFault(P);
    m.reg(CpuRegisters.RSP, PlainMachine.STACK).code("0F01CB" + LOAD + "0F01CA" + LOAD);
    expectPageFault(P); // the second load, after CLAC
    assertThat(s.stack(1)).isEqualTo(PlainMachine.CODE + 8);
    m.reg(CpuRegisters.RSP, PlainMachine.STACK).code("0F01CB" + LOAD + STORE + "F4");
    assertThat(s.runToHandler()).isEqualTo(-1);
  }

  @Test
  void accessedAndDirtyBitsAreSet() {
    long entry = PT + (PAGE >>> 12) * 8;
    kernel(LOAD, RWU);
    assertThat(m.get64(entry) & (ACCESSED | DIRTY)).isZero();
    m.run(1);
    assertThat(m.get64(entry) & (ACCESSED | DIRTY)).isEqualTo(ACCESSED);
    m.code(STORE).run(1);
    assertThat(m.get64(entry) & (ACCESSED | DIRTY)).isEqualTo(ACCESSED | DIRTY);
  }

  @Test
  void pageCrossingStoreIsAllOrNothing() {
    long second = PAGE + 0x1000;
    m.setPageFlags(second, 0);
    m.put64(second - 8, 0);
    m.reg(CpuRegisters.RBX, second - 2).reg(CpuRegisters.RAX, -1);
    m.code(STORE);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.PF);
    assertThat(cpu.cr2).isEqualTo(second);
    assertThat(m.get64(second - 8)).isZero();
  }

  @Test
  void nonCanonicalAddressesAreGeneralProtectionOrStackFaults() {
    m.reg(CpuRegisters.RBX, 1L << 47);
    m.code(LOAD);
    assertThat(s.runToHandler()).isEqualTo(GuestFault.GP);
    m.reg(CpuRegisters.RSP, PlainMachine.STACK).reg(CpuRegisters.RBP, 1L << 47);
    m.code("8B4500"); // MOV EAX,[RBP]
    assertThat(s.runToHandler()).isEqualTo(GuestFault.SS);
    assertThat(s.stack(0)).isZero();
  }

  @Test
  void invlpgMakesChangedEntriesSeen() {
    m.put64(PAGE, 1).put64(PAGE + 0x1000, 2);
    m.setPageFlags(PAGE, RWU);
    m.reg(CpuRegisters.RBX, PAGE).exec(LOAD);
    m.put64(PT + (PAGE >>> 12) * 8, (PAGE + 0x1000) | RWU);
    m.exec("0F013B").exec(LOAD); // INVLPG [RBX]
    assertThat(m.reg(CpuRegisters.RAX)).isEqualTo(2);
  }
}
