package org.pluribus.vmm.cli;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.cli.litmus.LitmusCase;
import org.pluribus.vmm.cli.litmus.LitmusCatalogue;
import org.pluribus.vmm.cli.litmus.LitmusProgram;
import org.pluribus.vmm.cli.litmus.LitmusReport;
import org.pluribus.vmm.cli.litmus.LitmusTest;
import org.pluribus.vmm.cli.selftest.Payload;
import org.pluribus.vmm.cli.selftest.PayloadImage;
import org.pluribus.vmm.cli.selftest.PayloadResult;
import org.pluribus.vmm.cli.selftest.Suite;
import org.pluribus.vmm.cli.selftest.SuiteReport;
import org.pluribus.vmm.control.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pluribus litmus}: whether guests see memory as x86 promises it. */
@Command(
    name = "litmus",
    mixinStandardHelpOptions = true,
    description =
        "Runs litmus tests of memory order inside a guest, their CPUs on different nodes, variables "
            + "on one page and on several, and judges every outcome by x86-TSO. Prints a line for "
            + "each test: iterations, outcomes that came of those that may, how many of them only "
            + "store buffers explain (weak), and forbidden ones. Exit code 0 only if none of these "
            + "came.")
final class LitmusCommand implements Callable<Integer> {
  /** What the payload has room for (native/payloads/payload.h, MAX_CPUS). */
  private static final int MAX_CPUS = 64;

  private static final int MAX_ITERATIONS = 1_000_000_000;

  /** Room for the program, all variables and outcomes, for any number of nodes. */
  private static final String MEMORY = "64M";

  /** The payload's amounts are in its program. */
  private static final int SCALE = 100;

  @Mixin MachineOptions machine = new MachineOptions();

  @Option(
      names = "--iterations",
      defaultValue = "20000",
      paramLabel = "N",
      description =
          "How often each test runs with each layout of its variables (default ${DEFAULT-VALUE}), "
              + "rounded up to whole batches.")
  int iterations;

  @Option(
      names = "--tests",
      split = ",",
      paramLabel = "NAME",
      description = "Runs only these, such as SB,MP,IRIW+mfences (default: all).")
  @Nullable List<String> names;

  @Option(
      names = "--seed",
      defaultValue = "1",
      paramLabel = "N",
      description = "Of orders, delays and first owners of pages (default ${DEFAULT-VALUE}).")
  long seed;

  @Option(
      names = "--timeout",
      defaultValue = "3600",
      paramLabel = "SECONDS",
      description = "How long all tests may take (default ${DEFAULT-VALUE}).")
  int timeoutSeconds;

  @Override
  public Integer call() throws Exception {
    List<LitmusTest> tests = tests();
    checkNumbers(tests);
    new ReportFile(machine.report); // says now whether it can be written
    LitmusProgram program = new LitmusProgram(LitmusCase.of(tests, cpuCount(tests)), iterations);
    try (PayloadImage image = PayloadImage.unpack()) {
      MachineOptions.Link link = machine.link();
      // Nothing that is checked depends on what runs the vCPUs.
      suite(image, Vmi.EMULATOR, link, program).config(Payload.LITMUS).check();
      MachineOptions.Decision decision = machine.decide();
      say(decision.notice());
      return run(suite(image, decision.vmi(), link, program), link.notice());
    }
  }

  private List<LitmusTest> tests() throws ConfigException {
    try {
      return names == null ? LitmusCatalogue.all() : LitmusCatalogue.named(names);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("--tests: " + e.getMessage());
    }
  }

  /** As many as the largest test takes, and at least one per node. */
  private int cpuCount(List<LitmusTest> tests) {
    Integer cpus = machine.cpus;
    return cpus != null ? cpus : Math.max(machine.nodes, mostCpus(tests));
  }

  private static int mostCpus(List<LitmusTest> tests) {
    return tests.stream().mapToInt(t -> t.cpus().size()).max().orElse(1);
  }

  private void checkNumbers(List<LitmusTest> tests) throws ConfigException {
    machine.checkNodes();
    if (cpuCount(tests) > MAX_CPUS) {
      String given = machine.cpus == null ? "--nodes " + machine.nodes : "--cpus " + machine.cpus;
      throw new ConfigException(given + ": the tests have room for " + MAX_CPUS + " CPUs");
    }
    if (cpuCount(tests) < mostCpus(tests)) {
      throw new ConfigException(
          "--cpus %d: these tests take %d; give as many, or fewer --tests"
              .formatted(cpuCount(tests), mostCpus(tests)));
    }
    if (iterations < 1 || iterations > MAX_ITERATIONS) {
      throw new ConfigException("--iterations " + iterations + ": give 1 to " + MAX_ITERATIONS);
    }
    if (seed < 0) {
      throw new ConfigException("--seed " + seed + ": give 0 or more");
    }
    if (timeoutSeconds < 1) {
      throw new ConfigException("--timeout " + timeoutSeconds + ": give at least 1 second");
    }
  }

  private Suite suite(
      PayloadImage image, Vmi vmi, MachineOptions.Link link, LitmusProgram program) {
    int cpus = cpuCount(program.cases().stream().map(LitmusCase::test).toList());
    return new Suite(
        image,
        machine.nodesWith(MachineOptions.even(machine.nodes, cpus), vmi, link.host()),
        MEMORY,
        link.transport(),
        SCALE,
        seed,
        timeoutSeconds,
        program,
        machine.deltas);
  }

  /** Says the notice once a machine has run: where none can, that is the only line. */
  private int run(Suite suite, @Nullable String notice) throws Exception {
    PayloadResult result = suite.run(Payload.LITMUS);
    say(notice);
    int cpus = suite.nodes().stream().mapToInt(n -> n.cpus()).sum();
    System.out.printf(
        "litmus: %d CPUs on %d nodes (%s), %s%n",
        cpus, machine.nodes, String.join(", ", kinds(result)), suite.transport());
    LitmusReport report = result.litmus();
    if (report != null) {
      System.out.print(report.table());
      System.out.printf(
          Locale.ROOT,
          "litmus: %s: %d iterations, %d weak outcomes, %d forbidden; %d page transfers, %.1f s%n",
          result.passed() ? "passed" : "FAILED",
          report.iterations(),
          report.weak(),
          report.forbidden(),
          result.pageTransfers(),
          result.seconds());
    }
    if (!result.passed()) {
      System.err.println("pluribus: litmus: " + result.failure());
    }
    new ReportFile(machine.report)
        .write(
            new SuiteReport(
                    kinds(result),
                    suite.transport(),
                    machine.nodes,
                    cpus,
                    SCALE,
                    seed,
                    List.of(result))
                .toJson());
    return result.passed() ? 0 : 1;
  }

  private static List<String> kinds(PayloadResult result) {
    return result.nodes().stream().map(n -> n.vmi()).toList();
  }

  private static void say(@Nullable String notice) {
    if (notice != null) {
      System.err.println(notice);
    }
  }
}
