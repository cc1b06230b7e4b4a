package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.vmm.node.ClusterShape.Mischief;

/**
 * Random clusters of real nodes, real frames between them, on a virtual clock. A failure is shrunk
 * and prints its shape, seed included: {@code -Dcoherence.seed=N} runs from there, {@code
 * -Dcoherence.runs=N} runs more.
 */
class NodeSimulationTest {
  private static final long FIRST_SEED = Long.getLong("coherence.seed", 1);
  private static final int RUNS = Integer.getInteger("coherence.runs", 200);

  /** Runs that are sure to take every path. */
  private static final int ENOUGH_RUNS = 40;

  /** Runs until a planted bug must have shown, and for each kind of peer that sends nonsense. */
  private static final int RUNS_PER_MISCHIEF = 20;

  private static final Path PROOF_LOG = Path.of("target/proof.log");

  /**
   * What does not show here: refused messages, pages that change as a whole, holds that only KVM
   * prolongs, mirror budgets.
   */
  private static final Set<CoherenceCounter> ABSENT =
      EnumSet.of(
          CoherenceCounter.PROTOCOL_ERRORS,
          CoherenceCounter.DELTAS_TOO_LARGE,
          CoherenceCounter.HOLDS_PROLONGED,
          CoherenceCounter.EVICTIONS_OFFERED,
          CoherenceCounter.EVICTIONS,
          CoherenceCounter.EVICTIONS_REFUSED,
          CoherenceCounter.TAKEN);

  @Test
  void randomClustersReadWhatTheyWroteAndComeToRest() throws IOException {
    Map<CoherenceCounter, Long> totals = new EnumMap<>(CoherenceCounter.class);
    long operations = 0;
    long frames = 0;
    long events = 0;
    long started = System.nanoTime();
    for (long seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      ClusterShape shape = ClusterShape.random(seed);
      SimulatedCluster.Result result = run(shape);
      assertThat(result.complaints()).isEmpty();
      operations += shape.allOperations();
      frames += result.frames();
      events += result.events();
      result.counters().forEach((counter, value) -> totals.merge(counter, value, Long::sum));
    }
    note(
        "node-simulation",
        operations,
        "simulation of whole nodes, seeds %d to %d: %,d operations, %,d frames, %,d events, %d s",
        FIRST_SEED,
        FIRST_SEED + RUNS - 1,
        operations,
        frames,
        events,
        (System.nanoTime() - started) / 1_000_000_000L);
    assertThat(totals.get(CoherenceCounter.PROTOCOL_ERRORS)).isZero();
    if (RUNS >= ENOUGH_RUNS) {
      totals.keySet().removeAll(ABSENT);
      assertThat(totals).allSatisfy((c, n) -> assertThat(n).as(c.label()).isPositive());
    }
  }

  @ParameterizedTest
  @EnumSource
  void peersThatSendNonsenseEndTheMachineAndCorruptNothing(Mischief mischief) {
    if (!mischief.ends()) {
      return;
    }
    int ended = 0;
    Set<String> said = new TreeSet<>();
    for (long seed = FIRST_SEED; seed < FIRST_SEED + RUNS_PER_MISCHIEF; seed++) {
      SimulatedCluster.Result result = run(ClusterShape.random(seed).with(mischief));
      ended += result.complaints().isEmpty() ? 0 : 1;
      said.addAll(result.complaints());
    }
    assertThat(ended).as("machines ended by %s", mischief).isPositive();
    if (mischief == Mischief.LINK_LOST) {
      assertThat(ended).isEqualTo(RUNS_PER_MISCHIEF);
      assertThat(said)
          .allMatch(s ->
              s.matches(
                  "node \\d: node (\\d) was lost: node \\1 gave no sign of life for 10000 ms"));
    } else {
      assertThat(said)
          .allMatch(s -> s.matches("node \\d: node \\d (was lost: .* malformed|sent what).*"));
    }
    note(
        "nonsense",
        ended,
        "%d machines ended by %s, as %s",
        ended,
        mischief,
        said.iterator().next());
  }

  @ParameterizedTest
  @EnumSource
  void checkersFindPlantedBugs(Mischief mischief) {
    if (!mischief.planted()) {
      return;
    }
    for (DeltaMode deltas : EnumSet.of(DeltaMode.OFF, DeltaMode.ON)) {
      Throwable found = null;
      for (long seed = FIRST_SEED; found == null && seed < FIRST_SEED + RUNS_PER_MISCHIEF; seed++) {
        ClusterShape shape = ClusterShape.random(seed).with(mischief).with(deltas);
        found = catchThrowable(() -> SimulatedCluster.run(shape));
      }
      assertThat(found)
          .as("what is said of %s, deltas %s", mischief, deltas)
          .isInstanceOf(SimulationFailure.class);
      assertThat(found).hasMessageContaining("seed=").hasMessageNotContaining("only sometimes");
      note(
          "node-sabotage",
          deltas == DeltaMode.OFF ? 1 : 0, // one bug, found in both
          "simulation of whole nodes, deltas %s, finds %s: %s",
          deltas.word(),
          mischief,
          String.valueOf(found == null ? "" : found.getMessage()).lines().findFirst().orElse(""));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void sameSeedSameRunEventByEvent(long seed) {
    ClusterShape shape = ClusterShape.random(seed);
    String transcript = SimulatedCluster.transcript(shape);
    assertThat(transcript.lines()).hasSizeGreaterThan(1_000);
    assertThat(SimulatedCluster.transcript(shape)).isEqualTo(transcript);
    assertThat(SimulatedCluster.transcript(ClusterShape.random(seed + 1))).isNotEqualTo(transcript);
  }

  @Test
  void failingRunsShrink() {
    ClusterShape shape = ClusterShape.random(FIRST_SEED).with(Mischief.REVOKE_NOT_AWAITED);
    Throwable shrunk = catchThrowable(() -> run(shape));
    assertThat(shrunk).isInstanceOf(SimulationFailure.class);
    assertThat(shrunk).hasMessageContaining("shrunk in").hasMessageContaining("nodes=2, pages=1,");
    assertThat(String.valueOf(shrunk.getMessage())).containsPattern("operations=\\d{1,2},");
  }

  /** Runs a cluster; if it fails, fails with the shortest run that does. */
  private static SimulatedCluster.Result run(ClusterShape shape) {
    try {
      return SimulatedCluster.run(shape);
    } catch (SimulationFailure failure) {
      throw shrunk(shape, failure);
    }
  }

  private static SimulationFailure shrunk(ClusterShape shape, SimulationFailure failure) {
    int runs = 0;
    SimulationFailure shortest = failure;
    ClusterShape smallest = shape;
    for (boolean again = true; again; ) {
      again = false;
      for (ClusterShape candidate : smallest.simpler()) {
        runs++;
        Throwable fails = catchThrowable(() -> SimulatedCluster.run(candidate));
        if (fails instanceof SimulationFailure shorter) {
          smallest = candidate;
          shortest = shorter;
          again = true;
          break;
        }
      }
    }
    return new SimulationFailure(
        "%s%nshrunk in %d runs from %s".formatted(shortest.getMessage(), runs, shape));
  }

  /** For {@code ./pluribus prove}, as the tests of coherence-protocol do. */
  private static void note(String kind, long count, String words, Object... values) {
    String line = String.format(Locale.ROOT, words, values);
    System.out.println(line);
    try {
      Files.createDirectories(PROOF_LOG.toAbsolutePath().getParent());
      Files.writeString(
          PROOF_LOG,
          kind + "\t" + count + "\t" + line + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
