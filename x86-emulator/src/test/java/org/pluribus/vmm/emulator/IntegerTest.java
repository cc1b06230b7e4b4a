package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pluribus.vmm.emulator.CpuRegisters.RAX;
import static org.pluribus.vmm.emulator.CpuRegisters.RBX;
import static org.pluribus.vmm.emulator.CpuRegisters.RCX;
import static org.pluribus.vmm.emulator.CpuRegisters.RDI;
import static org.pluribus.vmm.emulator.CpuRegisters.RDX;
import static org.pluribus.vmm.emulator.CpuRegisters.RSI;
import static org.pluribus.vmm.emulator.CpuRegisters.RSP;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Short programs and the corners of single instructions, by hand. */
class IntegerTest {
  private final PlainMachine m = PlainMachine.in64();

  @AfterEach
  void close() {
    m.close();
  }

  @Test
  void sumsUpInALoop() {
    // mov ecx, 10; xor eax, eax; l: add eax, ecx; dec ecx; jnz l
    m.code("B90A000000 31C0 01C8 FFC9 75FA").run(2 + 30);
    assertThat(m.reg(RAX)).isEqualTo(55);
    assertThat(m.cpu.rip).isEqualTo(PlainMachine.CODE + 13);
  }

  @Test
  void countsWhatSoftwareThatWaitsExecutes() {
    m.exec("90"); // nop
    assertThat(m.cpu.waits()).isZero();
    m.exec("F390"); // pause
    m.exec("F4"); // hlt
    assertThat(m.cpu.waits()).isEqualTo(2);
  }

  @Test
  void callsAndReturns() {
    // call +3; inc eax; hlt-place; f: mov eax, 41; ret
    m.code("E802000000 FFC0 B829000000 C3").run(4);
    assertThat(m.reg(RAX)).isEqualTo(42);
    assertThat(m.reg(RSP)).isEqualTo(PlainMachine.STACK);
  }

  @Test
  void popToRspBasedMemoryUsesIncrementedRsp() {
    m.put64(PlainMachine.STACK, 0x1122334455667788L);
    m.exec("8F0424"); // pop qword [rsp]
    assertThat(m.get64(PlainMachine.STACK + 8)).isEqualTo(0x1122334455667788L);
    assertThat(m.reg(RSP)).isEqualTo(PlainMachine.STACK + 8);
  }

  @Test
  void dividesExactlyAndRaisesDivideError() {
    m.reg(RDX, 0x0123456789ABCDEFL).reg(RAX, 0xFEDCBA9876543210L).reg(RBX, 0xF000000000000001L);
    java.math.BigInteger n = new java.math.BigInteger("0123456789ABCDEFFEDCBA9876543210", 16);
    java.math.BigInteger d = new java.math.BigInteger("F000000000000001", 16);
    m.exec("48F7F3"); // div rbx
    assertThat(m.reg(RAX)).isEqualTo(n.divide(d).longValue());
    assertThat(m.reg(RDX)).isEqualTo(n.mod(d).longValue());
    m.reg(RBX, 0);
    assertThat(m.vectorOf("48F7F3")).isEqualTo(GuestFault.DE);
    m.reg(RDX, -1).reg(RAX, Long.MIN_VALUE).reg(RBX, -1);
    assertThat(m.vectorOf("48F7FB")).isEqualTo(GuestFault.DE); // idiv: 2^63 does not fit
  }

  @Test
  void repStosFillsAcrossPagesAndStopsAtAFault() {
    long at = PlainMachine.DATA + 0xF01;
    m.reg(RDI, at).reg(RCX, 3000).reg(RAX, 0xA1B2C3D4E5F60718L);
    m.exec("F348AB");
    assertThat(m.reg(RCX)).isZero();
    assertThat(m.reg(RDI)).isEqualTo(at + 24_000);
    for (long a = at; a < at + 24_000; a += 8) {
      assertThat(m.get64(a)).isEqualTo(0xA1B2C3D4E5F60718L);
    }
    assertThat(m.get64(at + 24_000)).isZero();

    long last = PlainMachine.DATA + 0x10_0000;
    m.setPageFlags(last, 0);
    m.reg(RDI, last - 5).reg(RCX, 9);
    assertThat(m.vectorOf("F3AA")).isEqualTo(GuestFault.PF);
    assertThat(m.reg(RCX)).isEqualTo(4);
    assertThat(m.reg(RDI)).isEqualTo(last);
    assertThat(m.cpu.cr2).isEqualTo(last);
  }

