package org.pluribus.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Discipline of the clock against node 0, and that nobody sees it go back. */
class HostClockTest {

  private final AtomicLong host = new AtomicLong(-7_000);
  private final HostClock clock = new HostClock(host::get);

  @Test
  void startsAtZeroAndFollowsTheHost() {
    assertThat(clock.nanos()).isZero();
    host.addAndGet(123);
    assertThat(clock.nanos()).isEqualTo(123);
    assertThat(clock.tsc()).isEqualTo(123);
  }

  @Test
  void aNodeCanJoinAtAnyTimeBeforeItRuns() {
    host.addAndGet(1_000_000);
    clock.startAt(42);
    assertThat(clock.nanos()).isEqualTo(42);
  }

  @Test
  void aClockBehindStepsForward() {
    host.addAndGet(100);
    clock.adjust(50);
    assertThat(clock.nanos()).isEqualTo(150);
    host.addAndGet(10);
    assertThat(clock.nanos()).isEqualTo(160);
  }

  @Test
  void aClockAheadRunsSlowerUntilItIsRight() {
    clock.startAt(10_000);
    clock.adjust(-1_000);
    assertThat(clock.nanos()).isEqualTo(10_000);
    host.addAndGet(512 * HostClock.SLEW_DIVISOR);
    assertThat(clock.nanos()).isEqualTo(10_000 + 512 * HostClock.SLEW_DIVISOR - 512);
    host.addAndGet(10_000 * HostClock.SLEW_DIVISOR);
    assertThat(clock.nanos()).isEqualTo(9_000 + 10_512 * HostClock.SLEW_DIVISOR);
  }

  @Test
  void aNewMeasurementReplacesTheOld() {
    clock.adjust(-1_000_000);
    host.addAndGet(10 * HostClock.SLEW_DIVISOR);
    long before = clock.nanos();
    clock.adjust(0);
    host.addAndGet(10 * HostClock.SLEW_DIVISOR);
    assertThat(clock.nanos()).isEqualTo(before + 10 * HostClock.SLEW_DIVISOR);
  }

  @Test
  @Timeout(60)
  void aReaderInTheMiddleOfAnAdjustmentDoesNotRunAhead() throws InterruptedException {
    AtomicLong hostNow = new AtomicLong();
    AtomicReference<Runnable> duringAdjust = new AtomicReference<>(() -> {});
    AtomicLong readMeanwhile = new AtomicLong();
    HostClock shared =
        new HostClock(() -> {
          long now = hostNow.get();
          duringAdjust.getAndSet(() -> {}).run();
          return now;
        });
    Thread reader = new Thread(() -> readMeanwhile.set(shared.nanos()));
    duringAdjust.set(() -> {
      // The adjuster has its host time and is held up; a second passes, and somebody reads.
      hostNow.addAndGet(1_000_000_000);
      reader.start();
      joinFor(reader, 200);
    });
    shared.adjust(-1_000_000);
    reader.join();
    assertThat(readMeanwhile.get()).isPositive();
    assertThat(shared.nanos()).isGreaterThanOrEqualTo(readMeanwhile.get());
  }

  @Test
  void aReaderHeldUpDuringAnAdjustmentReadsAgain() {
    AtomicLong hostNow = new AtomicLong();
    AtomicReference<Runnable> betweenLoads = new AtomicReference<>(() -> {});
    HostClock shared =
        new HostClock(() -> {
          betweenLoads.getAndSet(() -> {}).run();
          return hostNow.get();
        });
    betweenLoads.set(() -> {
      shared.adjust(-1_000_000);
      hostNow.addAndGet(1_000_000_000);
    });
    long read = shared.nanos();
    assertThat(read).as("by the new segment").isEqualTo(1_000_000_000 - 1_000_000_000 / 1024);
    assertThat(shared.nanos()).isEqualTo(read);
  }

  private static void joinFor(Thread thread, long millis) {
    try {
      thread.join(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
