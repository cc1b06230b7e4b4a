package org.pluribus.coherence.mutation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pluribus.coherence.sim.MutantProbe;
import org.pluribus.coherence.sim.ProofLog;

/**
 * The explorer finds every bug planted in the shipped controllers, and shows how it comes about.
 */
class MutationTest {
  static List<Mutant> mutants() {
    return Mutants.ALL;
  }

  static List<Mutant> mutantsOfDeltas() {
    return Mutants.OF_DELTAS;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mutants")
  void plantedBugIsFound(Mutant mutant) throws IOException, ReflectiveOperationException {
    mustBeFound(mutant, MutantLoader.probe(mutant, MutantProbe.class));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mutantsOfDeltas")
  void plantedBugOfDeltasIsFound(Mutant mutant) throws IOException, ReflectiveOperationException {
    mustBeFound(mutant, MutantLoader.probe(mutant, MutantProbe.OfDeltas.class));
  }

  private static void mustBeFound(Mutant mutant, String found) {
    assertThat(found).as("what the explorer says of %s", mutant).contains("after");
    ProofLog.note("mutant", 1, "explorer finds %s: %s", mutant, found.strip());
  }

  /** The probe is worth something only if it finds nothing where nothing is. */
  @Test
  void nothingIsFoundWithoutABug() throws IOException, ReflectiveOperationException {
    assertThat(
            MutantLoader.probe(
                Mutant.of("none", "CacheController", "used(long page) {", "used(long page) {"),
                MutantProbe.class))
        .isEmpty();
  }

  @Test
  void namesAreUnique() {
    assertThat(Stream.concat(Mutants.ALL.stream(), Mutants.OF_DELTAS.stream()))
        .extracting(Mutant::name)
        .doesNotHaveDuplicates()
        .hasSizeGreaterThan(20);
  }
}
