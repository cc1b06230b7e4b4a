package org.pluribus.vmm.cli.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MemoryModelTest {
  static Stream<LitmusTest> catalogue() {
    return LitmusCatalogue.all().stream();
  }

  private static boolean allows(MemoryModel model, LitmusTest test) {
    return model.outcomes(test).stream().anyMatch(test.witness()::matches);
  }

  private static Set<String> outcomes(MemoryModel model, String line) {
    LitmusTest test = LitmusParser.parse(line);
    return model.outcomes(test).stream().map(test::describe).collect(Collectors.toSet());
  }

  /** The two were written down independently: one in papers, one as a machine. */
  @ParameterizedTest
  @MethodSource("catalogue")
  void comesToThePublishedVerdict(LitmusTest test) {
    assertThat(allows(MemoryModel.X86_TSO, test)).as(test.name()).isEqualTo(test.allowed());
  }

  /** All relaxations in question are store buffers'. */
  @ParameterizedTest
  @MethodSource("catalogue")
  void sequentialConsistencyAllowsNoWitness(LitmusTest test) {
    assertThat(allows(MemoryModel.SEQUENTIAL_CONSISTENCY, test)).as(test.name()).isFalse();
  }

  @ParameterizedTest
  @MethodSource("catalogue")
  void storeBuffersOnlyAddOutcomes(LitmusTest test) {
    assertThat(MemoryModel.X86_TSO.outcomes(test))
        .as(test.name())
        .containsAll(MemoryModel.SEQUENTIAL_CONSISTENCY.outcomes(test));
  }

  @Test
  void knowsEveryOutcomeOfTwoCpus() {
    String sb = "SB : x=1; a=y || y=1; b=x => a=0 b=0 : allowed";
    assertThat(outcomes(MemoryModel.SEQUENTIAL_CONSISTENCY, sb))
        .containsExactlyInAnyOrder("a=0 b=1 x=1 y=1", "a=1 b=0 x=1 y=1", "a=1 b=1 x=1 y=1");
    assertThat(outcomes(MemoryModel.X86_TSO, sb)).hasSize(4).contains("a=0 b=0 x=1 y=1");
  }

  @Test
  void lockedInstructionsSeeAndLeaveWhatTheyShould() {
    assertThat(
            outcomes(
                MemoryModel.X86_TSO,
                "t : x=5; a=xadd(x,2); b=cas(x,7,9); c=cas(x,7,3); d=xchg(x,4) => a=0 : forbidden"))
        .containsExactly("a=5 b=7 c=9 d=9 x=4");
  }

  @Test
  void aCpuSeesItsOwnYoungestStore() {
    assertThat(outcomes(MemoryModel.X86_TSO, "t : x=1; x=2; a=x => a=1 : forbidden"))
        .containsExactly("a=2 x=2");
  }
}
