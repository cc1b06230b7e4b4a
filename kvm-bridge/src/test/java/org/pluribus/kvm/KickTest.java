package org.pluribus.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pluribus.kvm.VcpuExitTest.as;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.posix.ThreadKick;

/** Kicks reach a vCPU wherever it is, and none is lost. */
class KickTest {
  private static final String ENDLESS =
      """
      48 FF 07     inc qword [rdi]
      EB FB        jmp -5
      """;

  @Test
  void aKickBeforehandEndsTheNextRunOnly() {
    try (TinyGuest guest =
        new TinyGuest(
            3,
            """
            E7 80     out 0x80, eax
            EB FC     jmp -4
            """)) {
      guest.vcpu.kick();
      guest.vcpu.kick();
      as(VcpuExit.Interrupted.class, guest.vcpu.run());
      as(VcpuExit.Io.class, guest.vcpu.run());
    }
  }

  /** The answer to a port read takes effect although the run ends at once. */
  @Test
  void aKickedRunStillCompletesTheExitBefore() {
    try (TinyGuest guest =
        new TinyGuest(
            3,
            """
            31 C0     xor eax, eax
            E4 60     in al, 0x60
            EB FE     jmp self
            """)) {
      as(VcpuExit.Io.class, guest.vcpu.run()).answer(0, 0x77);
      guest.vcpu.kick();
      as(VcpuExit.Interrupted.class, guest.vcpu.run());
      assertThat(guest.regs().rax()).isEqualTo(0x77);
      assertThat(guest.regs().rip()).isEqualTo(TinyGuest.CODE + 4);
    }
  }

  /**
   * The contract: publish news, kick; the vCPU's thread looks between two runs of a guest that
   * never exits by itself. One lost wake-up and this never ends.
   */
  @Test
  @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void newsAlwaysArrive() throws Exception {
    int rounds = 1_000;
    AtomicInteger published = new AtomicInteger();
    AtomicInteger seen = new AtomicInteger();
    try (TinyGuest guest = new TinyGuest(3, ENDLESS);
        ExecutorService vcpuThread = Executors.newSingleThreadExecutor()) {
      Future<Integer> interruptions =
          vcpuThread.submit(() -> {
            int count = 0;
            while (seen.get() < rounds) {
              as(VcpuExit.Interrupted.class, guest.vcpu.run());
              count++;
              seen.set(published.get());
            }
            return count;
          });
      for (int i = 1; i <= rounds; i++) {
        published.set(i);
        guest.vcpu.kick();
        while (seen.get() < i && !interruptions.isDone()) {
          LockSupport.parkNanos(10_000 * (i % 7)); // hits the vCPU at different points of its way
        }
      }
      assertThat(interruptions.get(30, TimeUnit.SECONDS)).isGreaterThanOrEqualTo(rounds);
      assertThat(guest.data(0)).as("the guest ran in between").isPositive();
    }
  }

  @Test
  void aKickAfterCloseDoesNothing() {
    TinyGuest guest = new TinyGuest(3, ENDLESS);
    guest.close();
    guest.vcpu.kick();
    assertThat(guest.vcpu.fd()).isNegative();
  }

  @Test
  void theSignalIsNotOneOfTheJvms() {
    assertThat(ThreadKick.signal()).isBetween(34, 61);
    assertThat(ThreadKick.enlist()).isPositive().isEqualTo(ThreadKick.enlist());
    assertThat(ThreadKick.send(ThreadKick.enlist())).isZero();
  }
}
