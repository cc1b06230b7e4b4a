package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pluribus.posix.ThreadCpuClock;
import org.pluribus.posix.ThreadKick;

/** A real thread plays the vCPU; it computes or waits. */
class VcpuFaultsTest {
  private static final long NOW = 1_000_000_000_000L;
  private static final long MILLI = 1_000_000;
  private static final long PAGE = 7;

  private final UseTime time = new UseTime(2 * MILLI);
  private final AtomicLong steps = new AtomicLong();
  private final AtomicBoolean computing = new AtomicBoolean();
  private final AtomicBoolean ended = new AtomicBoolean();
  private Thread vcpu = new Thread();
  private int threadId;

  @BeforeEach
  void startVcpu() throws InterruptedException {
    SynchronousQueue<Integer> id = new SynchronousQueue<>();
    vcpu =
        new Thread(() -> {
          try {
            id.put(ThreadKick.enlist());
            while (!ended.get()) {
              if (!computing.get()) {
                Thread.sleep(1);
              }
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    vcpu.start();
    threadId = id.take();
  }

  @AfterEach
  void endVcpu() throws InterruptedException {
    ended.set(true);
    vcpu.join();
  }

  private VcpuFaults faulted() {
    VcpuFaults faults = new VcpuFaults(() -> threadId, steps::get);
    assertThat(faults.isOf(threadId)).isTrue();
    faults.began(PAGE, NOW - 30);
    assertThat(faults.waitsFor(PAGE)).isTrue();
    faults.granting(NOW, time);
    assertThat(faults.granted(NOW)).isEqualTo(30);
    assertThat(faults.waitsFor(PAGE)).isFalse();
    return faults;
  }

  @Test
  void pageStaysUntilTheThreadHasComputed() throws InterruptedException {
    VcpuFaults faults = faulted();
    assertThat(faults.needsLonger(PAGE, NOW, time)).isBetween(MILLI, 2 * MILLI);
    assertThat(faults.needsLonger(PAGE + 1, NOW, time)).isZero();
    ThreadCpuClock clock = new ThreadCpuClock(threadId);
    long until = clock.nanos() + 3 * MILLI;
    computing.set(true);
    while (clock.nanos() < until) {
      Thread.sleep(1);
    }
    assertThat(faults.needsLonger(PAGE, NOW, time)).isZero();
  }

  @Test
  void exitEndsTheHold() {
    VcpuFaults faults = faulted();
    steps.incrementAndGet();
    assertThat(faults.needsLonger(PAGE, NOW, time)).isZero();
  }

  @Test
  void whoGotOnLatelyGivesInFirst() {
    VcpuFaults faults = faulted();
    steps.incrementAndGet();
    faults.began(PAGE, NOW);
    faults.granting(NOW, time); // it has got on: an exit since the last grant
    faults.granted(NOW);
    assertThat(faults.needsLonger(PAGE, NOW + 3 * MILLI, time)).isPositive();
    assertThat(faults.needsLonger(PAGE, NOW + 7 * MILLI, time)).isZero();

    faults.began(PAGE, NOW + 100 * MILLI);
    faults.granting(NOW + 100 * MILLI, time); // nothing done since
    faults.granted(NOW + 100 * MILLI);
    assertThat(faults.needsLonger(PAGE, NOW + 150 * MILLI, time)).isPositive();
  }
}
