package org.pluribus.vmm.apic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.vmm.time.ManualClock;
import org.pluribus.vmm.time.TimerQueue;

/** Several threads request vectors while the vCPU's thread takes them: none is lost. */
class ConcurrentAcceptTest {

  private static final int SENDERS = 3;
  private static final int ROUNDS = 2_000;

  /** Vectors 0x20 to 0xFF, of which each sender uses every third. */
  private static final int FIRST = 0x20;

  private final Semaphore wakeups = new Semaphore(0);
  private final LocalApic apic =
      new LocalApic(
          0,
          true,
          new TimerQueue(new ManualClock()),
          new IpiRouter(0, 1, new int[] {0}, 0, RemoteInterrupts.NONE),
          ExtIntSource.NONE,
          wakeups::release);

  /** What was requested and not yet taken: a sender waits for its last request of a vector. */
  private final AtomicIntegerArray outstanding = new AtomicIntegerArray(256);

  private final AtomicIntegerArray taken = new AtomicIntegerArray(256);

  @Test
  @Timeout(60)
  void everyRequestIsTakenExactlyOnce() throws InterruptedException {
    apic.write(ApicRegister.SPURIOUS, 4, 0x1FF);
    Thread[] senders = new Thread[SENDERS];
    for (int s = 0; s < SENDERS; s++) {
      int first = FIRST + s;
      senders[s] = new Thread(() -> send(first), "sender-" + s);
      senders[s].start();
    }
    int expected = ROUNDS * SENDERS * ((256 - FIRST) / SENDERS);
    int count = 0;
    while (count < expected) {
      // Sleeps only on the kick: a lost kick shows as a time-out here.
      assertThat(wakeups.tryAcquire(20, TimeUnit.SECONDS))
          .as("woken after %d of %d", count, expected)
          .isTrue();
      wakeups.drainPermits();
      count += takeAll();
    }
    for (Thread sender : senders) {
      sender.join();
    }
    assertThat(apic.pendingVector()).isEqualTo(-1);
    for (int s = 0; s < SENDERS; s++) {
      for (int v = FIRST + s, i = 0; i < (256 - FIRST) / SENDERS; v += SENDERS, i++) {
        assertThat(taken.get(v)).as("vector 0x%02x", v).isEqualTo(ROUNDS);
      }
    }
  }

  private int takeAll() {
    int count = 0;
    while (apic.pendingVector() >= 0) {
      int vector = apic.acknowledge();
      taken.incrementAndGet(vector);
      outstanding.set(vector, 0);
      apic.write(ApicRegister.EOI, 4, 0);
      count++;
    }
    return count;
  }

  private void send(int first) {
    int vectors = (256 - FIRST) / SENDERS;
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < vectors; i++) {
        int vector = first + i * SENDERS;
        while (outstanding.get(vector) != 0) {
          Thread.yield();
        }
        outstanding.set(vector, 1);
        apic.accept(IpiMessage.FIXED, vector, (vector & 1) != 0);
      }
    }
  }
}
