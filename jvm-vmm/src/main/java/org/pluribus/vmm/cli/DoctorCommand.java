package org.pluribus.vmm.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.host.Finding;
import org.pluribus.hw.host.HostSurvey;
import org.pluribus.hw.host.KvmFitness;
import org.pluribus.transport.verbs.VerbsLibrary;
import org.pluribus.transport.verbs.VerbsUnavailableException;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.ConfigException;
import org.pluribus.vmm.emulator.CpuFeature;
import org.pluribus.vmm.emulator.CpuModel;
import org.pluribus.vmm.node.KvmCpuModel;
import org.pluribus.vmm.node.KvmVm;
import org.pluribus.vmm.node.UnfitHostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pluribus doctor}: what this host offers. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "Tells what this host offers to a machine's nodes: KVM (tried with a small guest), "
            + "userfaultfd, RDMA, network, limits, memory, NUMA, clock; for each lack a cure. Exit "
            + "code 0 if a machine can run here in some way, else 1.")
final class DoctorCommand implements Callable<Integer> {
  private static final int NAME_WIDTH = 16;
  private static final int STATE_WIDTH = 6;
  private static final String SMALL_GUEST = "1G";

  @Spec private CommandSpec spec;

  @Option(
      names = "--config",
      paramLabel = "cluster.yaml",
      description = "A cluster file, to check what it asks of this host.")
  @Nullable Path config;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description =
          "Guest RAM of the machine to come, for the limits that go by it (default: what the "
              + "cluster file says, else "
              + SMALL_GUEST
              + ").")
  @Nullable String memory;

  /** Set by picocli. */
  @SuppressWarnings("NullAway.Init")
  DoctorCommand() {}

  @Override
  public Integer call() throws ConfigException {
    Path file = config;
    ClusterConfig cluster = file == null ? null : ClusterConfig.read(file);
    HostSurvey survey = HostSurvey.ofThisHost(guestBytes(memory, cluster));
    PrintWriter out = spec.commandLine().getOut();
    survey.findings().forEach(f -> out.println(line(f)));
    if (survey.canRun()) {
      out.println(line(rdmaLibrary()));
    }
    if (file != null && cluster != null) {
      ClusterFileCheck.findings(file, cluster, HostSurvey.rdmaAddresses())
          .forEach(f -> out.println(line(f)));
    }
    out.println();
    out.println(summary(survey));
    List<String> lines = clusterFileLines();
    if (!lines.isEmpty()) {
      out.println();
      out.println(
          "For the cluster file of a machine whose nodes are under KVM on hosts like this:");
      lines.forEach(out::println);
    }
    out.flush();
    return exitCode(survey);
  }

  /** Guest RAM, by the option if it is there, else by the cluster file. */
  static long guestBytes(@Nullable String option, @Nullable ClusterConfig cluster)
      throws ConfigException {
    String size = option;
    if (size == null) {
      size = cluster == null ? SMALL_GUEST : cluster.memory();
    }
    try {
      return ClusterConfig.parseSize(size);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("--memory: " + e.getMessage());
    }
  }

  /** What a guest of this host's KVM gets; none where there is no usable KVM, as said above. */
  private static List<String> clusterFileLines() {
    try {
      List<String> lines = new ArrayList<>();
      lines.add("tscHz: " + KvmVm.tscHzHere());
      lines.add(
          KvmVm.lackingHere().stream()
              .map(CpuFeature::flag)
              .sorted()
              .collect(Collectors.joining(", ", "withoutCpuFeatures: [", "]")));
      CpuModel model = KvmCpuModel.here();
      if (model != null) {
        lines.add("cpuModel: " + model.text());
      }
      return lines;
    } catch (UnfitHostException | UnsupportedOperationException e) {
      return List.of();
    }
  }

  /** Whether this build and this host have what RDMA takes besides a device. */
  private static Finding rdmaLibrary() {
    String name = "RDMA library";
    try {
      VerbsLibrary.load();
      return new Finding(name, "libdisni loads", null);
    } catch (VerbsUnavailableException e) {
      return new Finding(name, e.found(), e.cure());
    }
  }

  static int exitCode(HostSurvey survey) {
    return survey.canRun() ? 0 : 1;
  }

  static String line(Finding f) {
    String cure = f.cure();
    return pad(f.name(), NAME_WIDTH)
        + pad(f.isOk() ? "ok" : "lacks", STATE_WIDTH)
        + f.found()
        + (cure == null ? "" : "; cure: " + cure);
  }

  private static String summary(HostSurvey survey) {
    if (!survey.canRun()) {
      return "No machine can run here.";
    }
    return KvmFitness.ofThisHost().isFit()
        ? "Linux runs under KVM here; --vmi auto takes it."
        : "Linux runs on the emulator here; --vmi auto takes it.";
  }

  private static String pad(String s, int width) {
    return s + " ".repeat(Math.max(1, width - s.length()));
  }
}
