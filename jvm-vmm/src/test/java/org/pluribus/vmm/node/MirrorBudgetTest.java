package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.posix.Memfd;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.vmm.emulator.CodeCache;
import org.pluribus.vmm.memory.GuestRamLayout;

/** Guest RAM of real nodes that may not hold all of it: no byte is lost, no budget exceeded. */
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class MirrorBudgetTest {
  private static final int PAGE = 4096;
  private static final int WORDS = 4;

  private final List<LoopbackNode> nodes = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  private void start(int count, GuestRamLayout layout, long spareBytes)
      throws InterruptedException {
    LoopbackCluster cluster = new LoopbackCluster(count);
    VmKey key = VmKey.random();
    for (int i = 0; i < count; i++) {
      PageRights rights =
          new SoftMmuPageRights(layout, new CodeCache(layout.ramEnd() >>> 12), 0, System::nanoTime);
      long budget = MirrorBudget.leastBytes(layout, i) + spareBytes;
      nodes.add(new LoopbackNode(i, layout, cluster, key, (image, alias) -> rights, 1_000, budget));
    }
    for (LoopbackNode n : nodes) {
      n.awaitConnected();
    }
  }

  @AfterEach
  void stop() throws Exception {
    threads.shutdownNow();
    for (LoopbackNode n : nodes) {
      n.close();
    }
  }

  private static long word(long page, int word, int generation) {
    return (page << 16 | word << 8 | generation) * 0x9e3779b97f4a7c15L;
  }

  private void withinBudget() {
    for (LoopbackNode n : nodes) {
      n.budget.sample();
      assertThat(n.budget.peakBytes())
          .as("node %d", n.node.id())
          .isLessThanOrEqualTo(n.budget.bytes());
    }
  }

  /** Writes a part of all pages, or checks what another wrote there. */
  private Callable<Void> pass(LoopbackNode node, int part, int parts, int generation, long pages) {
    return () -> {
      for (long page = pages * part / parts; page < pages * (part + 1) / parts; page++) {
        for (int w = 0; w < WORDS; w++) {
          long gpa = page * PAGE + w * (PAGE / WORDS);
          if (generation > 1) {
            assertThat(node.memory.readLong(gpa)).isEqualTo(word(page, w, generation - 1));
          }
          node.memory.writeLong(gpa, word(page, w, generation));
        }
        if (page % 512 == 0) {
          withinBudget();
        }
      }
      return null;
    };
  }

  /** Two nodes go through all of RAM, one after the other and then both at once. */
  @Test
  void allOfRamIsFilledAndVerifiedWithinTheBudgets() throws Exception {
    GuestRamLayout layout = GuestRamLayout.of(96L << 20, 2);
    start(2, layout, 0);
    pass(nodes.get(0), 0, 1, 1, layout.pageCount()).call();
    pass(nodes.get(1), 0, 1, 2, layout.pageCount()).call();
    for (int generation = 3; generation <= 4; generation++) {
      List<Future<Void>> done = new ArrayList<>();
      for (LoopbackNode n : nodes) {
        int part = (n.node.id() + generation) % 2;
        done.add(threads.submit(pass(n, part, 2, generation, layout.pageCount())));
      }
      for (Future<Void> d : done) {
        d.get();
      }
      withinBudget();
    }
    for (LoopbackNode n : nodes) {
      assertThat(n.budget.evictions()).as("pages given back").isPositive();
      assertThat(n.node.counters().get(CoherenceCounter.EVICTIONS_OFFERED)).isPositive();
      assertThat(n.node.counters().get(CoherenceCounter.TAKEN)).isPositive();
      assertThat(n.node.counters().get(CoherenceCounter.PROTOCOL_ERRORS)).isZero();
    }
  }

  /** Everybody reads everything: copies are dropped, as others have the page. */
  @Test
  void pagesThatAllReadStayWithinTheBudgets() throws Exception {
    GuestRamLayout layout = GuestRamLayout.of(96L << 20, 3);
    start(3, layout, 0);
    long pages = layout.pageCount();
    pass(nodes.get(0), 0, 1, 1, pages).call();
    List<Future<?>> done = new ArrayList<>();
    for (LoopbackNode n : nodes) {
      done.add(
          threads.submit(() -> {
            for (int i = 0; i < 2; i++) {
              for (long page = 0; page < pages; page++) {
                assertThat(n.memory.readLong(page * PAGE)).isEqualTo(word(page, 0, 1));
              }
              withinBudget();
            }
          }));
    }
    for (Future<?> d : done) {
      d.get();
    }
    withinBudget();
    for (LoopbackNode n : nodes) {
      assertThat(n.node.counters().get(CoherenceCounter.EVICTIONS)).isPositive();
    }
  }

  /** Nodes contend for words all over RAM, each word with one writer who knows what is in it. */
  @Test
  void nothingIsLostWhereAllWriteEverywhere() throws Exception {
    GuestRamLayout layout = GuestRamLayout.of(64L << 20, 2);
    start(2, layout, 0);
    long seed = System.nanoTime();
    List<Future<?>> done = new ArrayList<>();
    for (LoopbackNode n : nodes) {
      done.add(
          threads.submit(() -> {
            int id = n.node.id();
            Random random = new Random(seed + id);
            long[] written = new long[(int) layout.pageCount()];
            for (int i = 1; i <= 60_000; i++) {
              int page = random.nextInt(written.length);
              long gpa = (long) page * PAGE + id * 8L;
              assertThat(n.memory.readLong(gpa))
                  .as("seed %d, node %d, page %d", seed, id, page)
                  .isEqualTo(written[page]);
              if (random.nextBoolean()) {
                written[page] = i;
                n.memory.writeLong(gpa, i);
              }
            }
          }));
    }
    for (Future<?> d : done) {
      d.get();
    }
    withinBudget();
  }

  @Test
  void pagesNeverUsedCostNothing() throws Exception {
    GuestRamLayout layout = GuestRamLayout.of(1L << 30, 2);
    start(2, layout, 0);
    nodes.get(1).memory.writeLong(0x1000, 1);
    assertThat(nodes.get(0).memory.readLong(0x1000)).isEqualTo(1);
    for (LoopbackNode n : nodes) {
      n.budget.sample();
      assertThat(n.budget.residentBytes()).isEqualTo(PAGE);
    }
  }

  @Test
  void budgetsThatCannotWorkAreRefused() {
    GuestRamLayout layout = GuestRamLayout.of(64L << 20, 2);
    try (Memfd image = Memfd.create("small", layout.ramSize())) {
      long least = MirrorBudget.leastBytes(layout, 1);
      assertThat(least).isEqualTo(48L << 20);
      assertThat(new MirrorBudget(image, layout, 1, least).isLimited()).isTrue();
      assertThat(new MirrorBudget(image, layout, 1, layout.ramSize()).isLimited()).isFalse();
      assertThatThrownBy(() -> new MirrorBudget(image, layout, 1, least - 1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
