package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
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

  /** The machine's clock is ahead of this node's by so much. */
  private static final long MACHINE = 5_000;

  private final UseTime time = new UseTime(2 * MILLI, 100_000_000);
  private final AtomicLong pauses = new AtomicLong();
  private final AtomicInteger looks = new AtomicInteger();

  /** Processor time up to which the thread computes; it looks itself, so it has hardly more. */
  private final AtomicLong computesUntil = new AtomicLong();

  private final AtomicBoolean ended = new AtomicBoolean();
  private Thread vcpu = new Thread();
  private int threadId;

  @BeforeEach
  void startVcpu() throws InterruptedException {
    SynchronousQueue<Integer> id = new SynchronousQueue<>();
    vcpu =
        new Thread(() -> {
          try {
            int self = ThreadKick.enlist();
            ThreadCpuClock clock = new ThreadCpuClock(self);
            id.put(self);
            while (!ended.get()) {
              if (clock.nanos() >= computesUntil.get()) {
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

  private final class Played implements VcpuFaults.Vcpu {
    @Override
    public int threadId() {
      return threadId;
    }

    @Override
    public long pauses() {
      return pauses.get();
    }

    @Override
    public void lookWhetherItSpins() {
      looks.incrementAndGet();
    }
  }

  private VcpuFaults faulted() {
    VcpuFaults faults = new VcpuFaults(new Played(), time);
    assertThat(faults.isOf(threadId)).isTrue();
    fault(faults, PAGE, NOW);
    return faults;
  }

  /** The vCPU waits for a page for 30 ns and gets it. */
  private static void fault(VcpuFaults faults, long page, long now) {
    faults.began(page, true, now - 30, now - 30 + MACHINE);
    assertThat(faults.waitsFor(page)).isTrue();
    faults.granting(page, false, now);
    assertThat(faults.granted(now)).isEqualTo(30);
    assertThat(faults.waitsFor(page)).isFalse();
  }

  /** For how much longer a page should stay that somebody wants who got on just now. */
  private static long longer(VcpuFaults faults, long page, long now) {
    return faults.needsLonger(page, now, Long.MAX_VALUE, true);
  }

  @Test
  void pageStaysUntilTheThreadHasComputed() throws InterruptedException {
    VcpuFaults faults = faulted();
    assertThat(longer(faults, PAGE, NOW)).isBetween(MILLI / 2, 3 * MILLI);
    assertThat(longer(faults, PAGE + 1, NOW)).isZero();
    compute(3 * MILLI);
    assertThat(longer(faults, PAGE, NOW)).isZero();
  }

  private void compute(long nanos) throws InterruptedException {
    ThreadCpuClock clock = new ThreadCpuClock(threadId);
    long until = clock.nanos() + nanos;
    computesUntil.set(until);
    while (clock.nanos() < until) {
      Thread.sleep(1);
    }
  }

  @Test
  void whoeverIsWaitedForIsLookedAtNowAndThen() throws InterruptedException {
    VcpuFaults faults = faulted();
    for (long page = PAGE + 1; page < PAGE + 6; page++) {
      fault(faults, page, NOW);
    }
    assertThat(longer(faults, PAGE, NOW)).isPositive();
    assertThat(looks).as("has had no time").hasValue(0);
    compute(2 * MILLI);
    assertThat(looks).as("nobody waits").hasValue(0);
    assertThat(longer(faults, PAGE, NOW)).isPositive();
    assertThat(longer(faults, PAGE + 1, NOW)).isPositive();
    assertThat(looks).as("once for both").hasValue(1);
    pauses.incrementAndGet();
    assertThat(longer(faults, PAGE, NOW)).as("it spins").isZero();
  }

  /** Each wait is 30 ns, so the page stays for 3 s by that, bounded by 10 ms. */
  @Test
  void whatComesAndGoesAllTheTimeStaysForLonger() throws InterruptedException {
    VcpuFaults faults = faulted();
    for (int i = 0; i < 4; i++) {
      assertThat(longer(faults, PAGE, NOW)).as("after %d times", i).isBetween(MILLI / 2, 2 * MILLI);
      fault(faults, PAGE, NOW);
    }
    compute(3 * MILLI);
    assertThat(longer(faults, PAGE, NOW)).as("more than any other page's time").isPositive();
    fault(faults, PAGE + 1, NOW);
    fault(faults, PAGE, NOW);
    compute(3 * MILLI);
    assertThat(longer(faults, PAGE, NOW)).as("there was another").isZero();
  }

  @Test
  void pauseEndsTheHold() {
    VcpuFaults faults = faulted();
    pauses.incrementAndGet();
    assertThat(longer(faults, PAGE, NOW)).isZero();
  }

  @Test
  void nobodyWaitsForEver() {
    VcpuFaults faults = faulted();
    assertThat(longer(faults, PAGE, NOW + 249 * MILLI)).isPositive();
    assertThat(longer(faults, PAGE, NOW + 376 * MILLI)).isZero();
  }

  @Test
  void whoWaitsLongerGoesFirst() {
    VcpuFaults faults = faulted();
    long since = faults.stalledSince();
    assertThat(since).isEqualTo(NOW - 30 + MACHINE);
    assertThat(faults.needsLonger(PAGE, NOW, since + 1, true)).isPositive();
    assertThat(faults.needsLonger(PAGE, NOW, since, false)).isPositive();
    assertThat(faults.needsLonger(PAGE, NOW, since, true)).isZero();
    fault(faults, PAGE, NOW + MILLI);
    assertThat(faults.needsLonger(PAGE, NOW + MILLI, since - 1, false)).isZero();
  }

  @Test
  void stallLastsUntilTheVcpuGetsOn() throws InterruptedException {
    VcpuFaults faults = faulted();
    long since = faults.stalledSince();
    fault(faults, PAGE + 1, NOW + MILLI);
    assertThat(faults.stalledSince()).as("another page of the same instruction").isEqualTo(since);
    for (long page = PAGE + 2; page < PAGE + 6; page++) {
      fault(faults, page, NOW + 5 * MILLI);
    }
    compute(3 * MILLI);
    assertThat(longer(faults, PAGE, NOW + 5 * MILLI)).as("more time after so many").isPositive();
    pauses.incrementAndGet();
    fault(faults, PAGE, NOW + 2 * MILLI);
    assertThat(faults.stalledSince()).isEqualTo(NOW + 2 * MILLI - 30 + MACHINE);
    compute(3 * MILLI);
    fault(faults, PAGE + 2, NOW + 9 * MILLI);
    assertThat(faults.stalledSince()).isEqualTo(NOW + 9 * MILLI - 30 + MACHINE);
  }

  @Test
  void freshMemorySaysNothing() {
    VcpuFaults faults = faulted();
    long since = faults.stalledSince();
    faults.began(PAGE + 1, true, NOW, NOW + MACHINE);
    faults.granting(PAGE + 1, true, NOW);
    faults.granted(NOW);
    assertThat(longer(faults, PAGE + 1, NOW)).as("nobody competes for it").isZero();
    assertThat(longer(faults, PAGE, NOW)).isPositive();
    assertThat(faults.stalledSince()).isEqualTo(since);
  }

  @Test
  void whoGoesThroughMemoryGetsOn() {
    VcpuFaults faults = faulted();
    long since = faults.stalledSince();
    for (long page = PAGE + 1; page < PAGE + 24; page++) {
      fault(faults, page, NOW + MILLI);
    }
    assertThat(faults.stalledSince()).isEqualTo(since);
    fault(faults, PAGE + 24, NOW + MILLI);
    assertThat(faults.stalledSince()).isGreaterThan(since);
  }

  @Test
  void whatWasCollectedTogetherIsFetchedTogether() {
    VcpuFaults faults = faulted();
    for (long page = PAGE + 1; page < PAGE + 5; page++) {
      fault(faults, page, NOW);
    }
    assertThat(fetchedAlong(faults, PAGE + 2, PAGE, PAGE + 1, PAGE + 3, PAGE + 4)).isEmpty();
    assertThat(arrived(faults, PAGE + 2))
        .as("lost again in the same stall")
        .containsExactly(PAGE, PAGE + 1, PAGE + 3, PAGE + 4);
    pauses.incrementAndGet();
    assertThat(fetchedAlong(faults, PAGE + 9)).as("never collected").isEmpty();
    pauses.incrementAndGet();
    assertThat(fetchedAlong(faults, PAGE + 2, PAGE, PAGE + 1)).as("too few").isEmpty();
    pauses.incrementAndGet();
    assertThat(fetchedAlong(faults, PAGE + 2)).containsExactly(PAGE, PAGE + 1, PAGE + 3, PAGE + 4);
    assertThat(fetchedAlong(faults, PAGE + 2)).as("on their way").isEmpty();
    assertThat(faults.wants(PAGE + 3)).isTrue();
    assertThat(faults.waitsFor(PAGE + 3)).isFalse();
    assertThat(longer(faults, PAGE + 3, NOW)).as("not here yet").isZero();
    faults.granting(PAGE + 3, false, NOW);
    assertThat(faults.wants(PAGE + 3)).isFalse();
    assertThat(longer(faults, PAGE + 3, NOW)).as("not used yet").isPositive();
  }

  @Test
  void whatIsOnlyEverFetchedAlongHasToProveItself() {
    VcpuFaults faults = faulted();
    for (long page = PAGE + 1; page < PAGE + 5; page++) {
      fault(faults, page, NOW);
    }
    for (int i = 0; i < 16; i++) {
      pauses.incrementAndGet();
      assertThat(arrived(faults, PAGE)).hasSize(4);
    }
    pauses.incrementAndGet();
    assertThat(fetchedAlong(faults, PAGE)).isEmpty();
    pauses.incrementAndGet();
    assertThat(fetchedAlong(faults, PAGE)).isEmpty();
  }

  /** The vCPU faults on a page and has none; what is fetched along arrives. */
  private List<Long> arrived(VcpuFaults faults, long page) {
    List<Long> fetched = fetchedAlong(faults, page);
    fetched.forEach(other -> faults.granting(other, false, NOW));
    return fetched;
  }

  /** The vCPU faults on a page; {@code here} are all that it has. */
  private List<Long> fetchedAlong(VcpuFaults faults, long page, Long... here) {
    List<Long> fetched = new ArrayList<>();
    faults.began(page, true, NOW, NOW);
    faults.companions((p, write) -> List.of(here).contains(p), (p, write) -> fetched.add(p));
    faults.granting(page, false, NOW);
    faults.granted(NOW);
    return fetched;
  }
}
