package org.pluribus.hw.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a survey says of this host, and of others by what their kernels tell. */
class HostSurveyTest {
  @TempDir Path root;

  @Test
  void thisHostIsSurveyedInLinesAndCanRunAMachine() {
    HostSurvey survey = HostSurvey.ofThisHost();
    assertThat(survey.canRun()).isTrue();
    assertThat(survey.findings())
        .extracting(Finding::name)
        .contains(
            "system",
            "JDK",
            "emulator",
            "locked memory",
            "open files",
            "memory mappings",
            "memory",
            "CPUs",
            "TSC",
            "processor",
            "KVM",
            "kernel code",
            "userfaultfd",
            "RDMA");
    assertThat(survey.findings())
        .allSatisfy(f -> {
          assertThat(f.found()).isNotBlank().doesNotContain("\n");
          if (!f.isOk()) {
            assertThat(f.cure()).isNotBlank().doesNotContain("\n");
          }
        });
  }

  /** Against what other ways tell: the kernel's own file system is not quite one of files. */
  @Test
  void figuresOfThisHostAreRight() throws Exception {
    SystemSurvey survey = new SystemSurvey(new HostFiles(Path.of("/")));
    Process sysctl = new ProcessBuilder("cat", "/proc/sys/vm/max_map_count").start();
    String most = new String(sysctl.getInputStream().readAllBytes()).strip();
    assertThat(sysctl.waitFor()).isZero();
    assertThat(survey.mappings().found()).isEqualTo("limit " + most);
    String megahertz = survey.tsc().found().replaceAll(".*, ([0-9.]+) MHz", "$1");
    assertThat(Double.parseDouble(megahertz)).isBetween(100.0, 10_000.0);
    assertThat(survey.openFiles().found()).matches("limit ([0-9]+|unlimited)");
  }

  @Test
  void aHostWhoseEmulatorDoesNotRunCannotRunAnything() {
    Finding kvm = Finding.ok("KVM", "there");
    assertThat(new HostSurvey(List.of(kvm)).canRun()).isFalse();
    assertThat(new HostSurvey(List.of(kvm, Finding.lacks("emulator", "no", "none"))).canRun())
        .isFalse();
    assertThat(new HostSurvey(List.of(kvm, Finding.ok("emulator", "runs here"))).canRun()).isTrue();
  }

  @Test
  void onlyLinuxOnX86Will() {
    assertThat(SystemSurvey.system("Linux", "6.12", "amd64").isOk()).isTrue();
    assertThat(SystemSurvey.system("Linux", "6.12", "aarch64").cure())
        .isEqualTo("use Linux on x86-64");
    assertThat(SystemSurvey.system("Mac OS X", "15", "x86_64").isOk()).isFalse();
  }

  @Test
  void rdmaPortsAreListedWithTheirLinks() throws IOException {
    port("mlx5_0", "1", "4: ACTIVE", "InfiniBand", "100 Gb/sec (4X EDR)");
    port("mlx5_1", "1", "1: DOWN", "Ethernet", "40 Gb/sec (4X QDR)");
    assertThat(new RdmaSurvey(new HostFiles(root)).findings())
        .containsExactly(
            Finding.ok("RDMA", "mlx5_0 port 1: ACTIVE, InfiniBand, 100 Gb/sec (4X EDR)"),
            Finding.lacks(
                "RDMA",
                "mlx5_1 port 1: DOWN, Ethernet, 40 Gb/sec (4X QDR)",
                "bring its link up: cable, ip link set INTERFACE up, on InfiniBand a subnet manager"));
  }

  @Test
  void withoutRdmaDevicesOneLineSaysSo() {
    assertThat(new RdmaSurvey(new HostFiles(root)).findings())
        .singleElement()
        .satisfies(f -> assertThat(f.found()).isEqualTo("no device"))
        .satisfies(f -> assertThat(f.cure()).contains("modprobe rdma_rxe"));
  }

