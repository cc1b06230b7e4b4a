package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pluribus.coherence.CoherenceMessage.EXCLUSIVE;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class CacheControllerTest {
  @Test
  void largestClusterSharesAndInvalidates() {
    int nodes = CacheController.MAX_NODES;
    TestCluster cluster = new TestCluster(nodes, 64, 0);
    cluster.fault(5, 3, true);
    cluster.settle();
    for (int node = 0; node < nodes; node++) {
      cluster.fault(node, 3, false);
    }
    cluster.settle();
    assertThat(cluster.nodes.get(3).directory.sharers(3)).isEqualTo(-1L);

    cluster.fault(63, 3, true);
    cluster.settle();
    assertThat(cluster.nodes.get(3).directory.owner(3)).isEqualTo(63);
    assertThat(cluster.nodes.get(3).directory.sharers(3)).isZero();
    assertThat(cluster.nodes.get(62).cache.state(3)).isEqualTo(CacheState.I);
    assertThat(cluster.nodes.get(63).cache.mayAccess(3, true)).isTrue();

    // All others want to write at once: nobody is forgotten, the queue stays within its bound.
    for (int node = 0; node < nodes - 1; node++) {
      cluster.fault(node, 3, true);
    }
    cluster.settle();
    CoherenceCounters home = cluster.nodes.get(3).counters;
    assertThat(home.get(CoherenceCounter.QUEUE_HIGH_WATER)).isEqualTo(nodes - 2L);
    assertThat(cluster.nodes.stream().mapToInt(node -> Math.min(node.wakes, 2)).sum())
        .isEqualTo(2 * nodes);
    assertThat(cluster.refused).isEmpty();
  }

  @Test
  void versionCountsGrantsForWriting() {
    TestCluster cluster = new TestCluster(2, 2, 0);
    for (int round = 1; round <= 4; round++) {
      cluster.fault(round % 2, 0, true);
      cluster.settle();
      assertThat(cluster.nodes.get(round % 2).cache.version(0)).isEqualTo(round);
    }
    cluster.fault(1, 0, false);
    cluster.settle();
    assertThat(cluster.nodes.get(1).cache.version(0)).isEqualTo(4);
  }

  @Test
  void pagesAreIndependent() {
    TestCluster cluster = new TestCluster(3, 3_000, 0);
    for (long page = 0; page < 3_000; page++) {
      cluster.fault((int) (page % 2), page, true);
    }
    cluster.settle();
    for (long page = 0; page < 3_000; page++) {
      assertThat(cluster.nodes.get((int) (page % 2)).cache.state(page)).isEqualTo(CacheState.M);
    }
    assertThat(cluster.nodes.get(0).cache.pagesInTransit()).isZero();
  }

  @Test
  void localMisuseThrows() {
    CacheController cache = new TestCluster(2, 8, 0).nodes.get(0).cache;
    assertThatThrownBy(() -> cache.fault(8, false, 0))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("page 8");
    assertThatThrownBy(() -> cache.fault(-1, false, 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> cache.unpin(3)).hasMessageContaining("page 3 is not pinned");
    assertThatThrownBy(() -> cache.revoked(3, 0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> cache.downgraded(3, 0)).isInstanceOf(IllegalStateException.class);
    cache.used(3); // Nothing to end: fine.
    assertThatThrownBy(() -> new TestCluster(65, 8, 0)).hasMessageContaining("1 to 64 nodes");
    assertThatThrownBy(() -> new TestCluster(1, 0, 0)).hasMessageContaining("pageCount 0");
  }

  @Test
  void deadlineIsThatOfTheFirstHoldToEnd() {
    TestCluster cluster = new TestCluster(1, 100, 1_000);
    CacheController cache = cluster.nodes.get(0).cache;
    assertThat(cache.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    for (long page = 0; page < 100; page++) {
      cluster.fault(0, page, true);
    }
    cluster.settle();
    long last = 0;
    int held = cache.pagesInTransit();
    assertThat(held).isEqualTo(100);
    while (held > 0) {
      long deadline = cache.nextDeadline();
      assertThat(deadline).isBetween(Math.max(last, 1_000), 1_999L);
      cache.tick(deadline - 1);
      assertThat(cache.pagesInTransit()).isEqualTo(held);
      cache.tick(deadline);
      assertThat(cache.pagesInTransit()).isLessThan(held);
      held = cache.pagesInTransit();
      last = deadline;
    }
    assertThat(cache.nextDeadline()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void holdLastsAsLongAsTheNodeWants() {
    TestCluster cluster = new TestCluster(2, 2, 1_000);
    TestCluster.Node holder = cluster.nodes.get(0);
    cluster.fault(0, 1, true);
    cluster.settle();
    holder.longerNanos = 500;
    long deadline = holder.cache.nextDeadline();
    cluster.nodes.get(1).since = 77;
    cluster.fault(1, 1, true);
    cluster.settle();
    holder.cache.tick(deadline);
    assertThat(holder.askedFor).as("since when the other waits").isEqualTo(77);
    assertThat(holder.cache.nextDeadline()).isEqualTo(deadline + 500);
    holder.cache.tick(deadline + 500);
    cluster.settle();
    assertThat(holder.cache.state(1)).isEqualTo(CacheState.M);
    assertThat(holder.counters.get(CoherenceCounter.HOLDS_PROLONGED)).isEqualTo(2);
    holder.longerNanos = 0;
    holder.cache.tick(deadline + 999);
    cluster.settle();
    assertThat(holder.cache.state(1)).isEqualTo(CacheState.M);
    holder.cache.tick(deadline + 1_000);
    cluster.settle();
    assertThat(holder.cache.state(1)).isEqualTo(CacheState.I);
    assertThat(cluster.nodes.get(1).cache.state(1)).isEqualTo(CacheState.M);
  }

  @Test
  void whoIsKeptWaitingInTheQueueShortensAHold() {
    TestCluster cluster = new TestCluster(3, 3, 0);
    TestCluster.Node holder = cluster.nodes.get(0);
    cluster.fault(0, 1, true);
    cluster.settle();
    holder.longerNanos = 500;
    cluster.nodes.get(1).since = 77;
    cluster.fault(1, 1, true);
    cluster.settle();
    assertThat(holder.cache.nextDeadline()).isEqualTo(500);

    holder.longerNanos = 0;
    holder.cache.hurry(1, 77, 100);
    holder.cache.hurry(1, 78, 100);
    assertThat(holder.cache.nextDeadline()).as("nobody waits for longer").isEqualTo(500);
    holder.cache.hurry(2, 5, 100);
    assertThat(holder.cache.nextDeadline()).as("another page").isEqualTo(500);
    holder.longerNanos = 300;
    holder.cache.hurry(1, 60, 100);
    assertThat(holder.askedFor).isEqualTo(60);
    assertThat(holder.cache.nextDeadline()).isEqualTo(400);
    holder.longerNanos = 0;
    holder.cache.hurry(1, 50, 150);
    assertThat(holder.askedFor).isEqualTo(50);
    assertThat(holder.cache.state(1)).isEqualTo(CacheState.I);
    holder.cache.hurry(1, 40, 160);
    assertThat(holder.askedFor).as("it is gone").isEqualTo(50);
    cluster.settle();
    assertThat(cluster.nodes.get(1).cache.state(1)).isEqualTo(CacheState.M);
  }

  /** Else nodes on the emulator could take a page from each other that none has used. */
  @Test
  void theHoldOfEachGrantIsNotShortened() {
    TestCluster cluster = new TestCluster(2, 2, 1_000);
    TestCluster.Node holder = cluster.nodes.get(0);
    cluster.fault(0, 1, true);
    cluster.settle();
    long deadline = holder.cache.nextDeadline();
    cluster.nodes.get(1).since = 77;
    cluster.fault(1, 1, true);
    cluster.settle();
    holder.cache.hurry(1, 5, 10);
    assertThat(holder.cache.nextDeadline()).isEqualTo(deadline);
    holder.longerNanos = 500;
    holder.cache.tick(deadline);
    assertThat(holder.askedFor).as("what it was told counts later").isEqualTo(5);
  }

  /** Two sharers write at once: the one whose Upgrade comes second must not wait for itself. */
  @Test
  void sharedCopyIsNotHeldWhileAnUpgradeIsUnderWay() {
    TestCluster cluster = new TestCluster(2, 2, 1_000);
    cluster.nodes.forEach(n -> n.longerNanos = 500);
    cluster.fault(0, 0, false);
    cluster.fault(1, 0, false);
    cluster.settle();
    cluster.fault(0, 0, true);
    cluster.fault(1, 0, true);
    cluster.settle();
    assertThat(cluster.nodes.get(0).cache.state(0)).isEqualTo(CacheState.M);
    assertThat(cluster.nodes.get(1).cache.state(0)).isEqualTo(CacheState.IM_AD);
    assertThat(cluster.refused).isEmpty();
  }

  @Test
  void prefetchAsksForWhatIsMissingOnly() {
    TestCluster cluster = new TestCluster(2, 4, 0);
    TestCluster.Node node = cluster.nodes.get(0);
    node.cache.prefetch(1, true);
    node.cache.prefetch(1, true); // under way
    node.cache.prefetch(3, false);
    cluster.settle();
    assertThat(node.cache.state(1)).isEqualTo(CacheState.M);
    assertThat(node.cache.state(3)).isEqualTo(CacheState.S);
    node.cache.prefetch(1, false);
    node.cache.prefetch(3, false);
    node.cache.prefetch(3, true);
    cluster.settle();
    assertThat(node.cache.state(3)).isEqualTo(CacheState.M);
    assertThat(node.counters.get(CoherenceCounter.PREFETCHES)).isEqualTo(3);
    cluster.fault(1, 1, true);
    cluster.settle();
    assertThat(cluster.nodes.get(1).cache.state(1)).isEqualTo(CacheState.M);
    assertThat(cluster.refused).isEmpty();
  }

  /** 64 GiB of guest RAM must not cost memory before it is used. */
  @Test
  void untouchedPagesCostNextToNothing() {
    long pages = 16L << 20;
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    TestCluster cluster = new TestCluster(2, pages, 0);
    cluster.fault(1, pages - 1, true);
    cluster.settle();
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(cluster.nodes.get(1).cache.state(pages - 1)).isEqualTo(CacheState.M);
    assertThat(allocated).isLessThan(2L << 20);
  }

  @Test
  void stepsAllocateNothingOnceWarm() {
    TestCluster cluster = new TestCluster(3, 64, 0);
    pingPong(cluster, 2_000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    pingPong(cluster, 2_000);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    // 2,000 rounds of dozens of steps: one object per step would be megabytes.
    assertThat(allocated).isLessThan(16_384);
  }

  @Test
  void deltasAllocateNothingOnceWarm() {
    TestCluster cluster = new TestCluster(3, 64, 0, DeltaMode.AUTO);
    pingPong(cluster, 2_000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    pingPong(cluster, 2_000);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated).isLessThan(16_384);
    assertThat(cluster.nodes.get(0).kept).as("twins").isGreaterThan(1_000);
  }

  @Test
  void writersInTurnSendEachOtherWhatChanged() {
    TestCluster cluster = new TestCluster(2, 2, 0, DeltaMode.ON);
    takeTurns(cluster, 10);
    // Node 0 has the zero page first, node 1 gets it whole; then each has what the other knows.
    assertThat(sum(cluster, CoherenceCounter.PAGES_OUT)).isEqualTo(1);
    assertThat(sum(cluster, CoherenceCounter.DELTAS_OUT)).isEqualTo(18);
    assertThat(sum(cluster, CoherenceCounter.DELTAS_IN)).isEqualTo(18);
    assertThat(sum(cluster, CoherenceCounter.DELTA_BYTES_OUT)).isEqualTo(18 * 64);
    assertThat(cluster.nodes.get(1).cache.version(1)).isEqualTo(20);
    assertThat(cluster.nodes.get(1).cache.twinVersion(1)).isEqualTo(19);
  }

  @Test
  void whoHasNoBytesGetsWhatIsNotZero() {
    TestCluster cluster = new TestCluster(2, 64, 0, DeltaMode.AUTO);
    long half = -1L >>> CoherenceMessage.MAX_BLOCKS;
    long[] nonZero = {0, 1, half, half << 1 | 1, -1L};
    for (int page = 0; page < nonZero.length; page++) {
      cluster.nodes.get(0).nonZero = nonZero[page];
      cluster.fault(0, page, true);
      cluster.settle();
      cluster.fault(1, page, page % 2 == 0);
      cluster.settle();
      assertThat(cluster.nodes.get(1).cache.version(page)).isEqualTo(page % 2 == 0 ? 2 : 1);
    }
    assertThat(sum(cluster, CoherenceCounter.SPARSE_OUT)).isEqualTo(3);
    assertThat(sum(cluster, CoherenceCounter.SPARSE_IN)).isEqualTo(3);
    assertThat(sum(cluster, CoherenceCounter.SPARSE_BYTES_OUT)).isEqualTo((1 + 32) * 64);
    assertThat(sum(cluster, CoherenceCounter.PAGES_OUT)).isEqualTo(2);
    assertThat(cluster.refused).isEmpty();
  }

  /** The twin of one who got a page without its zeros is as good as any. */
  @Test
  void deltasFollowASparsePage() {
    TestCluster cluster = new TestCluster(2, 2, 0, DeltaMode.ON);
    cluster.nodes.forEach(node -> node.nonZero = 5);
    takeTurns(cluster, 10);
    assertThat(sum(cluster, CoherenceCounter.PAGES_OUT)).isZero();
    assertThat(sum(cluster, CoherenceCounter.SPARSE_OUT)).isEqualTo(1);
    assertThat(sum(cluster, CoherenceCounter.DELTAS_OUT)).isEqualTo(18);
    assertThat(cluster.nodes.get(1).cache.twinVersion(1)).isEqualTo(19);
  }

  @Test
  void pagesThatChangedTooMuchGoWithoutTheirZeros() {
    TestCluster cluster = new TestCluster(2, 2, 0, DeltaMode.ON);
    cluster.nodes.forEach(node -> node.changed = -1L);
    cluster.nodes.forEach(node -> node.nonZero = 5);
    takeTurns(cluster, 10);
    assertThat(sum(cluster, CoherenceCounter.DELTAS_TOO_LARGE)).isEqualTo(18);
    assertThat(sum(cluster, CoherenceCounter.SPARSE_OUT)).isEqualTo(19);
  }

  @Test
  void malformedSparsePagesAreRefused() {
    TestCluster cluster = new TestCluster(2, 2, 0, DeltaMode.ON);
    cluster.fault(0, 1, true);
    CoherenceMessage sparse =
        new CoherenceMessage().set(MessageType.DATA_SPARSE, 1, 1, 0, 0, 0, 21, EXCLUSIVE);
    TestCluster.Node node = cluster.nodes.get(0);
    node.receive(sparse.base(1));
    node.receive(sparse.base(0).blocks(-1L >>> CoherenceMessage.MAX_BLOCKS - 1));
    node.receive(sparse.blocks(1).set(MessageType.DATA_SPARSE, 1, 1, 0, 0, 0, 21, 0));
    assertThat(cluster.refused).hasSize(3);
    assertThat(node.counters.get(CoherenceCounter.SPARSE_IN)).isZero();
  }

  @Test
  void automaticDeltasSparePagesThatChangeAsAWhole() {
    TestCluster cluster = new TestCluster(2, 2, 0, DeltaMode.AUTO);
    cluster.nodes.forEach(node -> node.changed = -1L);
    takeTurns(cluster, 100);
    assertThat(sum(cluster, CoherenceCounter.DELTAS_OUT)).isZero();
    long compared = sum(cluster, CoherenceCounter.DELTAS_TOO_LARGE);
    assertThat(compared).isBetween(5L, 20L);
    assertThat(cluster.nodes.get(0).kept).isLessThan(20);
    cluster.nodes.forEach(node -> node.changed = 3);
    takeTurns(cluster, 100);
    assertThat(sum(cluster, CoherenceCounter.DELTAS_OUT)).isGreaterThan(150);
  }

  @Test
  void automaticDeltasSparePagesThatDoNotComeBack() {
    TestCluster cluster = new TestCluster(2, 64, 0, DeltaMode.AUTO);
    for (long page = 0; page < 64; page++) {
      cluster.fault(0, page, true);
      cluster.settle();
      cluster.fault(1, page, true);
      cluster.settle();
    }
    assertThat(cluster.nodes.get(0).kept + cluster.nodes.get(1).kept).isZero();
  }

  @Test
  void twinsKeptLongestAgoGoFirst() {
    TestCluster cluster = new TestCluster(2, 2 * TestCluster.TWINS, 0, DeltaMode.ON);
    for (long page = 0; page <= TestCluster.TWINS; page++) {
      cluster.fault(0, page, true);
      cluster.settle();
      cluster.fault(1, page, true);
      cluster.settle();
    }
    TestCluster.Node node = cluster.nodes.get(1);
    assertThat(node.counters.get(CoherenceCounter.TWINS_EVICTED)).isEqualTo(1);
    assertThat(node.cache.twinVersion(0)).isZero();
    assertThat(node.cache.twinVersion(1)).isEqualTo(1);
    cluster.fault(0, 0, true);
    cluster.fault(0, 1, true);
    cluster.settle();
    assertThat(sum(cluster, CoherenceCounter.DELTAS_OUT)).isEqualTo(1);
  }

  /** Whoever has no bytes any more must not be sent what changed. */
  @Test
  void bytesThatAreForgottenComeAsAWholeAgain() {
    TestCluster cluster = new TestCluster(2, 2, 0, DeltaMode.ON);
    takeTurns(cluster, 2);
    assertThat(cluster.nodes.get(0).cache.forget(1)).isTrue();
    long whole = sum(cluster, CoherenceCounter.PAGES_OUT);
    cluster.fault(0, 1, false);
    cluster.settle();
    assertThat(sum(cluster, CoherenceCounter.PAGES_OUT)).isEqualTo(whole + 1);
    assertThat(cluster.refused).isEmpty();
  }

  @Test
  void nodesWithoutDeltasGetWholePages() {
    TestCluster cluster = new TestCluster(2, 2, 0, DeltaMode.OFF);
    cluster.nodes.forEach(node -> node.nonZero = 1);
    takeTurns(cluster, 10);
    assertThat(sum(cluster, CoherenceCounter.PAGES_OUT)).isEqualTo(19);
    assertThat(cluster.nodes.get(0).kept).isZero();
    cluster.fault(0, 1, true);
    CoherenceMessage delta =
        new CoherenceMessage().set(MessageType.DATA_DELTA, 1, 1, 0, 0, 0, 21, EXCLUSIVE);
    cluster.nodes.get(0).receive(delta.base(cluster.nodes.get(0).cache.version(1)).blocks(1));
    assertThat(cluster.refused).hasSize(1);
  }

  private static void takeTurns(TestCluster cluster, int rounds) {
    for (int i = 0; i < rounds; i++) {
      for (int node = 0; node < 2; node++) {
        cluster.fault(node, 1, true);
        cluster.settle();
      }
    }
    assertThat(cluster.refused).isEmpty();
  }

  private static long sum(TestCluster cluster, CoherenceCounter counter) {
    return cluster.nodes.stream().mapToLong(node -> node.counters.get(counter)).sum();
  }

  private static void pingPong(TestCluster cluster, int rounds) {
    for (int round = 0; round < rounds; round++) {
      long page = round % 64;
      for (int node = 0; node < 3; node++) {
        cluster.fault(node, page, false);
      }
      cluster.settle();
      for (int node = 0; node < 3; node++) {
        cluster.fault(node, page, true);
      }
      cluster.settle();
    }
  }
}
