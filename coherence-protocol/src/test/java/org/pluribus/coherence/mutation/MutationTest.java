package org.pluribus.coherence.mutation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pluribus.coherence.sim.ProofLog;

/**
 * The explorer finds every bug planted in the shipped controllers, and shows how it comes about.
 */
class MutationTest {
  static List<Mutant> mutants() {
    return Mutants.ALL;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mutants")
  void plantedBugIsFound(Mutant mutant) throws IOException, ReflectiveOperationException {
    String found = MutantLoader.probe(mutant);
    assertThat(found).as("what the explorer says of %s", mutant).contains("after");
    ProofLog.note("mutant", 1, "explorer finds %s: %s", mutant, found.strip());
  }

  /** The probe is worth something only if it finds nothing where nothing is. */
  @Test
  void nothingIsFoundWithoutABug() throws IOException, ReflectiveOperationException {
    assertThat(
            MutantLoader.probe(
                Mutant.of("none", "CacheController", "used(long page) {", "used(long page) {")))
        .isEmpty();
  }

  @Test
  void namesAreUnique() {
    assertThat(Mutants.ALL).extracting(Mutant::name).doesNotHaveDuplicates().hasSizeGreaterThan(20);
  }
}
