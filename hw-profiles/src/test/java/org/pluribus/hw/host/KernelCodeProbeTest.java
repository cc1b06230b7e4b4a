package org.pluribus.hw.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pluribus.hw.host.KernelCodeProbe.Verdict;
import org.pluribus.kvm.Kvm;

/** The probe of real KVM: a definite answer, the same every time, and nothing left behind. */
class KernelCodeProbeTest {
  private static final int TIMES = 5;
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  @BeforeEach
  void needsKvm() {
    Path device = Path.of(Kvm.DEVICE);
    boolean usable = Files.isReadable(device) && Files.isWritable(device);
    if (!usable) {
      System.err.println("SKIPPED: " + device + " cannot be used");
    }
    Assumptions.assumeTrue(usable, device + " cannot be used");
  }

  /**
   * The same code at CPL 3 is native under any KVM. So the probe's guest is right, its result is,
   * and the time it may take is enough: what the verdict on CPL 0 tells is the privilege.
   */
  @Test
  void userCodeIsNativeAndRight() {
    try (Kvm kvm = Kvm.open()) {
      Verdict verdict = KernelCodeProbe.run(kvm, ProbeGuest.Privilege.USER, KernelCodeProbe.ROUNDS);
      assertThat(verdict.isNative()).as(verdict.reason()).isTrue();
      assertThat(verdict.reason()).startsWith("20,000 instructions took ");
    }
  }

  @Test
  void kernelCodeGetsTheSameVerdictEveryTimeWithItsReason() throws IOException {
    Set<Boolean> verdicts = new HashSet<>();
    try (Kvm kvm = Kvm.open()) {
      for (int i = 0; i < TIMES; i++) {
        Verdict verdict = KernelCodeProbe.run(kvm);
        verdicts.add(verdict.isNative());
        assertThat(verdict.reason()).isNotBlank().doesNotContain("\n");
      }
    }
    assertThat(verdicts).hasSize(1);
    if (!processorHasVirtualisation()) {
      assertThat(verdicts).as("without VMX and SVM").containsExactly(false);
    }
  }

  /** What an instruction emulator that lacks nothing would look like: right, but always late. */
  @Test
  void rightResultsThatAreAlwaysLateAreNotNative() {
    try (Kvm kvm = Kvm.open()) {
      Verdict verdict = KernelCodeProbe.run(kvm, ProbeGuest.Privilege.USER, 3_000_000);
      assertThat(verdict.isNative()).as(verdict.reason()).isFalse();
      assertThat(verdict.reason())
          .matches("30,000,000 instructions (took at least [0-9.]+ ms|were not done in time)");
    }
  }

  /** Far more rounds than fit into the time: the vCPU is stopped in the midst of its loop. */
  @Test
  void aGuestThatDoesNotEndIsStopped() {
    try (Kvm kvm = Kvm.open()) {
      Verdict verdict = KernelCodeProbe.run(kvm, ProbeGuest.Privilege.USER, Integer.MAX_VALUE);
      assertThat(verdict.isNative()).isFalse();
      assertThat(verdict.reason()).isEqualTo("21,474,836,470 instructions were not done in time");
    }
  }

  @Test
  void leavesNoDescriptorOpen() throws IOException {
    KvmFitness.ofThisHost(); // opens what stays open for the life of the JVM
    List<String> before = machineDescriptors();
    for (int i = 0; i < TIMES; i++) {
      KvmFitness.ofThisHost();
    }
    assertThat(machineDescriptors()).isEqualTo(before);
  }

  @Test
  void fitnessFollowsTheVerdictAndSaysSo() {
    KvmFitness fitness = KvmFitness.ofThisHost();
    try (Kvm kvm = Kvm.open()) {
      assertThat(fitness.isFit()).isEqualTo(KernelCodeProbe.run(kvm).isNative());
    }
    assertThat(fitness.reason())
        .startsWith(
            fitness.isFit()
                ? "this host's KVM runs kernel code natively ("
                : "this host's KVM does not run kernel code natively (")
        .doesNotContain("\n");
  }

  @Test
  void aHostWithoutKvmIsNotFitAndIsToldWhy() {
    KvmFitness fitness = KvmFitness.of("/dev/kvm-that-is-not-there");
    assertThat(fitness.isFit()).isFalse();
    assertThat(fitness.reason())
        .startsWith("open(/dev/kvm-that-is-not-there) failed: ENOENT: no KVM here; ")
        .doesNotContain("\n");
  }

  private static boolean processorHasVirtualisation() throws IOException {
    return Files.readString(Path.of("/proc/cpuinfo"))
        .lines()
        .filter(line -> line.startsWith("flags"))
        .anyMatch(line -> line.contains(" vmx ") || line.contains(" svm "));
  }

  /** Open files of the kind that the probe opens; the JVM's own come and go. */
  private static List<String> machineDescriptors() throws IOException {
    try (Stream<Path> all = Files.list(DESCRIPTORS)) {
      return all.map(KernelCodeProbeTest::target)
          .filter(t -> t.contains("kvm") || t.contains("userfaultfd"))
          .sorted()
          .toList();
    }
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException e) {
      return "closed meanwhile";
    }
  }
}
