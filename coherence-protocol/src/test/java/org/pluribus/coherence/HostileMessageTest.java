package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever a peer sends: no exception, and what is refused leaves no trace. */
class HostileMessageTest {
  private static final int NODES = 4;
  private static final int PAGES = 6;
  private static final int RUNS = 150;
  private static final int STEPS = 300;
  private static final long SEED = Long.getLong("coherence.seed", 1);

  @Test
  void refusedMessagesChangeNothing() {
    int refused = 0;
    for (long seed = SEED; seed < SEED + RUNS; seed++) {
      refused += run(seed);
    }
    assertThat(refused).isGreaterThan(RUNS * STEPS / 10);
  }

  private static int run(long seed) {
    Random random = new Random(seed);
    TestCluster cluster = new TestCluster(NODES, PAGES, random.nextBoolean() ? 10 : 0);
    int refused = 0;
    for (int step = 0; step < STEPS; step++) {
      if (random.nextInt(3) != 0) {
        honestStep(cluster, random);
        continue;
      }
      CoherenceMessage garbage = garbage(random);
      TestCluster.Node target = cluster.nodes.get(random.nextInt(NODES));
      if (random.nextInt(8) != 0) {
        garbage.to = target.id;
      }
      String before = cluster.snapshot(PAGES);
      int effects = target.effects;
      int errors = cluster.refused.size();
      target.receive(garbage);
      boolean wasRefused = cluster.refused.size() == errors + 1 && target.effects == effects;
      if (wasRefused) {
        refused++;
        assertThat(cluster.snapshot(PAGES)).as("seed %s: %s", seed, garbage).isEqualTo(before);
      } else {
        assertThat(garbage.page).as("seed %s: %s", seed, garbage).isBetween(0L, PAGES - 1L);
        assertThat(garbage.to).as("seed %s: %s", seed, garbage).isEqualTo(target.id);
      }
    }
    return refused;
  }

  private static void honestStep(TestCluster cluster, Random random) {
    int node = random.nextInt(NODES);
    long page = random.nextInt(PAGES);
    switch (random.nextInt(4)) {
      case 0 -> cluster.fault(node, page, random.nextBoolean());
      case 1 -> cluster.nodes.get(node).cache.used(page);
      default -> cluster.deliverAny(random);
    }
  }

  private static CoherenceMessage garbage(Random random) {
    MessageType[] types = MessageType.values();
    boolean wild = random.nextInt(4) == 0;
    return new CoherenceMessage()
        .set(
            types[random.nextInt(types.length)],
            wild ? random.nextLong() : random.nextInt(PAGES),
            wild ? random.nextInt() : random.nextInt(NODES),
            wild ? random.nextInt() : random.nextInt(NODES),
            wild && random.nextBoolean() ? random.nextInt() : random.nextInt(NODES),
            wild ? random.nextInt() : random.nextInt(NODES),
            random.nextLong(),
            wild ? random.nextInt() : random.nextInt(4));
  }
}
