package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.vmm.emulator.PlainMachine;
import org.pluribus.vmm.memory.GuestRamLayout;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BusLockTest {
  private static final GuestRamLayout LAYOUT = GuestRamLayout.of(64L << 20, 1);
  private static final int VCPUS = 3;
  private static final int ROUNDS = 3_000;

  private final PlainMachine machine = new PlainMachine();
  private final SoftMmuPageRights rights =
      new SoftMmuPageRights(LAYOUT, machine.codeCache, 0, System::nanoTime);
  private final AtomicBoolean stopping = new AtomicBoolean();
  private final BusLock lock = new BusLock();
  private final List<ShootdownQueue> queues = new ArrayList<>();
  private final List<BusLock.Member> members = new ArrayList<>();

  @BeforeEach
  void makeVcpus() {
    for (int i = 0; i < VCPUS; i++) {
      ShootdownQueue q = new ShootdownQueue(LAYOUT);
      queues.add(q);
      members.add(lock.join(q, () -> {}, stopping::get));
    }
  }

  @AfterEach
  void closeMachine() {
    machine.close();
  }

  @Test
  void quietVcpusAreNotWaitedFor() {
    queues.get(0).run();
    members.get(0).lock();
    members.get(0).unlock();
    members.get(0).pass(); // nobody has it
  }

  @Test
  void waitingEndsWithTheMachine() {
    queues.get(0).run();
    queues.get(1).run(); // and never looks
    stopping.set(true);
    assertThatThrownBy(() -> members.get(0).lock()).isSameAs(VcpuStopped.INSTANCE);
    assertThatThrownBy(() -> members.get(1).pass()).isSameAs(VcpuStopped.INSTANCE);
  }

  /**
   * Each vCPU goes in and out of quiet, is made running by itself or on its behalf, accesses memory
   * while it runs, and takes the bus now and then: whoever has it must be alone with memory. They
   * do so without a shared clock: every vCPU has to get through all its rounds.
   */
  @Test
  void whoHasTheBusIsAloneWithMemory() throws Exception {
    long seed = Long.getLong("pluribus.seed", System.nanoTime());
    System.out.println("seed " + seed);
    AtomicIntegerArray accessing = new AtomicIntegerArray(VCPUS);
    AtomicInteger intruders = new AtomicInteger();
    List<Future<?>> done = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(VCPUS)) {
      for (int i = 0; i < VCPUS; i++) {
        int me = i;
        Random random = new Random(seed + me);
        done.add(
            threads.submit(() -> {
              for (int round = 0; round < ROUNDS; round++) {
                becomeRunning(me);
                for (int n = random.nextInt(4); n >= 0; n--) {
                  accessing.set(me, 1);
                  accessing.set(me, 0);
                }
                if (random.nextInt(3) == 0) {
                  members.get(me).lock();
                  for (int look = 0; look < 20; look++) {
                    for (int other = 0; other < VCPUS; other++) {
                      intruders.addAndGet(accessing.get(other));
                    }
                  }
                  members.get(me).unlock();
                }
                queues.get(me).quiet(machine.cpu, rights);
                if (random.nextInt(4) == 0) {
                  Thread.yield();
                }
              }
            }));
      }
      for (Future<?> f : done) {
        f.get();
      }
    }
    assertThat(intruders).as("seed %d", seed).hasValue(0);
  }

  private void becomeRunning(int vcpu) {
    queues.get(vcpu).run();
    members.get(vcpu).pass();
  }
}
