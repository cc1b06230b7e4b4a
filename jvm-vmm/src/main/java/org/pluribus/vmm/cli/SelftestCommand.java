package org.pluribus.vmm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.cli.selftest.FaultTable;
import org.pluribus.vmm.cli.selftest.Payload;
import org.pluribus.vmm.cli.selftest.PayloadImage;
import org.pluribus.vmm.cli.selftest.PayloadResult;
import org.pluribus.vmm.cli.selftest.Suite;
import org.pluribus.vmm.cli.selftest.SuiteReport;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code pluribus selftest}: bare-metal programs that check the machine from inside. */
@Command(
    name = "selftest",
    mixinStandardHelpOptions = true,
    description =
        "Runs small bare-metal programs (payloads) that use the machine hard on all CPUs and check "
            + "themselves: counters, locks, memory patterns, interrupts, memory order. Each has a "
            + "machine of its own. Exit code 0 only if none failed.")
final class SelftestCommand implements Callable<Integer> {
  /** What the payloads have room for (native/payloads/payload.h, MAX_CPUS). */
  private static final int MAX_CPUS = 64;

  /** Up to this many nodes get two CPUs each, so that memory order between four can be tested. */
  private static final int NODES_WITH_TWO_CPUS = 2;

  private static final int MAX_SCALE = 1_000_000;

  @Option(names = "--nodes", defaultValue = "2", description = "Nodes (default ${DEFAULT-VALUE}).")
  int nodes;

  @Option(
      names = "--cpus",
      description = "vCPUs, spread evenly (default: two a node up to two nodes, else one).")
  @Nullable Integer cpus;

  @Option(
      names = "--memory",
      defaultValue = "64M",
      paramLabel = "SIZE",
      description = "Guest RAM (default ${DEFAULT-VALUE}); the pattern payload goes through all.")
  String memory = "64M";

  @Option(
      names = "--vmi",
      defaultValue = "auto",
      description =
          "What runs the vCPUs: ${COMPLETION-CANDIDATES}; auto takes the emulator, mixed runs "
              + "nodes 0, 2, 4... under KVM and the others on the emulator.")
  Vmi vmi = Vmi.AUTO;

  @Option(
      names = "--transport",
      defaultValue = "auto",
      description =
          "What carries pages: ${COMPLETION-CANDIDATES}; auto takes Aeron UDP between processes; "
              + "loopback runs all nodes in one process.")
  RunCommand.TransportChoice transport = RunCommand.TransportChoice.AUTO;

  @Option(
      names = "--scale",
      defaultValue = "100",
      paramLabel = "PERCENT",
      description = "How much each payload does (default ${DEFAULT-VALUE}).")
  int scale;

  @Option(
      names = "--seed",
      defaultValue = "1",
      paramLabel = "N",
      description = "Of the payloads' random numbers (default ${DEFAULT-VALUE}).")
  long seed;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "NAME",
      description = "Runs only these of ${COMPLETION-CANDIDATES}.")
  @Nullable List<Payload> only;

  @Option(
      names = "--timeout",
      defaultValue = "300",
      paramLabel = "SECONDS",
      description = "How long each payload may take (default ${DEFAULT-VALUE}).")
  int timeoutSeconds;

  @Option(
      names = "--report",
      paramLabel = "FILE.json",
      description = "Writes what each payload and each node did.")
  @Nullable Path report;

  @Override
  public Integer call() throws Exception {
    List<Payload> chosen = only == null ? List.of(Payload.values()) : only;
    checkNumbers();
    RunCommand.checkReport(report);
    try (PayloadImage image = PayloadImage.unpack()) {
      Suite suite =
          new Suite(
              image,
              RunCommand.evenSpread(nodes, cpuCount(), vmi),
              memory,
              transport == RunCommand.TransportChoice.LOOPBACK
                  ? ClusterConfig.LOOPBACK
                  : ClusterConfig.AERON,
              scale,
              seed,
              timeoutSeconds);
      suite.config(chosen.getFirst()).check();
      return run(suite, chosen);
    }
  }

  private int cpuCount() {
    return cpus != null ? cpus : nodes <= NODES_WITH_TWO_CPUS ? 2 * nodes : nodes;
  }

  private void checkNumbers() throws ConfigException {
    if (nodes < 1) {
      throw new ConfigException("--nodes " + nodes + ": give at least 1");
    }
    if (cpuCount() < 1 || cpuCount() > MAX_CPUS) {
      throw new ConfigException("--cpus " + cpuCount() + ": give 1 to " + MAX_CPUS);
    }
    if (scale < 1 || scale > MAX_SCALE) {
      throw new ConfigException("--scale " + scale + ": give 1 to " + MAX_SCALE);
    }
    if (seed < 0) {
      throw new ConfigException("--seed " + seed + ": give 0 or more");
    }
    if (timeoutSeconds < 1) {
      throw new ConfigException("--timeout " + timeoutSeconds + ": give at least 1 second");
    }
  }

  private int run(Suite suite, List<Payload> chosen) throws Exception {
    List<PayloadResult> results = new ArrayList<>();
    for (Payload payload : chosen) {
      PayloadResult r = suite.run(payload);
      results.add(r);
      System.out.println(line(r));
    }
    SuiteReport all =
        new SuiteReport(
            results.getFirst().nodes().stream().map(n -> n.vmi()).toList(),
            suite.transport(),
            nodes,
            cpuCount(),
            scale,
            seed,
            results);
    System.out.printf("%n%s%n", FaultTable.of(results));
    System.out.printf(
        "increments: %d, page transfers: %d, none lost: %s%n",
        all.increments(), all.pageTransfers(), all.failed() == 0 ? "yes" : "no");
    System.out.printf("payloads: %d passed, %d failed%n", all.passed(), all.failed());
    if (report != null) {
      write(report, all);
    }
    return all.failed() == 0 ? 0 : 1;
  }

  private static String line(PayloadResult r) {
    return String.format(
        Locale.ROOT,
        "%-4s %-10s %s; %d page transfers, %.1f s",
        r.passed() ? "ok" : "FAIL",
        r.payload(),
        r.passed() ? r.countsInWords() : r.failure(),
        r.pageTransfers(),
        r.seconds());
  }

  private static void write(Path file, SuiteReport report) throws ConfigException {
    try {
      Files.write(file, report.toJson());
    } catch (IOException e) {
      throw new ConfigException("report " + file + " cannot be written: " + e.getMessage());
    }
  }
}
