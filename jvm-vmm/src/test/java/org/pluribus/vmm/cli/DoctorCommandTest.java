package org.pluribus.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pluribus.hw.host.Finding;
import org.pluribus.hw.host.HostSurvey;
import org.pluribus.transport.verbs.VerbsLibrary;

/** What {@code doctor} prints, and what it ends with. */
class DoctorCommandTest {
  @Test
  void aLineForEachThingAndCuresForLacks() {
    StringWriter out = new StringWriter();
    int code = PluribusCli.commandLine().setOut(new PrintWriter(out)).execute("doctor");
    assertThat(code).isZero();
    List<String> lines = out.toString().lines().toList();
    assertThat(lines.getLast()).startsWith("Linux runs ").contains("--vmi auto");
    List<String> table = lines.subList(0, lines.indexOf(""));
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
