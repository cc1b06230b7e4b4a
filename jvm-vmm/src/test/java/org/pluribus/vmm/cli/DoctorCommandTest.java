package org.pluribus.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.hw.host.Finding;
import org.pluribus.hw.host.HostSurvey;
import org.pluribus.transport.verbs.VerbsLibrary;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.node.KvmVm;

/** What {@code doctor} prints, and what it ends with. */
class DoctorCommandTest {
  @Test
  void aLineForEachThingAndCuresForLacks() {
    StringWriter out = new StringWriter();
    int code = PluribusCli.commandLine().setOut(new PrintWriter(out)).execute("doctor");
    assertThat(code).isZero();
    List<String> lines = out.toString().lines().toList();
    List<String> table = lines.subList(0, lines.indexOf(""));
    List<String> rest = lines.subList(table.size() + 1, lines.size());
    assertThat(rest.getFirst()).startsWith("Linux runs ").contains("--vmi auto");
    boolean kvm = table.stream().anyMatch(l -> l.startsWith("KVM             ok "));
    assertThat(rest.stream().map(l -> l.replaceFirst(":.*", "")))
        .filteredOn(l -> !l.contains(" ") && !l.equals("cpuModel"))
        .containsExactlyElementsOf(kvm ? List.of("", "tscHz", "withoutCpuFeatures") : List.of());
    assertThat(table).hasSizeGreaterThan(10).allMatch(l -> l.matches(".{15} (ok    |lacks ).+"));
    assertThat(table)
        .allSatisfy(l -> assertThat(l.contains("; cure: ")).isEqualTo(l.startsWith("lacks", 16)));
    boolean built = VerbsLibrary.class.getResource("libdisni.so") != null;
    assertThat(table)
        .filteredOn(l -> l.startsWith("RDMA library"))
        .singleElement()
        .asString()
        .startsWith(
            "RDMA library    "
                + (built
                    ? "ok    libdisni loads"
                    : "lacks libdisni.so is not built; cure: apt-get install libibverbs-dev"));
  }

  /** What doctor prints for it must do as a part of a cluster file. */
  @Test
  void linesForTheClusterFileAreOnesThatItTakes(@TempDir Path folder) throws Exception {
    StringWriter out = new StringWriter();
    PluribusCli.commandLine().setOut(new PrintWriter(out)).execute("doctor");
    List<String> given =
        out.toString().lines().filter(l -> l.matches("(tscHz|withoutCpu|cpuModel).*")).toList();
    Path file = folder.resolve("cluster.yaml");
    Files.writeString(
        file,
        """
        key: %s
        memory: 64M
        transport: aeron
        kernel: /boot/vmlinuz
        nodes:
          - { id: 0, host: 10.0.0.1, port: 24100, cpus: 1, vmi: kvm }
        %s
        """
            .formatted("ab".repeat(32), String.join("\n", given)));
    ClusterConfig config = ClusterConfig.read(file);
    assertThat(config.withoutFeatures())
        .isEqualTo(given.isEmpty() ? Set.of() : KvmVm.lackingHere());
    assertThat(config.tscHz()).isEqualTo(given.isEmpty() ? null : (Long) KvmVm.tscHzHere());
  }

  @Test
  void limitsGoByTheMemoryOfTheMachineToCome() {
    StringWriter out = new StringWriter();
    int code =
        PluribusCli.commandLine()
            .setOut(new PrintWriter(out))
            .execute("doctor", "--memory", "1000T");
    assertThat(code).isZero();
    assertThat(out.toString().lines())
        .filteredOn(l -> l.startsWith("memory  "))
        .singleElement()
        .asString()
        .startsWith("memory          lacks ")
        .contains("; cure: free " + ((1000L << 20) + 1024) + " MiB or more");
  }

  @Test
  void memoryThatIsNoneIsRefused() {
    StringWriter err = new StringWriter();
    int code =
        PluribusCli.commandLine()
            .setErr(new PrintWriter(err))
            .execute("doctor", "--memory", "much");
    assertThat(code).isEqualTo(2);
    assertThat(err.toString()).contains("--memory: ").contains("much");
  }

  @Test
  void linesLineUp() {
    assertThat(DoctorCommand.line(new Finding("CPUs", "2", null)))
        .isEqualTo("CPUs            ok    2");
    assertThat(DoctorCommand.line(new Finding("RDMA", "no device", "buy one")))
        .isEqualTo("RDMA            lacks no device; cure: buy one");
  }

  @Test
  void aHostOnWhichNothingRunsIsAFailure() {
    Finding system = new Finding("system", "Mac OS X", "use Linux on x86-64");
    assertThat(DoctorCommand.exitCode(new HostSurvey(List.of(system)))).isEqualTo(1);
  }
}
