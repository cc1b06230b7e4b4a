package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pluribus.coherence.sim.Explorer;
import org.pluribus.coherence.sim.Explorer.Scope;
import org.pluribus.coherence.sim.ProofLog;

/**
 * Every state of small clusters: no order of events breaks coherence or leaves anybody waiting.
 * With {@code -Dcoherence.wide=true} larger ones too, which takes many minutes.
 */
class ExhaustiveTest {
  static List<Scope> scopes() {
    List<Scope> scopes = new ArrayList<>();
    // Nodes, pages, vCPUs a node, accesses of each, devices, holds, slow revokes, evictions.
    scopes.add(new Scope(2, 1, 1, 3, 0, false, true));
    scopes.add(new Scope(2, 1, 2, 1, 0, false, true));
    scopes.add(new Scope(2, 1, 1, 2, 1, true, true));
    scopes.add(new Scope(2, 2, 1, 2, 0, false, false));
    scopes.add(new Scope(3, 1, 1, 1, 0, false, true));
    scopes.add(new Scope(3, 1, 1, 1, 1, false, false));
    scopes.add(new Scope(3, 1, 1, 2, 0, false, true));
    scopes.add(new Scope(3, 2, 1, 1, 0, false, false));
    scopes.add(new Scope(2, 1, 1, 2, 0, false, true, 2));
    scopes.add(new Scope(2, 1, 1, 1, 2, true, true, 1));
    scopes.add(new Scope(2, 2, 1, 1, 0, false, true, 1));
    scopes.add(new Scope(3, 1, 1, 1, 0, false, true, 1));
    // And room for so many twins.
    scopes.add(new Scope(2, 1, 1, 2, 0, false, true, 0, 1));
    scopes.add(new Scope(2, 1, 1, 2, 0, false, false, 1, 1));
    scopes.add(new Scope(2, 2, 1, 2, 0, false, false, 0, 1));
    if (Boolean.getBoolean("coherence.wide")) {
      scopes.add(new Scope(2, 1, 2, 2, 0, true, true));
      scopes.add(new Scope(2, 2, 1, 2, 0, true, true));
      scopes.add(new Scope(3, 1, 1, 1, 1, true, true));
      scopes.add(new Scope(3, 2, 1, 2, 0, false, false));
      scopes.add(new Scope(4, 1, 1, 1, 0, false, true));
      scopes.add(new Scope(2, 1, 2, 1, 1, true, true, 2));
      scopes.add(new Scope(3, 1, 1, 2, 0, false, true, 1));
      scopes.add(new Scope(3, 1, 1, 1, 1, false, true, 2));
    }
    return scopes;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("scopes")
  void everyOrderOfEventsIsSafeAndEnds(Scope scope) {
    long started = System.nanoTime();
    Explorer.Result result = Explorer.explore(scope);
    assertThat(result.states()).as("states").isGreaterThan(1_000);
    ProofLog.note(
        "explorer",
        result.states(),
        "explorer, %s: %,d states (%,d steps), depth %d, %d s",
        scope,
        result.states(),
        result.steps(),
        result.depth(),
        (System.nanoTime() - started) / 1_000_000_000L);
  }
}
