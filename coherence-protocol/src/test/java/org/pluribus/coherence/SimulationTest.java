package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pluribus.coherence.sim.CheckFailure;
import org.pluribus.coherence.sim.ProofLog;
import org.pluribus.coherence.sim.Sabotage;
import org.pluribus.coherence.sim.Shrinker;
import org.pluribus.coherence.sim.SimConfig;
import org.pluribus.coherence.sim.Simulation;

/**
 * Many random clusters under checkers. A failure prints its configuration, seed included; put the
 * seed into {@code -Dcoherence.seed=N} to run from there, {@code -Dcoherence.runs=N} to run more.
 */
class SimulationTest {
  private static final long FIRST_SEED = Long.getLong("coherence.seed", 1);
  private static final int RUNS = Integer.getInteger("coherence.runs", 200);

  /** Runs that are sure to take every path. */
  private static final int ENOUGH_RUNS = 100;

  /** Runs until a planted bug must have shown. */
  private static final int RUNS_PER_SABOTAGE = 20;

  @Test
  void randomClustersStayCoherentAndComeToRest() {
    Map<CoherenceCounter, Long> totals = new EnumMap<>(CoherenceCounter.class);
    Map<CacheState, Set<MessageType>> met = new EnumMap<>(CacheState.class);
    long operations = 0;
    long events = 0;
    long started = System.nanoTime();
    for (long seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      SimConfig config = SimConfig.random(seed);
      Simulation.Result result = Shrinker.run(config);
      operations += config.allOperations();
      events += result.events();
      result.counters().forEach((counter, value) -> totals.merge(counter, value, Long::sum));
      result
          .metInState()
          .forEach((state, types) ->
              met.computeIfAbsent(state, s -> EnumSet.noneOf(MessageType.class)).addAll(types));
    }
    ProofLog.note(
        "simulation",
        operations,
        "simulation, seeds %d to %d: %,d operations, %,d events, %d s",
        FIRST_SEED,
        FIRST_SEED + RUNS - 1,
        operations,
        events,
        (System.nanoTime() - started) / 1_000_000_000L);
    if (RUNS >= ENOUGH_RUNS) {
      rarePathsRan(totals, met);
    }
  }

  /** A checker that never sees the interesting cases proves little. */
  private static void rarePathsRan(
      Map<CoherenceCounter, Long> totals, Map<CacheState, Set<MessageType>> met) {
    assertThat(totals.get(CoherenceCounter.PROTOCOL_ERRORS)).isZero();
    for (CoherenceCounter counter : CoherenceCounter.values()) {
      if (counter != CoherenceCounter.PROTOCOL_ERRORS) {
        assertThat(totals.get(counter)).as(counter.label()).isPositive();
      }
    }
    assertThat(met.get(CacheState.S))
        .contains(MessageType.INV, MessageType.FWD_GET_S, MessageType.FWD_GET_M);
    assertThat(met.get(CacheState.M)).contains(MessageType.FWD_GET_S, MessageType.FWD_GET_M);
    assertThat(met.get(CacheState.IS_D))
        .contains(
            MessageType.DATA, MessageType.DATA_DELTA, MessageType.DATA_SPARSE, MessageType.GRANT);
    assertThat(met.get(CacheState.IM_AD))
        .contains(
            MessageType.DATA,
            MessageType.DATA_DELTA,
            MessageType.DATA_SPARSE,
            MessageType.GRANT,
            MessageType.INV_ACK);
    assertThat(met.get(CacheState.IM_A)).contains(MessageType.INV_ACK);
    assertThat(met.get(CacheState.SM_AD))
        .contains(
            MessageType.GRANT,
            MessageType.INV,
            MessageType.INV_ACK,
            MessageType.FWD_GET_S,
            MessageType.FWD_GET_M);
    assertThat(met.get(CacheState.SM_A)).contains(MessageType.INV_ACK);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void checkersFindPlantedBugs(Sabotage sabotage) {
    Throwable found = null;
    for (long seed = FIRST_SEED; found == null && seed < FIRST_SEED + RUNS_PER_SABOTAGE; seed++) {
      SimConfig config = SimConfig.random(seed).with(sabotage);
      found = catchThrowable(() -> Simulation.run(config));
    }
    assertThat(found).as("what the checkers say of %s", sabotage).isInstanceOf(CheckFailure.class);
    assertThat(found).hasMessageContaining("seed=").hasMessageNotContaining("reproducible");
    String what =
        String.valueOf(found == null ? "" : found.getMessage()).lines().findFirst().orElse("");
    ProofLog.note("sabotage", 1, "simulation finds %s: %s", sabotage, what);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void sameSeedSameRunEventByEvent(long seed) {
    SimConfig config = SimConfig.random(seed);
    String transcript = Simulation.transcript(config);
    assertThat(transcript.lines()).hasSizeGreaterThan(1_000);
    assertThat(Simulation.transcript(config)).isEqualTo(transcript);
    assertThat(Simulation.transcript(SimConfig.random(seed + 1))).isNotEqualTo(transcript);
  }

  @Test
  void failingRunsShrink() {
    SimConfig config = SimConfig.random(FIRST_SEED).with(Sabotage.REVOKE_IGNORED);
    Throwable shrunk = catchThrowable(() -> Shrinker.run(config));
    assertThat(shrunk).isInstanceOf(CheckFailure.class);
    assertThat(shrunk)
        .hasMessageContaining("nodes=2, pages=1,")
        .hasMessageContaining("maxCutNanos=0, maxPauseNanos=0")
        .hasMessageContaining("shrunk in");
    assertThat(String.valueOf(shrunk.getMessage()).lines().count()).isLessThan(60);
  }
}
