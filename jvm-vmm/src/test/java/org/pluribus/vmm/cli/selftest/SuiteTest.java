package org.pluribus.vmm.cli.selftest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pluribus.vmm.control.ClusterConfig;

/** The payloads, little of each, on emulated machines within this process. */
class SuiteTest {
  private static final int TIMEOUT_SECONDS = 120;

  private static PayloadImage image;

  @BeforeAll
  static void unpack() throws Exception {
    image = PayloadImage.unpack();
  }

  @AfterAll
  static void remove() throws Exception {
    image.close();
  }

  private static Suite suite(String memory, int scale, long seed, int... cpus) {
    List<ClusterConfig.Node> nodes =
        java.util.stream.IntStream.range(0, cpus.length)
            .mapToObj(i -> new ClusterConfig.Node(i, "127.0.0.1", 0, cpus[i]))
            .toList();
    return new Suite(image, nodes, memory, ClusterConfig.LOOPBACK, scale, seed, TIMEOUT_SECONDS);
  }

  @ParameterizedTest
  @EnumSource(Payload.class)
  void passesOnTwoNodes(Payload payload) throws Exception {
    long seed = ThreadLocalRandom.current().nextInt(1_000_000);
    PayloadResult r = suite("32M", 1, seed, 1, 1).run(payload);
    assertThat(r.failure()).as("%s with seed %d", payload.id(), seed).isNull();
    assertThat(r.passed()).isTrue();
    assertThat(r.counts()).isNotEmpty();
    assertThat(r.pageTransfers()).isPositive();
    assertThat(r.nodes()).hasSize(2);
  }

  @Test
  void remoteFaultsAreSplit() throws Exception {
    PayloadResult r = suite("32M", 1, 1, 1, 1, 1).run(Payload.FAULTS);
    assertThat(r.failure()).isNull();
    FaultService s = Objects.requireNonNull(r.faultService());
    assertThat(s.nodes()).extracting(FaultService.Of::node).containsExactly(0, 1, 2);
    for (FaultService.Of of : s.nodes()) {
      assertThat(of.faults()).as("node %d", of.node()).isBetween(1, of.touches());
      assertThat(of.mean().protocol()).isPositive();
      assertThat(of.mean().transport()).isPositive();
      assertThat(of.mean().install()).isPositive();
      assertThat(of.mean().sum()).isCloseTo(of.mean().guest(), within(0.01));
    }
    assertThat(r.nodes()).allMatch(n -> n.faultRecords() == null);
  }

  @Test
  void noRemoteFaultsOnOneNode() throws Exception {
    PayloadResult r = suite("32M", 1, 1, 2).run(Payload.FAULTS);
    assertThat(r.failure()).isNull();
    assertThat(r.counts()).containsEntry("touches", 0L);
    assertThat(Objects.requireNonNull(r.faultService()).nodes()).isEmpty();
  }

  /** What CPUs compute must not depend on the node that runs them. */
  @Test
  void sumsAreTheSameOnOneNodeAndOnTwo() throws Exception {
    for (Payload p : List.of(Payload.COMPUTE, Payload.STORM, Payload.ORACLE, Payload.LOCKS)) {
      PayloadResult one = suite("32M", 1, 7, 2).run(p);
      PayloadResult two = suite("32M", 1, 7, 1, 1).run(p);
      assertThat(one.checksums()).as(p.id()).isNotEmpty().isEqualTo(two.checksums());
      assertThat(one.counts()).as(p.id()).isEqualTo(two.counts());
    }
  }

  @Test
  void sumsDependOnTheSeed() throws Exception {
    PayloadResult one = suite("32M", 1, 7, 1).run(Payload.COMPUTE);
    PayloadResult other = suite("32M", 1, 8, 1).run(Payload.COMPUTE);
    assertThat(one.checksums().get("rax")).isNotEqualTo(other.checksums().get("rax"));
  }

  @Test
  void reasonOfThePayloadIsTold() throws Exception {
    PayloadResult r = suite("6M", 1, 1, 1).run(Payload.COUNTERS);
    assertThat(r.passed()).isFalse();
    assertThat(r.failure()).contains("KiB behind the image; give more memory");
  }
}
