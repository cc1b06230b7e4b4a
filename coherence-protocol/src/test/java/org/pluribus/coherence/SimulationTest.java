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
import org.pluribus.coherence.sim.CheckFailure;
import org.pluribus.coherence.sim.Sabotage;
import org.pluribus.coherence.sim.SimConfig;
import org.pluribus.coherence.sim.Simulation;

/**
 * Many random clusters under checkers. A failure prints its configuration, seed included; put the
 * seed into {@code -Dcoherence.seed=N} to run from there, {@code -Dcoherence.runs=N} to run more.
 */
class SimulationTest {
  private static final long FIRST_SEED = Long.getLong("coherence.seed", 1);
  private static final int RUNS = Integer.getInteger("coherence.runs", 200);

  /** Runs until a planted bug must have shown. */
  private static final int RUNS_PER_SABOTAGE = 20;

  @Test
  void randomClustersStayCoherentAndComeToRest() {
    Map<CoherenceCounter, Long> totals = new EnumMap<>(CoherenceCounter.class);
    Map<CacheState, Set<MessageType>> met = new EnumMap<>(CacheState.class);
    for (long seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      Simulation.Result result = Simulation.run(SimConfig.random(seed));
      result.counters().forEach((counter, value) -> totals.merge(counter, value, Long::sum));
      result
          .metInState()
          .forEach((state, types) ->
              met.computeIfAbsent(state, s -> EnumSet.noneOf(MessageType.class)).addAll(types));
    }
    rarePathsRan(totals, met);
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
    assertThat(met.get(CacheState.IS_D)).contains(MessageType.DATA, MessageType.GRANT);
    assertThat(met.get(CacheState.IM_AD))
        .contains(MessageType.DATA, MessageType.GRANT, MessageType.INV_ACK);
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
  }

  @Test
  void sameSeedSameRun() {
    SimConfig config = SimConfig.random(FIRST_SEED);
    assertThat(Simulation.run(config)).isEqualTo(Simulation.run(config));
  }
}
