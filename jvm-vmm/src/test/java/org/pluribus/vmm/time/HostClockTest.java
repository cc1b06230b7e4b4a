package org.pluribus.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
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
  void noReaderSeesTimeGoBackWhileItIsAdjusted() throws InterruptedException {
    long seed = new Random().nextLong();
    HostClock real = new HostClock();
    AtomicLong seen = new AtomicLong();
    AtomicLong backwards = new AtomicLong();
    AtomicBoolean stop = new AtomicBoolean();
    Thread[] readers = new Thread[2];
    for (int i = 0; i < readers.length; i++) {
      readers[i] =
          new Thread(() -> {
            while (!stop.get()) {
              // What some thread has seen before this read, this read may not fall below.
              long earlier = seen.get();
              long now = real.nanos();
              if (now < earlier) {
                backwards.incrementAndGet();
              }
              seen.accumulateAndGet(now, Math::max);
            }
          });
      readers[i].start();
    }
    Random random = new Random(seed);
    for (int i = 0; i < 100_000; i++) {
      real.adjust(random.nextInt(2_000) - 1_000);
    }
    stop.set(true);
    for (Thread reader : readers) {
      reader.join();
    }
    assertThat(seen.get()).isPositive();
    assertThat(backwards.get()).as("seed %d", seed).isZero();
  }
}
