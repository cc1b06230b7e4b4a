package org.pluribus.hw.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.pluribus.kvm.Kvm;
import org.pluribus.kvm.KvmCap;
import org.pluribus.posix.PosixException;
import org.pluribus.uffd.UffdFeature;
import org.pluribus.uffd.UserfaultFd;

/** What nodes under KVM need: the processor, {@code /dev/kvm}, userfaultfd. */
final class KvmSurvey {
  private static final String KERNEL_CODE = "kernel code";
  private static final String EMULATOR_CURE =
      "run Linux on the emulator (--vmi auto does), or use a host whose processor has VT-x or AMD-V";

  private final HostFiles files;

  KvmSurvey(HostFiles files) {
    this.files = files;
  }

  List<Finding> findings() {
    List<Finding> all = new ArrayList<>();
    all.add(processor());
    all.addAll(kvm());
    all.add(userfaultfd());
    return all;
  }

  Finding processor() {
    Set<String> flags = files.cpuFlags();
    String name = files.value("proc/cpuinfo", "model name", "unknown processor");
    if (flags.contains("hypervisor")) {
      name += " (this host is a virtual machine)";
    }
    if (flags.contains("vmx")) {
      return Finding.ok("processor", name + ", VT-x, nested " + nested("kvm_intel"));
    }
    if (flags.contains("svm")) {
      return Finding.ok("processor", name + ", AMD-V, nested " + nested("kvm_amd"));
    }
    return Finding.lacks(
        "processor",
        name + ", neither vmx nor svm",
        "enable VT-x or AMD-V in the firmware, or nested virtualisation for this virtual machine");
  }

  /** Whether guests of this host could have KVM of their own. */
  private String nested(String module) {
    String parameter = files.line("sys/module/" + module + "/parameters/nested", "");
    return switch (parameter) {
      case "Y", "1" -> "on";
      case "N", "0" -> "off";
      default -> "unknown (" + module + " is not loaded)";
    };
  }

  private List<Finding> kvm() {
    try (Kvm kvm = Kvm.open()) {
      return List.of(device(kvm), kernelCode(kvm));
    } catch (PosixException e) {
      return List.of(
          Finding.refused("KVM", e),
          Finding.lacks(KERNEL_CODE, "not tried without KVM", EMULATOR_CURE));
    } catch (UnsupportedOperationException e) {
      return List.of(Finding.lacks("KVM", String.valueOf(e.getMessage()), "use a newer kernel"));
    }
  }

  private Finding device(Kvm kvm) {
    List<KvmCap> lacking = KvmFitness.lacking(kvm);
    if (!lacking.isEmpty()) {
      return Finding.lacks(
          "KVM", Kvm.DEVICE + " lacks " + KvmFitness.names(lacking), "use Linux 5.16 or newer");
    }
    Set<String> flags = files.cpuFlags();
    String kind = flags.contains("vmx") || flags.contains("svm") ? "hardware" : "software";
    List<String> modules =
        files.names("sys/module").stream().filter(m -> m.startsWith("kvm_")).toList();
    String by = modules.isEmpty() ? "" : " by " + String.join(", ", modules);
    return Finding.ok(
        "KVM",
        "%s, %s virtualisation%s, guest TSC %s"
            .formatted(
                Kvm.DEVICE, kind, by, kvm.has(KvmCap.TSC_CONTROL) ? "scalable" : "not scalable"));
  }

  private static Finding kernelCode(Kvm kvm) {
    try {
      KernelCodeProbe.Verdict verdict = KernelCodeProbe.run(kvm);
      return verdict.isNative()
          ? Finding.ok(KERNEL_CODE, "native: " + verdict.reason())
          : Finding.lacks(KERNEL_CODE, "not native: " + verdict.reason(), EMULATOR_CURE);
    } catch (PosixException e) {
      return Finding.refused(KERNEL_CODE, e);
    }
  }

  private Finding userfaultfd() {
    String sysctl = files.line("proc/sys/vm/unprivileged_userfaultfd", "absent");
    try {
      Set<UffdFeature> offered = UserfaultFd.offered();
      UserfaultFd.open(KvmFitness.FAULT_FEATURES).close();
      return Finding.ok(
          "userfaultfd",
          "allowed, %d of %d features, vm.unprivileged_userfaultfd %s"
              .formatted(offered.size(), UffdFeature.values().length, sysctl));
    } catch (PosixException e) {
      return Finding.refused("userfaultfd", e);
    } catch (UnsupportedOperationException e) {
      return Finding.lacks(
          "userfaultfd",
          String.valueOf(e.getMessage()),
          "use Linux 6.4 or newer (docs/cluster.md)");
    }
  }
}
