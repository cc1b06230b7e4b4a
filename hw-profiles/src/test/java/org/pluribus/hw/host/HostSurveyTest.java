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
  private static final long GUEST_BYTES = 1L << 30;

  @TempDir Path root;

  @Test
  void thisHostIsSurveyedInLinesAndCanRunAMachine() {
    HostSurvey survey = HostSurvey.ofThisHost(GUEST_BYTES);
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
            "clock source",
            "huge pages",
            "NUMA",
            "network",
            "socket buffers",
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
    SystemSurvey survey = new SystemSurvey(new HostFiles(Path.of("/")), GUEST_BYTES);
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
    HostTree.write(fresh, "proc/cpuinfo", "model name\t: Model X\nflags\t\t: " + flags + "\n");
    HostTree.write(fresh, "sys/module/" + module + "/parameters/nested", nested + "\n");
    return new KvmSurvey(new HostFiles(fresh)).processor();
  }

  @Test
  void limitsThatAreTooLowAreLacksWithTheirCure() throws IOException {
    HostTree.write(
        root,
        "proc/self/limits",
        """
        Limit                     Soft Limit           Hard Limit           Units
        Max locked memory         8388608              8388608              bytes
        Max open files            256                  4096                 files
        """);
    HostTree.write(root, "proc/self/status", "Name:\tjava\nCapEff:\t0000000000000000\n");
    HostTree.write(root, "proc/sys/vm/max_map_count", "1000\n");
    HostTree.write(root, "proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable:  1048576 kB\n");
    HostTree.write(root, "proc/cpuinfo", "flags\t: fpu constant_tsc\n");
    SystemSurvey survey = new SystemSurvey(new HostFiles(root), GUEST_BYTES);
    assertThat(survey.lockedMemory().found())
        .isEqualTo("limit 8 MiB, RDMA pins all of guest RAM on each node: 1024 MiB");
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
    HostTree.write(
        root,
        "proc/self/limits",
        """
        Max locked memory         unlimited            unlimited            bytes
        Max open files            1024                 4096                 files
        """);
    HostTree.write(root, "proc/sys/vm/max_map_count", "65530\n");
    HostTree.write(root, "proc/meminfo", "MemAvailable:  2097152 kB\n");
    HostTree.write(root, "proc/cpuinfo", "flags\t: constant_tsc nonstop_tsc\n");
    SystemSurvey survey = new SystemSurvey(new HostFiles(root), GUEST_BYTES);
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

  @Test
  void limitsGoByTheGuestsMemory() throws IOException {
    HostTree.write(root, "proc/self/limits", "Max locked memory  4294967296  4294967296  bytes\n");
    HostTree.write(root, "proc/meminfo", "MemAvailable:  5242880 kB\n");
    HostFiles files = new HostFiles(root);
    SystemSurvey fits = new SystemSurvey(files, 4L << 30);
    assertThat(fits.lockedMemory().isOk()).isTrue();
    assertThat(fits.memory().isOk()).isTrue();
    SystemSurvey more = new SystemSurvey(files, (4L << 30) + 4096);
    assertThat(more.lockedMemory().isOk()).isFalse();
    assertThat(more.memory().isOk()).isFalse();
  }

  @Test
  void clocksThatLinuxFellBackOnAreLacks() throws IOException {
    assertThat(clock("tsc")).isEqualTo(Finding.ok("clock source", "tsc"));
    assertThat(clock("kvm-clock").isOk()).isTrue();
    assertThat(clock("hpet").found())
        .isEqualTo("hpet, which is slow; Linux does not trust this host's TSC");
    assertThat(clock("acpi_pm").cure()).contains("dmesg");
  }

  private Finding clock(String name) throws IOException {
    HostTree.write(
        root, "sys/devices/system/clocksource/clocksource0/current_clocksource", name + "\n");
    return new SystemSurvey(new HostFiles(root), GUEST_BYTES).clockSource();
  }

  @Test
  void hugePagesOfSharedMemoryAreALackOnlyWhereTheyComeUnasked() throws IOException {
    assertThat(huge("always within_size advise [never] deny force"))
        .isEqualTo(Finding.ok("huge pages", "of shared memory: never"));
    assertThat(huge("always within_size [advise] never deny force").isOk()).isTrue();
    assertThat(huge("[always] within_size advise never deny force").cure())
        .isEqualTo("echo never > /sys/kernel/mm/transparent_hugepage/shmem_enabled");
    assertThat(huge("always [within_size] advise never deny force").isOk()).isFalse();
  }

  private Finding huge(String modes) throws IOException {
    HostTree.write(root, "sys/kernel/mm/transparent_hugepage/shmem_enabled", modes + "\n");
    return new SystemSurvey(new HostFiles(root), GUEST_BYTES).sharedHugePages();
  }

  /** Linux, capability.h: CAP_IPC_LOCK is bit 14. */
  @Test
  void whoMayLockMemoryIsNotBoundByTheLimit() throws IOException {
    HostTree.write(root, "proc/self/status", "CapEff:\t0000000000004000\n");
    assertThat(new SystemSurvey(new HostFiles(root), GUEST_BYTES).lockedMemory())
        .isEqualTo(Finding.ok("locked memory", "no limit (CAP_IPC_LOCK)"));
  }
}
