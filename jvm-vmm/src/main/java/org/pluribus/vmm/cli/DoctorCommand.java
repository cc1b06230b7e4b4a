package org.pluribus.vmm.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.host.Finding;
import org.pluribus.hw.host.HostSurvey;
import org.pluribus.hw.host.KvmFitness;
import org.pluribus.transport.verbs.VerbsLibrary;
import org.pluribus.transport.verbs.VerbsUnavailableException;
import org.pluribus.vmm.emulator.CpuModel;
import org.pluribus.vmm.node.KvmCpuModel;
import org.pluribus.vmm.node.UnfitHostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code pluribus doctor}: what this host offers. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "Tells what this host offers to a machine's nodes: KVM (tried with a small guest), "
            + "userfaultfd, RDMA, limits, memory, clock; for each lack a cure. Exit code 0 if a "
            + "machine can run here in some way, else 1.")
final class DoctorCommand implements Callable<Integer> {
  private static final int NAME_WIDTH = 16;
  private static final int STATE_WIDTH = 6;

  @Spec private CommandSpec spec;

  /** Set by picocli. */
  @SuppressWarnings("NullAway.Init")
  DoctorCommand() {}

  @Override
  public Integer call() {
    HostSurvey survey = HostSurvey.ofThisHost();
    PrintWriter out = spec.commandLine().getOut();
    survey.findings().forEach(f -> out.println(line(f)));
    if (survey.canRun()) {
      out.println(line(rdmaLibrary()));
    }
    out.println();
    out.println(summary(survey));
    String model = cpuModel();
    if (model != null) {
      out.println("For the cluster file of a machine of hosts like this one: cpuModel: " + model);
    }
    out.flush();
    return exitCode(survey);
  }

  /** The host's processor as guests of its KVM should see it. */
  private static @Nullable String cpuModel() {
    try {
      CpuModel here = KvmCpuModel.here();
      return here == null ? null : here.text();
    } catch (UnfitHostException e) {
      return null; // a line above says why
    }
  }

  /** Whether this build and this host have what RDMA takes besides a device. */
  private static Finding rdmaLibrary() {
    String name = "RDMA library";
    try {
      VerbsLibrary.load();
      return new Finding(name, "libdisni loads; nodes use UDP all the same, so far", null);
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
