package org.pluribus.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Order, cancellation, re-arming; and the thread with a real clock. */
class TimerQueueTest {

  private final ManualClock clock = new ManualClock();
  private final TimerQueue queue = new TimerQueue(clock);
  private final List<String> fired = new ArrayList<>();

  private Timer timer(String name) {
    return queue.newTimer(() -> fired.add(name));
  }

  @Test
  void firesInOrderOfDeadlinesAndNotBefore() {
    Timer a = timer("a");
    Timer b = timer("b");
    Timer c = timer("c");
    a.schedule(300);
    b.schedule(100);
    c.schedule(200);
    assertThat(queue.runDue()).isEqualTo(100);
    assertThat(fired).isEmpty();
    clock.advance(200);
    assertThat(queue.runDue()).isEqualTo(300);
    assertThat(fired).containsExactly("b", "c");
    clock.advance(100);
    assertThat(queue.runDue()).isEqualTo(TimerQueue.NEVER);
    assertThat(fired).containsExactly("b", "c", "a");
  }

  @Test
  void schedulingAgainReplacesAndCancellingForgets() {
    Timer a = timer("a");
    Timer b = timer("b");
    a.schedule(100);
    a.schedule(500);
    b.schedule(100);
    b.cancel();
    b.cancel();
    clock.advance(400);
    assertThat(queue.runDue()).isEqualTo(500);
    assertThat(fired).isEmpty();
    a.schedule(10);
    queue.runDue();
    assertThat(fired).containsExactly("a");
  }

  @Test
  void aTimerThatArmsItselfInThePastCannotHoldUpTheOthers() {
    Timer[] self = new Timer[1];
    self[0] =
        queue.newTimer(() -> {
          fired.add("self");
          self[0].schedule(0);
        });
    self[0].schedule(0);
    queue.runDue();
    assertThat(fired).containsExactly("self");
    assertThat(queue.runDue()).isZero();
  }

  @Test
  void aFailingCallbackDoesNotStopTheOthers() {
    queue
        .newTimer(() -> {
          throw new IllegalStateException("on purpose");
        })
        .schedule(1);
    timer("a").schedule(2);
    clock.advance(2);
    queue.runDue();
    assertThat(fired).containsExactly("a");
  }

  @Test
  void randomSchedulesFireExactlyLikeASortedList() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int n = 100;
    long[] deadlines = new long[n];
    List<Integer> order = new ArrayList<>();
    Timer[] timers = new Timer[n];
    for (int i = 0; i < n; i++) {
      int index = i;
      timers[i] = queue.newTimer(() -> order.add(index));
      deadlines[i] = TimerQueue.NEVER;
    }
    for (int step = 0; step < 5_000; step++) {
      int i = random.nextInt(n);
      if (random.nextInt(3) == 0) {
        timers[i].cancel();
        deadlines[i] = TimerQueue.NEVER;
      } else {
        deadlines[i] = clock.nanos() + random.nextInt(1_000);
        timers[i].schedule(deadlines[i]);
      }
      clock.advance(random.nextInt(20));
      order.clear();
      queue.runDue();
      long last = Long.MIN_VALUE;
      for (int f : order) {
        assertThat(deadlines[f]).as("seed %d step %d", seed, step).isBetween(last, clock.nanos());
        last = deadlines[f];
        deadlines[f] = TimerQueue.NEVER;
      }
      for (long deadline : deadlines) {
        assertThat(deadline).as("seed %d step %d", seed, step).isGreaterThan(clock.nanos());
      }
    }
  }

  @Test
  @Timeout(30)
  void theThreadWakesForAnEarlierTimer() throws InterruptedException {
    HostClock real = new HostClock();
    try (TimerQueue live = new TimerQueue(real)) {
      CountDownLatch early = new CountDownLatch(1);
      CountDownLatch late = new CountDownLatch(1);
      live.start("timers-under-test");
      live.newTimer(late::countDown).schedule(real.nanos() + TimeUnit.HOURS.toNanos(1));
      live.newTimer(early::countDown).schedule(real.nanos() + TimeUnit.MILLISECONDS.toNanos(5));
      assertThat(early.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(late.getCount()).isEqualTo(1);
      assertThatThrownBy(() -> live.start("again")).isInstanceOf(IllegalStateException.class);
    }
  }
}
