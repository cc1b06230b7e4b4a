package org.pluribus.vmm.cli;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
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

  @Option(
      names = "--nodes",
      defaultValue = "2",
      paramLabel = "N",
      description = "Nodes (default ${DEFAULT-VALUE}).")
  int nodes;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description = "vCPUs, spread evenly (default: one per node).")
  @Nullable Integer cpus;

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

  /** What carries the pages. */
  enum TransportChoice {
    AUTO,
    AERON,
    LOOPBACK
  }

  @Option(
      names = "--vmi",
      defaultValue = "auto",
      paramLabel = "NAME",
      description =
          "What runs the vCPUs: emulator, kvm, or mixed, which runs nodes 0, 2, 4... under KVM and "
              + "the others on the emulator; auto (the default) takes the emulator.")
  Vmi vmi = Vmi.AUTO;

  @Option(
      names = "--transport",
      defaultValue = "auto",
      paramLabel = "NAME",
      description =
          "What carries pages: aeron (UDP between processes), loopback (all nodes in one process), "
              + "or auto, which takes aeron.")
  TransportChoice transport = TransportChoice.AUTO;

  @Option(names = "--report", paramLabel = "FILE.json", description = "Writes what each node did.")
  @Nullable Path report;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "Ends the run after this long, with exit code 124.")
  @Nullable Integer timeoutSeconds;

  @Override
  public Integer call() throws Exception {
    ClusterConfig config = config();
    try (LocalCluster cluster = new LocalCluster(config)) {
      RunReport result = cluster.run(timeoutSeconds, true);
      if (report != null) {
        write(report, result);
      }
      Outcome o = result.outcome();
      System.err.println("pluribus: " + o.reason());
      return o.exitCode();
    }
  }

  private ClusterConfig config() throws ConfigException, BadImageException, IOException {
    List<ClusterConfig.Node> list = nodesWith(spread(), vmi);
    if (timeoutSeconds != null && timeoutSeconds <= 0) {
      throw new ConfigException("--timeout " + timeoutSeconds + ": give a positive number");
    }
    ClusterConfig config =
        new ClusterConfig(
            VmKey.random().toHex(),
            memory,
            transport == TransportChoice.LOOPBACK ? "loopback" : "aeron",
            kernel.toString(),
            initrd == null ? null : initrd.toString(),
            append,
            list);
    config.check();
    checkMemory();
    checkReport(report);
    KernelImage.detect(kernel);
    return config;
  }

  /** vCPUs of each node, as the options say. */
  List<Integer> spread() throws ConfigException {
    if (nodes < 1) {
      throw new ConfigException("--nodes " + nodes + ": give at least 1");
    }
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
    return even(nodes, total);
  }

  private static List<Integer> even(int nodes, int cpus) {
    Integer[] each = new Integer[nodes];
    for (int i = 0; i < nodes; i++) {
      each[i] = cpus / nodes + (i < cpus % nodes ? 1 : 0);
    }
    return Arrays.asList(each);
  }

  /** Nodes of this host with so many vCPUs each. */
  private static List<ClusterConfig.Node> nodesWith(List<Integer> cpus, Vmi vmi) {
    List<ClusterConfig.Node> list = new ArrayList<>();
    for (int i = 0; i < cpus.size(); i++) {
      list.add(new ClusterConfig.Node(i, "127.0.0.1", 0, cpus.get(i), vmi.of(i)));
    }
    return list;
  }

  /** Nodes of this host that share the vCPUs evenly. */
  static List<ClusterConfig.Node> evenSpread(int nodes, int cpus, Vmi vmi) {
    return nodesWith(even(nodes, cpus), vmi);
  }

  /** All nodes are on this host, so the machine's memory is this host's. */
  private void checkMemory() throws ConfigException {
    long most =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    if (ClusterConfig.parseSize(memory) > most) {
      throw new ConfigException(
          "--memory " + memory + " is more than this host has; give at most " + (most >> 20) + "M");
    }
  }

  /** Found out now rather than when the machine has run. */
  static void checkReport(@Nullable Path report) throws ConfigException {
    if (report == null) {
      return;
    }
    Path folder = report.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new ConfigException("--report " + report + ": its folder does not exist; make it");
    }
    if (Files.isDirectory(report) || !Files.isWritable(Files.exists(report) ? report : folder)) {
      throw new ConfigException("--report " + report + " cannot be written; name another file");
    }
  }

  private static void write(Path file, RunReport report) throws ConfigException {
    try {
      Files.write(file, report.toJson());
    } catch (IOException e) {
      throw new ConfigException("report " + file + " cannot be written: " + e.getMessage());
    }
  }
}
