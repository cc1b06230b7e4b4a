package org.pluribus.perf;

import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.ListStatistics;
import org.openjdk.jmh.util.Statistics;

/**
 * Prints the guest's MIPS for each {@link GuestLoop}, interpreted and compiled by us, under the
 * JVM's quick compiler (C1, what nodes run with) and its optimising one (C2). Each figure comes
 * from a JVM of its own.
 */
public final class GuestMips {
  private static final int WARM_UP_ITERATIONS = 3;
  private static final int ITERATIONS = 5;
  private static final double MEDIAN = 50;

  private GuestMips() {}

  /** A compiler of the JVM, and the flag that makes it the last one used. */
  private enum JvmCompiler {
    C1("-XX:TieredStopAtLevel=1"),
    C2("-XX:TieredStopAtLevel=4");

    final String flag;

    JvmCompiler(String flag) {
      this.flag = flag;
    }
  }

  /**
   * @param args milliseconds of one measurement; each figure is the median of five
   */
  public static void main(String[] args) throws RunnerException {
    long millis = Long.parseLong(args[0]);
    System.out.printf("%-8s %-12s %-4s %8s   (min .. max)%n", "loop", "guest code", "JVM", "MIPS");
    for (GuestLoop loop : GuestLoop.values()) {
      for (String mode : GuestSpeed.MODES) {
        for (JvmCompiler compiler : JvmCompiler.values()) {
          Statistics s = measure(loop, mode, compiler, TimeValue.milliseconds(millis));
          System.out.printf(
              Locale.ROOT,
              "%-8s %-12s %-4s %8.1f   (%.1f .. %.1f)%n",
              loop.name().toLowerCase(Locale.ROOT),
              mode,
              compiler,
              s.getPercentile(MEDIAN),
              s.getMin(),
              s.getMax());
        }
      }
    }
  }

  private static Statistics measure(
      GuestLoop loop, String mode, JvmCompiler compiler, TimeValue time) throws RunnerException {
    Options options =
        new OptionsBuilder()
            .include(GuestSpeed.class.getName() + "\\.run")
            .param("loop", loop.name())
            .param("mode", mode)
            .forks(1)
            .jvmArgsAppend(compiler.flag)
            .warmupIterations(WARM_UP_ITERATIONS)
            .warmupTime(time)
            .measurementIterations(ITERATIONS)
            .measurementTime(time)
            .timeUnit(TimeUnit.MICROSECONDS)
            .verbosity(VerboseMode.SILENT)
            .shouldFailOnError(true)
            .build();
    ListStatistics mips = new ListStatistics();
    for (BenchmarkResult fork : new Runner(options).runSingle().getBenchmarkResults()) {
      for (IterationResult i : fork.getIterationResults()) {
        mips.addValue(counter(i, GuestSpeed.INSTRUCTIONS) / counter(i, GuestSpeed.CPU_MICROS));
      }
    }
    return mips;
  }

  private static double counter(IterationResult i, String name) {
    return Objects.requireNonNull(i.getSecondaryResults().get(name)).getScore();
  }
}
