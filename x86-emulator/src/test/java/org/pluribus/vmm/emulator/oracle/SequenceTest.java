package org.pluribus.vmm.emulator.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.emulator.RegionCompiler;

/**
 * Short instruction sequences against the host CPU: run one by one, by interpreted blocks, and by
 * compiled blocks. What a single instruction cannot show: flags kept lazily from one instruction to
 * the next, registers across compiled code, forward jumps.
 *
 * <p>{@code -Dpluribus.seed=N} repeats a run, {@code -Dpluribus.sequences=N} sets its length.
 */
class SequenceTest {
  private static final long SEED = Long.getLong("pluribus.seed", 20_251_101L);
  private static final int SEQUENCES = Integer.getInteger("pluribus.sequences", 1_500);
  private static final int LONGEST = 10;
  private static final int SHOWN = 10;

  /** How often a block is interpreted before it is compiled, in the third way to run. */
  private static final int THRESHOLD = 1;

  /** Runs until every block of a sequence has been compiled and run so. */
  private static final int RUNS_TO_COMPILE = 4;

  private final MachineImage result = MachineImage.allocate();
  private final List<String> failures = new ArrayList<>();
  private int compared;

  @Test
  void sequencesAgreeWithTheHostCpuHoweverTheyAreRun() throws IOException {
    String why = OracleProcess.noHostCpu();
    assumeTrue(why == null, Objects.toString(why));
    SequenceGenerator generator = new SequenceGenerator(new Random(SEED));
    Random lengths = new Random(SEED);
    try (OracleProcess host = OracleProcess.hostCpu();
        EmulatedCpu interpreted = new EmulatedCpu();
        EmulatedCpu compiled = new EmulatedCpu();
        RegionCompiler compiler = RegionCompiler.immediate(THRESHOLD)) {
      compiled.compileWith(compiler);
      for (int done = 0; done < SEQUENCES; done += OracleProcess.ROOM) {
        List<SequenceGenerator.Sequence> batch = new ArrayList<>();
        for (int i = 0; i < OracleProcess.ROOM; i++) {
          batch.add(generator.draw(2 + lengths.nextInt(LONGEST), host.input(i)));
        }
        host.run(batch.size(), "sequences");
        for (int i = 0; i < batch.size(); i++) {
          if (host.result(i).vector() == MachineImage.NO_FAULT) {
            compare(batch.get(i), host.input(i), host.result(i), interpreted, compiled);
          }
        }
      }
      assertThat(compiler.lastFailure()).isNull();
      assertThat(compiler.regions()).as("regions compiled").isGreaterThan(SEQUENCES / 8);
    }
    assertThat(failures)
        .withFailMessage(
            () -> "-Dpluribus.seed=%d:\n%s".formatted(SEED, String.join("\n", failures)))
        .isEmpty();
    assertThat(compared).as("sequences without a fault").isGreaterThan(SEQUENCES / 4);
  }

  private void compare(
      SequenceGenerator.Sequence sequence,
      MachineImage in,
      MachineImage expected,
      EmulatedCpu interpreted,
      EmulatedCpu compiled) {
    compared++;
    interpreted.run(in, result);
    judge("one by one", sequence, in, expected);
    interpreted.loadCodeOf(in);
    interpreted.runFreely(in, result);
    judge("by blocks", sequence, in, expected);
    compiled.loadCodeOf(in);
    for (int i = 0; i < RUNS_TO_COMPILE; i++) {
      compiled.runFreely(in, result);
    }
    judge("compiled", sequence, in, expected);
  }

  private void judge(
      String way, SequenceGenerator.Sequence sequence, MachineImage in, MachineImage expected) {
    List<String> differences = Comparison.ofSequences(expected, result, sequence.undefinedFlags());
    if (!differences.isEmpty() && failures.size() < SHOWN) {
      failures.add(
          "%s, from RFLAGS %x:\n%s  %s\n"
              .formatted(way, in.rflags(), sequence, String.join("\n  ", differences)));
    }
  }
}