  @Test
  void processorsAreToldByTheirFlags() throws IOException {
    assertThat(processor("fpu vmx constant_tsc", "kvm_intel", "Y").found())
        .isEqualTo("Model X, VT-x, nested on");
    assertThat(processor("fpu svm hypervisor", "kvm_amd", "0").found())
        .isEqualTo("Model X (this host is a virtual machine), AMD-V, nested off");
    assertThat(processor("fpu svm", "other", "1").found())
        .isEqualTo("Model X, AMD-V, nested unknown (kvm_amd is not loaded)");
    Finding none = processor("fpu", "other", "1");
    assertThat(none.found()).isEqualTo("Model X, neither vmx nor svm");
    assertThat(none.cure()).contains("firmware");
  }

  private Finding processor(String flags, String module, String nested) throws IOException {
    Path fresh = Files.createTempDirectory(root, "host");
    write(fresh, "proc/cpuinfo", "model name\t: Model X\nflags\t\t: " + flags + "\n");
    write(fresh, "sys/module/" + module + "/parameters/nested", nested + "\n");
    return new KvmSurvey(new HostFiles(fresh)).processor();
  }

  @Test
  void limitsThatAreTooLowAreLacksWithTheirCure() throws IOException {
    write(
        root,
        "proc/self/limits",
        """
        Limit                     Soft Limit           Hard Limit           Units
        Max locked memory         8388608              8388608              bytes
        Max open files            256                  4096                 files
        """);
    write(root, "proc/self/status", "Name:\tjava\nCapEff:\t0000000000000000\n");
    write(root, "proc/sys/vm/max_map_count", "1000\n");
    write(root, "proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable:  1048576 kB\n");
    write(root, "proc/cpuinfo", "flags\t: fpu constant_tsc\n");
    SystemSurvey survey = new SystemSurvey(new HostFiles(root));
    assertThat(survey.lockedMemory().found()).isEqualTo("limit 8 MiB, RDMA pins guest RAM");
    assertThat(survey.lockedMemory().cure()).contains("memlock");
    assertThat(survey.openFiles().cure()).isEqualTo("ulimit -n 1024 or more");
    assertThat(survey.mappings().cure()).isEqualTo("sysctl vm.max_map_count=65530");
    assertThat(survey.memory().found()).isEqualTo("1024 MiB free");
    assertThat(survey.memory().cure()).startsWith("free 2048 MiB or more");
    assertThat(SystemSurvey.cores(1).isOk()).isFalse();
    assertThat(survey.tsc().found()).startsWith("constant rate, stops in deep sleep, ");
    assertThat(survey.tsc().isOk()).isFalse();
  }

  @Test
  void limitsThatSufficeAreNot() throws IOException {
    write(
        root,
        "proc/self/limits",
        """
        Max locked memory         unlimited            unlimited            bytes
        Max open files            1024                 4096                 files
        """);
    write(root, "proc/sys/vm/max_map_count", "65530\n");
    write(root, "proc/meminfo", "MemAvailable:  2097152 kB\n");
    write(root, "proc/cpuinfo", "flags\t: constant_tsc nonstop_tsc\n");
    SystemSurvey survey = new SystemSurvey(new HostFiles(root));
    assertThat(
            List.of(
                survey.lockedMemory(),
                survey.openFiles(),
                survey.mappings(),
                survey.memory(),
                SystemSurvey.cores(2),
                survey.tsc()))
        .allMatch(Finding::isOk);
  }

  /** Linux, capability.h: CAP_IPC_LOCK is bit 14. */
  @Test
  void whoMayLockMemoryIsNotBoundByTheLimit() throws IOException {
    write(root, "proc/self/status", "CapEff:\t0000000000004000\n");
    assertThat(new SystemSurvey(new HostFiles(root)).lockedMemory())
        .isEqualTo(Finding.ok("locked memory", "no limit (CAP_IPC_LOCK)"));
  }

  private void port(String device, String port, String state, String layer, String rate)
      throws IOException {
    String folder = "sys/class/infiniband/" + device + "/ports/" + port + "/";
    write(root, folder + "state", state + "\n");
    write(root, folder + "link_layer", layer + "\n");
    write(root, folder + "rate", rate + "\n");
  }

  private static void write(Path root, String file, String text) throws IOException {
    Path at = root.resolve(file);
    Files.createDirectories(at.getParent());
    Files.writeString(at, text);
  }
}
