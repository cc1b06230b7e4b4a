package org.pluribus.containers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/**
 * A machine over three containers whose links fail while all its CPUs calculate with each other's
 * results. A link that comes back in time costs the guest nothing but time; one that does not ends
 * all nodes, and each says in one line whom it has lost.
 */
@Timeout(LinkLossTest.LIMIT_SECONDS)
class LinkLossTest {
  /** Far more than a test takes on two busy cores. */
  static final int LIMIT_SECONDS = 600;

  private static final Duration LIMIT = Duration.ofSeconds(LIMIT_SECONDS);

  private static final int NODES = 3;

  /** A peer is lost after 10 s of silence (TransportLimits); healing takes a moment, too. */
  private static final Duration OUTAGE = Duration.ofSeconds(4);

  /** What the guest does before a link is cut, and again after it is healed. */
  private static final int ROUNDS = 2;

  private static final Predicate<String> ROUND = line -> line.startsWith(GuestSums.ROUND);
  private static final Predicate<String> STORM = line -> line.startsWith("payload storm");
  private static final Predicate<String> LOSS = line -> line.contains(" was lost");

  @BeforeAll
  static void loadImage() throws IOException {
    Surroundings.loadImage();
  }

  /**
   * First the link between two nodes fails silently, then a node's network interface is gone for a
   * while. The guest finishes, and all it has calculated is right.
   */
  @Test
  void whatHealsInTimeCostsNothing(TestInfo test) throws Exception {
    // Some may pass before a failure takes hold.
    int rounds = 5 * ROUNDS;
    Guest linux = Guest.linux(Surroundings.file("kernel"), Surroundings.file("initrd"), rounds);
    try (ContainerCluster cluster = boot(linux, test)) {
      NodeLog console = cluster.console();
      awaitRounds(console, ROUNDS);
      cluster.cut(1, 2);
      long atCut = console.count(ROUND);
      assertThat(cluster.node(1).reaches(cluster.node(2))).isFalse();
      assertThat(cluster.node(0).reaches(cluster.node(1))).isTrue();
      Thread.sleep(OUTAGE);
      System.out.printf("rounds while the link is cut: %d%n", console.count(ROUND) - atCut);
      cluster.heal(1, 2);
      awaitRounds(console, console.count(ROUND) + ROUNDS);

      cluster.unplug(2);
      assertThat(cluster.node(0).reaches(cluster.node(2))).isFalse();
      Thread.sleep(OUTAGE);
      cluster.plugIn(2);
      awaitRounds(console, rounds);
      for (int id = 0; id < NODES; id++) {
        NodeLog log = cluster.node(id).log();
        assertThat(cluster.node(id).awaitExit(LIMIT)).as(() -> "exit code\n" + log).isZero();
        assertThat(log.errors()).noneMatch(LOSS);
      }
      assertRight(console, rounds);
    }
  }

  /**
   * Each of the two ends has lost the other. Who finds out first tells the third node, and that one
   * tells the other end: all have an end of the link to name.
   */
  @Test
  void aLinkThatIsCutForGoodEndsAllNodes(TestInfo test) throws Exception {
    try (ContainerCluster cluster = boot(Guest.storm(Surroundings.file("payloads")), test)) {
      cluster.console().await(1, STORM, LIMIT);
      cluster.cut(1, 2);
      for (int id = 0; id < NODES; id++) {
        assertEnds(cluster.node(id), "node [12] was lost");
      }
    }
  }

  /** The others have lost that node; and it has lost the others. */
  @Test
  void aNodeThatIsUnpluggedEndsAllNodes(TestInfo test) throws Exception {
    try (ContainerCluster cluster = boot(Guest.storm(Surroundings.file("payloads")), test)) {
      cluster.console().await(1, STORM, LIMIT);
      cluster.unplug(2);
      assertEnds(cluster.node(0), "node 2 was lost");
      assertEnds(cluster.node(1), "node 2 was lost");
      assertEnds(cluster.node(2), "node [01] was lost");
    }
  }

  /** Waits until the guest has come so far; says how long that took. */
  private static void awaitRounds(NodeLog console, long rounds) throws InterruptedException {
    long start = System.nanoTime();
    console.await(rounds, ROUND, LIMIT);
    System.out.printf(
        "round %d after another %d s%n", rounds - 1, (System.nanoTime() - start) / 1_000_000_000);
  }

  private static ContainerCluster boot(Guest guest, TestInfo test) {
    String name = test.getTestMethod().orElseThrow().getName();
    return new ContainerCluster(
        Surroundings.image(), NODES, guest, Surroundings.file("consoles").resolve(name));
  }

  private static void assertRight(NodeLog console, long rounds) {
    List<String> said = console.output().stream().filter(ROUND).toList();
    GuestSums sums = new GuestSums(NODES);
    assertThat(said).as("rounds").hasSize((int) rounds);
    for (String line : said) {
      assertThat(line).isEqualTo(sums.nextLine());
    }
  }

  private static void assertEnds(NodeContainer node, String line) throws InterruptedException {
    assertThat(node.awaitExit(LIMIT)).as(() -> "exit code\n" + node.log()).isEqualTo(1);
    List<String> losses = node.log().errors().stream().filter(LOSS).toList();
    assertThat(losses).as(() -> "lines\n" + node.log()).hasSize(1);
    assertThat(losses.getFirst()).matches("pluribus: " + line + ": .*");
    System.out.println(node.address() + ": " + losses.getFirst());
  }
}
