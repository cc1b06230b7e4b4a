package org.pluribus.vmm.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.cli.selftest.FaultService;
import org.pluribus.vmm.cli.selftest.FaultTable;
import org.pluribus.vmm.cli.selftest.Payload;
import org.pluribus.vmm.cli.selftest.PayloadImage;
import org.pluribus.vmm.cli.selftest.PayloadResult;
import org.pluribus.vmm.cli.selftest.Suite;
import org.pluribus.vmm.cli.selftest.SuiteReport;
import org.pluribus.vmm.control.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pluribus selftest}: bare-metal programs that check the machine from inside. */
@Command(
    name = "selftest",
    mixinStandardHelpOptions = true,
    description =
        "Runs small bare-metal programs (payloads) that use the machine hard on all CPUs and check "
            + "themselves: counters, locks, memory patterns, interrupts, memory order. Each has a "
            + "machine of its own. Prints where the time of remote page faults went (guest exit to "
            + "event, protocol, transport, install, resume). Exit code 0 only if none failed.")
final class SelftestCommand implements Callable<Integer> {
  /** What the payloads have room for (native/payloads/payload.h, MAX_CPUS). */
  private static final int MAX_CPUS = 64;

  /** Up to this many nodes get two CPUs each, so that memory order between four can be tested. */
  private static final int NODES_WITH_TWO_CPUS = 2;

  private static final int MAX_SCALE = 1_000_000;

  @Mixin MachineOptions machine = new MachineOptions();

  @Option(
      names = "--memory",
      defaultValue = "64M",
      paramLabel = "SIZE",
      description = "Guest RAM (default ${DEFAULT-VALUE}); the pattern payload goes through all.")
  String memory = "64M";

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

  @Override
  public Integer call() throws Exception {
    List<Payload> chosen = only == null ? List.of(Payload.values()) : only;
    checkNumbers();
    new ReportFile(machine.report); // says now whether it can be written
    try (PayloadImage image = PayloadImage.unpack()) {
      // Nothing that is checked depends on what runs the vCPUs.
      MachineOptions.Link link = machine.link();
      suite(image, Vmi.EMULATOR, link).config(chosen.getFirst()).check();
      MachineOptions.checkMemory(memory);
      MachineOptions.Decision decision = machine.decide();
      if (decision.notice() != null) {
        System.err.println(decision.notice());
      }
      return run(suite(image, decision.vmi(), link), chosen, link.notice());
    }
  }

  private Suite suite(PayloadImage image, Vmi vmi, MachineOptions.Link link) {
    return new Suite(
            image,
            machine.nodesWith(MachineOptions.even(machine.nodes, cpuCount()), vmi, link.host()),
            memory,
            link.transport(),
            scale,
            seed,
            timeoutSeconds)
        .withDeltas(machine.deltas);
  }

  private int cpuCount() {
    int nodes = machine.nodes;
    Integer cpus = machine.cpus;
    return cpus != null ? cpus : nodes <= NODES_WITH_TWO_CPUS ? 2 * nodes : nodes;
  }

  private void checkNumbers() throws ConfigException {
    machine.checkNodes();
    if (cpuCount() < 1 || cpuCount() > MAX_CPUS) {
      String given = machine.cpus == null ? "--nodes " + machine.nodes : "--cpus " + machine.cpus;
      throw new ConfigException(given + ": the payloads have room for 1 to " + MAX_CPUS + " CPUs");
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

  /** Says the notice once a machine has run: where none can, that is the only line. */
  private int run(Suite suite, List<Payload> chosen, @Nullable String notice) throws Exception {
    List<PayloadResult> results = new ArrayList<>();
    for (Payload payload : chosen) {
      PayloadResult r = suite.run(payload);
      if (notice != null && results.isEmpty()) {
        System.err.println(notice);
      }
      results.add(r);
      System.out.println(line(r));
    }
    SuiteReport all =
        new SuiteReport(
            results.getFirst().nodes().stream().map(n -> n.vmi()).toList(),
            suite.transport(),
            machine.nodes,
            cpuCount(),
            scale,
            seed,
            results);
    System.out.printf("%n%s%n", FaultTable.of(results));
    FaultService service = all.faultService();
    if (service != null) {
      System.out.println(service.table());
    }
    System.out.printf(
        "increments: %d, page transfers: %d, none lost: %s%n",
        all.increments(), all.pageTransfers(), all.failed() == 0 ? "yes" : "no");
    System.out.printf("payloads: %d passed, %d failed%n", all.passed(), all.failed());
    new ReportFile(machine.report).write(all.toJson());
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
}
