package org.pluribus.vmm.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.VmKey;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.ConfigException;
import org.pluribus.vmm.control.LocalCluster;
import org.pluribus.vmm.control.Outcome;
import org.pluribus.vmm.control.RunReport;
import org.pluribus.vmm.loader.BadImageException;
import org.pluribus.vmm.loader.KernelImage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pluribus run}: one machine over several nodes of this host. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description =
        "Runs one virtual machine over several nodes of this host, each a process of its own. "
            + "The guest's serial console is on standard input and output.")
final class RunCommand implements Callable<Integer> {
  /** Kernel command line when {@code --append} is not given. */
  static final String DEFAULT_APPEND = "console=ttyS0 panic=-1";

  @Mixin MachineOptions machine = new MachineOptions();
  @Mixin HotPagesFile hotPages = new HotPagesFile();

  @Option(
      names = "--placement",
      split = ",",
      paramLabel = "N",
      description = "vCPUs of each node instead of an even spread: 3,1 for two nodes.")
  @Nullable List<Integer> placement;

  @Option(
      names = "--memory",
      defaultValue = "512M",
      paramLabel = "SIZE",
      description = "Guest RAM of the whole machine (default ${DEFAULT-VALUE}).")
  String memory = "512M";

  @Option(
      names = "--kernel",
      required = true,
      paramLabel = "FILE",
      description = "bzImage, PVH ELF or Multiboot kernel.")
  Path kernel = Path.of("");

  @Option(names = "--initrd", paramLabel = "FILE", description = "Initial RAM disk.")
  @Nullable Path initrd;

  @Option(
      names = "--append",
      paramLabel = "STRING",
      description = "Kernel command line (default: " + DEFAULT_APPEND + ").")
  String append = DEFAULT_APPEND;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "Ends the run after this long, with exit code 124.")
  @Nullable Integer timeoutSeconds;

  @Override
  public Integer call() throws Exception {
    ReportFile report = new ReportFile(machine.report);
    hotPages.check();
    MachineOptions.Link link = machine.link();
    check(link);
    MachineOptions.Decision decision = machine.decide();
    try (LocalCluster cluster = new LocalCluster(config(decision.vmi(), link))) {
      List<String> notices =
          Stream.of(decision.notice(), link.notice()).filter(Objects::nonNull).toList();
      cluster.onStart(() -> notices.forEach(System.err::println));
      RunReport result = cluster.run(timeoutSeconds, true);
      report.write(result.toJson());
      hotPages.write(result.nodes());
      Outcome o = result.outcome();
      System.err.println("pluribus: " + o.reason());
      return o.exitCode();
    }
  }

  private void check(MachineOptions.Link link)
      throws ConfigException, BadImageException, IOException {
    // Nothing that is checked depends on what runs the vCPUs.
    ClusterConfig config = config(Vmi.EMULATOR, link);
    if (timeoutSeconds != null && timeoutSeconds <= 0) {
      throw new ConfigException("--timeout " + timeoutSeconds + ": give a positive number");
    }
    config.check();
    MachineOptions.checkMemory(memory);
    KernelImage.detect(kernel);
  }

  private ClusterConfig config(Vmi vmi, MachineOptions.Link link) throws ConfigException {
    ClusterConfig config =
        new ClusterConfig(
            VmKey.random().toHex(),
            memory,
            link.transport(),
            kernel.toString(),
            initrd == null ? null : initrd.toString(),
            append,
            machine.nodesWith(spread(), vmi, link.host()));
    return config.withDeltas(machine.deltas);
  }

  /** vCPUs of each node, as the options say. */
  List<Integer> spread() throws ConfigException {
    machine.checkNodes();
    int nodes = machine.nodes;
    Integer cpus = machine.cpus;
    if (placement != null) {
      if (placement.size() != nodes) {
        throw new ConfigException(
            "--placement names "
                + placement.size()
                + " nodes but there are "
                + nodes
                + "; give one number for each");
      }
      long sum = placement.stream().mapToLong(Integer::intValue).sum();
      if (cpus != null && cpus != sum) {
        throw new ConfigException(
            "--placement adds up to " + sum + " CPUs but --cpus says " + cpus + "; leave one out");
      }
      return placement;
    }
    int total = cpus == null ? nodes : cpus;
    if (total < 1) {
      throw new ConfigException("--cpus " + total + ": give at least 1");
    }
    return MachineOptions.even(nodes, total);
  }
}
