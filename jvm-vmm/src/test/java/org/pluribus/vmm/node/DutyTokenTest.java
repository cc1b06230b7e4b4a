package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class DutyTokenTest {
  private final AtomicInteger turns = new AtomicInteger();
  private final DutyToken token = new DutyToken(turns::incrementAndGet);

  @Test
  void oneAtATime() {
    assertThat(token.tryTake()).isTrue();
    assertThat(token.tryTake()).isFalse();
    assertThat(token.tryTurn()).isZero();
    token.release();
    assertThat(token.tryTurn()).isEqualTo(1);
  }

  @Test
  void turnOwedWhileTakenComesWithTheRelease() {
    token.take();
    token.oweTurn();
    assertThat(turns).hasValue(0);
    token.release();
    assertThat(turns).hasValue(1);
    token.take();
    token.release();
    assertThat(turns).hasValue(1);
  }

  @Test
  void turnOwedWhileFreeComesAtOnce() {
    token.oweTurn();
    assertThat(turns).hasValue(1);
  }

  /** However threads meet: after the last one owed a turn, one begins. */
  @Test
  void noTurnIsLost() throws InterruptedException {
    AtomicInteger left = new AtomicInteger();
    AtomicInteger seen = new AtomicInteger();
    DutyToken shared =
        new DutyToken(() -> {
          seen.set(left.get());
          return 1;
        });
    Thread[] threads = new Thread[4];
    for (int i = 0; i < threads.length; i++) {
      threads[i] =
          new Thread(() -> {
            for (int n = 0; n < 20_000; n++) {
              left.incrementAndGet();
              shared.oweTurn();
            }
          });
      threads[i].start();
    }
    for (Thread t : threads) {
      t.join();
    }
    assertThat(seen).hasValue(left.get());
  }
}