  @Test
  void overlappingRepMovsRepeatsItsPattern() {
    long at = PlainMachine.DATA;
    m.put(at, new byte[] {1, 2, 3});
    m.exec("90");
    m.reg(RSI, at).reg(RDI, at + 3).reg(RCX, 300).exec("F3A4");
    for (int k = 0; k < 303; k++) {
      assertThat(m.get(at + k, 1)[0]).isEqualTo((byte) (k % 3 + 1));
    }
  }

  @Test
  void bitOffsetsInRegistersReachBeyondTheOperand() {
    m.reg(RBX, PlainMachine.DATA + 64).reg(RCX, -65);
    m.exec("480FAB0B"); // bts [rbx], rcx
    assertThat(m.get64(PlainMachine.DATA + 48)).isEqualTo(Long.MIN_VALUE);
    assertThat(m.cpu.cf()).isFalse();
    m.exec("480FA30B");
    assertThat(m.cpu.cf()).isTrue();
  }

  @Test
  void cmpxchgOfAReadOnlyPageFaultsEvenIfUnequal() {
    m.setPageFlags(PlainMachine.DATA, PlainMachine.PRESENT | PlainMachine.USER);
    m.reg(RBX, PlainMachine.DATA).reg(RAX, 5);
    assertThat(m.vectorOf("F0480FB10B")).isEqualTo(GuestFault.PF);
    assertThat(m.reg(RAX)).isEqualTo(5);
  }

  @Test
  void cmpxchg16bComparesAndDemandsAlignment() {
    m.put64(PlainMachine.DATA, 1).put64(PlainMachine.DATA + 8, 2);
    m.reg(RSI, PlainMachine.DATA).reg(RAX, 1).reg(RDX, 2).reg(RBX, 3).reg(RCX, 4);
    m.exec("F0480FC70E");
    assertThat(m.cpu.zf()).isTrue();
    assertThat(m.get64(PlainMachine.DATA)).isEqualTo(3);
    assertThat(m.get64(PlainMachine.DATA + 8)).isEqualTo(4);
    m.exec("F0480FC70E");
    assertThat(m.cpu.zf()).isFalse();
    assertThat(m.reg(RAX)).isEqualTo(3);
    assertThat(m.reg(RDX)).isEqualTo(4);
    m.reg(RSI, PlainMachine.DATA + 8);
    assertThat(m.vectorOf("F0480FC70E")).isEqualTo(GuestFault.GP);
  }

  @Test
  void lockedAddAcrossPagesAndInMmio() {
    long at = PlainMachine.DATA + 0xFFD;
    m.put64(at, 0xFFFF_FFFFL).reg(RBX, at).reg(RAX, 1);
    m.exec("F048 0103"); // lock add [rbx], rax
    assertThat(m.get64(at)).isEqualTo(0x1_0000_0000L);
    m.reg(RBX, PlainMachine.MMIO + 16).exec("F04801 03").exec("F0480103");
    assertThat(m.mmio[16]).isEqualTo((byte) 2);
  }

  @Test
  void xchg90IsNopAndKeepsTheUpperHalf() {
    m.reg(RAX, -1).exec("90");
    assertThat(m.reg(RAX)).isEqualTo(-1);
    m.reg(8, 7).exec("4190"); // xchg r8d, eax
    assertThat(m.reg(RAX)).isEqualTo(7);
    assertThat(m.reg(8)).isEqualTo(0xFFFF_FFFFL);
  }

  @Test
  void nonCanonicalTargetsRaiseGeneralProtection() {
    m.reg(RAX, 0x8000_0000_0000L);
    assertThat(m.vectorOf("FFE0")).isEqualTo(GuestFault.GP);
    m.put64(PlainMachine.STACK, 0x8000_0000_0000L);
    assertThat(m.vectorOf("C3")).isEqualTo(GuestFault.GP);
    assertThat(m.reg(RSP)).isEqualTo(PlainMachine.STACK);
  }
}
