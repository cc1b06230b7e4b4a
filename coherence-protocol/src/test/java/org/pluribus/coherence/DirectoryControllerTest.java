package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DirectoryControllerTest {
  @Test
  void namesThePagesLostWithANode() {
    TestCluster cluster = new TestCluster(2, 10_000, 0);
    for (long page : new long[] {0, 2, 2_046, 2_048, 9_998}) {
      cluster.fault(1, page, true);
      cluster.settle();
    }
    cluster.fault(0, 2, false); // Node 0 has a copy too.
    cluster.fault(0, 2_048, true); // Node 0 has the only copy.
    cluster.fault(1, 4_000, false); // Nobody ever wrote it: nothing to lose.
    cluster.fault(1, 1, true); // Another home's page.
    cluster.settle();

    assertThat(onlyAt(cluster, 1)).containsExactly(0L, 2_046L, 9_998L);
    assertThat(onlyAt(cluster, 0)).containsExactly(2_048L);
  }

  private static List<Long> onlyAt(TestCluster cluster, int node) {
    List<Long> pages = new ArrayList<>();
    cluster.nodes.get(0).directory.forEachPageOnlyAt(node, pages::add);
    return pages;
  }

  @Test
  void homeThatSharesSuppliesItself() {
    TestCluster cluster = new TestCluster(4, 8, 0);
    cluster.fault(1, 0, true);
    cluster.settle();
    cluster.fault(0, 0, false);
    cluster.settle();
    long before = cluster.nodes.get(0).counters.get(CoherenceCounter.PAGES_OUT);
    cluster.fault(2, 0, false);
    cluster.fault(3, 0, false);
    cluster.settle();
    long after = cluster.nodes.get(0).counters.get(CoherenceCounter.PAGES_OUT);
    assertThat(after - before).isEqualTo(2);
  }

  @Test
  void tellsWhoWasAskedOfThoseWhoWaitLongerInTheQueue() {
    TestCluster cluster = new TestCluster(5, 5, 0);
    List<String> hurried = cluster.nodes.get(0).hurried;
    TestCluster.Node holder = cluster.nodes.get(1);
    cluster.fault(1, 0, true);
    cluster.settle();
    holder.longerNanos = 500;
    ask(cluster, 2, 70);
    assertThat(hurried).as("it is served").isEmpty();
    ask(cluster, 3, 80);
    assertThat(hurried).as("the served one waits longer").isEmpty();
    ask(cluster, 4, 60);
    assertThat(hurried).containsExactly("n1 p0 since 60");
    assertThat(holder.askedFor).isEqualTo(60);

    holder.cache.hurry(0, 50, 0);
    holder.longerNanos = 0;
    holder.cache.hurry(0, 40, 0);
    cluster.nodes.get(2).longerNanos = 500;
    cluster.settle();
    // Node 3 is next, and node 2, which has the page now, learns at once that node 4 waits longer.
    assertThat(cluster.nodes.get(2).cache.state(0)).isEqualTo(CacheState.M);
    assertThat(cluster.nodes.get(2).askedFor).isEqualTo(60);
    assertThat(hurried).hasSize(1);
  }

  @Test
  void tellsAllSharersThatWereAsked() {
    TestCluster cluster = new TestCluster(5, 5, 0);
    for (int node : new int[] {1, 2}) {
      cluster.fault(node, 0, false);
      cluster.settle();
      cluster.nodes.get(node).longerNanos = 500;
    }
    ask(cluster, 3, 70);
    ask(cluster, 4, 60);
    assertThat(cluster.nodes.get(0).hurried).containsExactly("n1 p0 since 60", "n2 p0 since 60");
  }

  private static void ask(TestCluster cluster, int node, long since) {
    cluster.nodes.get(node).since = since;
    cluster.fault(node, 0, true);
    cluster.settle();
  }

  @Test
  void clusterSizeIsChecked() {
    CoherenceCounters counters = new CoherenceCounters();
    DirectoryEffects effects = new TestCluster(1, 1, 0).nodes.get(0);
    assertThatThrownBy(() -> new DirectoryController(2, 2, 8, p -> 0, effects, counters))
        .hasMessageContaining("node 2 of 2");
    assertThatThrownBy(() -> new DirectoryController(0, 65, 8, p -> 0, effects, counters))
        .hasMessageContaining("of 65");
  }
}
