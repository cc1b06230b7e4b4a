package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import org.junit.jupiter.api.Test;

class ThreadCpuClockTest {
  private static final long MILLISECOND = 1_000_000;

  @Test
  void runsWhileItsThreadDoesAndStandsWhileItWaits() throws Exception {
    SynchronousQueue<Integer> id = new SynchronousQueue<>();
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Thread worker =
        new Thread(() -> {
          try {
            id.put(ThreadKick.enlist());
            go.await();
            ThreadCpuClock own = new ThreadCpuClock(ThreadKick.enlist());
            long until = own.nanos() + 20 * MILLISECOND;
            while (own.nanos() < until) {
              Thread.onSpinWait();
            }
            done.countDown();
            end.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    worker.start();
    ThreadCpuClock clock = new ThreadCpuClock(id.take());
    // From here on it waits: a little may pass until it does.
    awaitState(worker, Thread.State.WAITING);
    long before = clock.nanos();
    Thread.sleep(20);
    assertThat(clock.nanos() - before).isBetween(0L, 5 * MILLISECOND);
    go.countDown();
    done.await();
    assertThat(clock.nanos() - before).isGreaterThanOrEqualTo(20 * MILLISECOND);
    end.countDown();
    worker.join();
  }

  private static void awaitState(Thread thread, Thread.State state) throws InterruptedException {
    for (int i = 0; i < 10_000 && thread.getState() != state; i++) {
      Thread.sleep(1);
    }
    assertThat(thread.getState()).isEqualTo(state);
  }

  @Test
  void tellsThatThereIsNoSuchThread() {
    int beyondAnyPid = 1 << 23;
    assertThat(new ThreadCpuClock(beyondAnyPid).nanos()).isEqualTo(-Errno.EINVAL.number());
    assertThatThrownBy(() -> new ThreadCpuClock(0)).hasMessageContaining("thread id 0");
  }
}
