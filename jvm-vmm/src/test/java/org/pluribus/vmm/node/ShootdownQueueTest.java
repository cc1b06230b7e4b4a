package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.vmm.emulator.Cpu;
import org.pluribus.vmm.emulator.PlainMachine;
import org.pluribus.vmm.memory.GuestRamLayout;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ShootdownQueueTest {
  private static final GuestRamLayout LAYOUT = GuestRamLayout.of(64L << 20, 1);

  private final PlainMachine machine = new PlainMachine();
  private final Cpu cpu = machine.cpu;
  private final ShootdownQueue queue = new ShootdownQueue(LAYOUT);
  private final SoftMmuPageRights rights =
      new SoftMmuPageRights(LAYOUT, machine.codeCache, 0, System::nanoTime);

  @AfterEach
  void closeMachine() {
    machine.close();
  }

  @Test
  void aQuietVcpuIsDoneAtOnceARunningOneWhenItDrains() {
    Shootdown s = new Shootdown();
    s.begin(7, Shootdown.Purpose.CODE, 1);
    assertThat(queue.post(s, false)).as("quiet").isTrue();

    queue.run();
    queue.drain(cpu, rights);
    Shootdown t = new Shootdown();
    t.begin(8, Shootdown.Purpose.CODE, 1);
    assertThat(queue.post(t, false)).as("running").isFalse();
    assertThat(t.done()).isFalse();
    queue.drain(cpu, rights);
    assertThat(t.done()).isTrue();
  }

  @Test
  void goingQuietServesWhatWasPostedBefore() {
    queue.run();
    Shootdown s = new Shootdown();
    s.begin(9, Shootdown.Purpose.CODE, 1);
    queue.post(s, false);
    queue.quiet(cpu, rights);
    assertThat(s.done()).isTrue();
  }

  @Test
  void whatCameAfterTheGrantWaitsUntilThePageWasUsed() {
    queue.run(); // the grant, on the vCPU's behalf
    Shootdown s = new Shootdown();
    s.begin(10, Shootdown.Purpose.CODE, 1);
    queue.post(s, false);
    queue.drainOlder(cpu, rights);
    assertThat(s.done()).isFalse();
    queue.drain(cpu, rights);
    assertThat(s.done()).isTrue();
  }

  @Test
  void aFullQueueOfAQuietVcpuTakesMore() {
    for (int i = 0; i < 3 * ShootdownQueue.CAPACITY; i++) {
      Shootdown s = new Shootdown();
      s.begin(i, Shootdown.Purpose.CODE, 1);
      queue.post(s, false);
      assertThat(s.done()).isTrue();
    }
    queue.run();
    queue.drain(cpu, rights);
    assertThat(queue.isEmpty()).isTrue();
  }

  /** One thread posts, the other goes in and out of quiet: each entry is done, exactly once. */
  @Test
  void noAcknowledgementIsLostOrDoubled() throws Exception {
    long seed = Long.getLong("pluribus.seed", System.nanoTime());
    System.out.println("seed " + seed);
    int count = 5_000;
    AtomicLongArray finished = new AtomicLongArray(1);
    Thread vcpu =
        new Thread(() -> {
          Random random = new Random(seed);
          while (finished.get(0) == 0) {
            queue.run();
            for (int i = random.nextInt(4); i > 0; i--) {
              queue.drain(cpu, rights);
            }
            queue.quiet(cpu, rights);
          }
        });
    vcpu.start();
    Shootdown s = new Shootdown();
    for (int i = 0; i < count; i++) {
      // Two acknowledgements wanted: this test gives one, so that a doubled one would show.
      s.begin(i % 1000, Shootdown.Purpose.CODE, 2);
      queue.post(s, (i & 1) == 0);
      while (!queue.isEmpty() || s.waiting() > 1) {
        Thread.yield();
      }
      assertThat(s.waiting()).as("seed %d", seed).isEqualTo(1);
    }
    finished.set(0, 1);
    vcpu.join();
  }
}
