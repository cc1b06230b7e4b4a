package org.pluribus.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pluribus.kvm.VcpuExitTest.as;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Interrupts from a user-space APIC: the window, injection, NMI, CR8. */
class InterruptTest {
  private static final String COUNT_IN_WORD_0 =
      """
      48 FF 04 25 00 00 20 00  inc qword [0x200000]
      48 CF                    iretq
      """;

  @Test
  void aHaltedGuestTakesAnInterrupt() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            FB        sti
            F4        hlt
            EB FC     jmp -4
            """)) {
      guest.gate(TinyGuest.VECTOR, COUNT_IN_WORD_0);
      for (int i = 1; i <= 10; i++) {
        as(VcpuExit.Hlt.class, guest.vcpu.run());
        assertThat(guest.vcpu.runArea().ifFlag()).isTrue();
        assertThat(guest.vcpu.runArea().readyForInterruptInjection()).isTrue();
        guest.vcpu.interrupt(TinyGuest.VECTOR);
        as(VcpuExit.Hlt.class, guest.vcpu.run());
        assertThat(guest.data(0)).isEqualTo(i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void theWindowOpensInRunningCode(int cpl) {
    try (TinyGuest guest =
        new TinyGuest(
            cpl,
            """
            48 FF 47 08  inc qword [rdi+8]
            EB FA        jmp -6
            """)) {
      guest.gate(TinyGuest.VECTOR, COUNT_IN_WORD_0);
      KvmRun run = guest.vcpu.runArea();
      for (int i = 1; i <= 10; i++) {
        run.requestInterruptWindow(true);
        as(VcpuExit.InterruptWindowOpen.class, guest.vcpu.run());
        assertThat(run.readyForInterruptInjection()).isTrue();
        guest.vcpu.interrupt(TinyGuest.VECTOR);
        as(VcpuExit.InterruptWindowOpen.class, guest.vcpu.run());
        run.requestInterruptWindow(false);
        assertThat(guest.data(0)).isEqualTo(i);
      }
    }
  }

  @Test
  void noWindowOpensWhileInterruptsAreOff() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            FA           cli
            E7 80        out 0x80, eax
            90           nop
            E7 81        out 0x81, eax
            FB           sti
            90           nop
            EB FE        jmp self
            """)) {
      guest.vcpu.runArea().requestInterruptWindow(true);
      // The window is open before CLI; software KVM may or may not report it there.
      VcpuExit exit = guest.vcpu.run();
      if (exit instanceof VcpuExit.InterruptWindowOpen) {
        guest.vcpu.runArea().requestInterruptWindow(false);
        exit = guest.vcpu.run();
        guest.vcpu.runArea().requestInterruptWindow(true);
      }
      assertThat(as(VcpuExit.Io.class, exit).port()).isEqualTo(0x80);
      assertThat(guest.vcpu.runArea().ifFlag()).isFalse();
      assertThat(guest.vcpu.runArea().readyForInterruptInjection()).isFalse();
      assertThat(as(VcpuExit.Io.class, guest.vcpu.run()).port()).isEqualTo(0x81);
      as(VcpuExit.InterruptWindowOpen.class, guest.vcpu.run());
      assertThat(guest.vcpu.runArea().ifFlag()).isTrue();
    }
  }

  @Test
  void anNmiIsTakenWhateverTheFlag() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            FA        cli
            F4        hlt
            F4        hlt
            """)) {
      guest.gate(2, COUNT_IN_WORD_0);
      as(VcpuExit.Hlt.class, guest.vcpu.run());
      guest.vcpu.nmi();
      as(VcpuExit.Hlt.class, guest.vcpu.run());
      assertThat(guest.data(0)).isOne();
    }
  }

  @Test
  void cr8GoesBothWays() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            B8 05 00 00 00  mov eax, 5
            44 0F 22 C0     mov cr8, rax
            F4              hlt
            44 0F 20 C0     mov rax, cr8
            F4              hlt
            """)) {
      VcpuExit exit = guest.vcpu.run();
      as(VcpuExit.Hlt.class, exit instanceof VcpuExit.SetTpr ? guest.vcpu.run() : exit);
      assertThat(guest.vcpu.runArea().cr8()).isEqualTo(5);
      guest.vcpu.runArea().cr8(9);
      as(VcpuExit.Hlt.class, guest.vcpu.run());
      assertThat(guest.regs().rax()).isEqualTo(9);
    }
  }
}
