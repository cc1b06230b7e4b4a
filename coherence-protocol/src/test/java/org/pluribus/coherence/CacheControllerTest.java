package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
