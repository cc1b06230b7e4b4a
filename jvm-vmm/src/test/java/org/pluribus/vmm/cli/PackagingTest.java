package org.pluribus.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.kvm.Kvm;
import org.pluribus.transport.udp.AeronSettings;
import org.pluribus.uffd.UserfaultFd;
import picocli.CommandLine;

/** The files that docs/cluster.md installs, against the program they are for. */
class PackagingTest {
  private static final Path ETC = Path.of("../packaging/etc");
  private static final Path UNIT = ETC.resolve("systemd/system/pluribus-node@.service");
  private static final String LAUNCHER = "/opt/pluribus/pluribus";
  private static final Path ANALYZER = Path.of("/usr/bin/systemd-analyze");

  @Test
  void theServiceStartsANodeWithOptionsThatItTakes() throws IOException {
    List<String> words = List.of(setting("ExecStart").replace("%i", "3").split(" "));
    assertThat(words.getFirst()).isEqualTo(LAUNCHER);
    CommandLine.ParseResult node =
        PluribusCli.commandLine()
            .parseArgs(words.subList(1, words.size()).toArray(String[]::new))
            .subcommand();
    assertThat(node.commandSpec().name()).isEqualTo("node");
    NodeCommand command = (NodeCommand) node.commandSpec().userObject();
    assertThat(command.id).isEqualTo(3);
    assertThat(command.config).isEqualTo(Path.of("/etc/pluribus/cluster.yaml"));
    assertThat(command.child).isFalse();
  }

  @Test
  void everyOptionOfTheServiceIsInTheHelp() throws IOException {
    StringWriter help = new StringWriter();
    PluribusCli.commandLine().setOut(new PrintWriter(help)).execute("node", "--help");
    assertThat(Stream.of(setting("ExecStart").split(" ")).filter(w -> w.startsWith("--")))
        .isNotEmpty()
        .allMatch(help.toString()::contains);
  }

  /** By systemd itself: keys, values, and that what it starts can be started. */
  @Test
  void systemdFindsNothingWrongWithTheService(@TempDir Path folder) throws Exception {
    assumeTrue(Files.isExecutable(ANALYZER), "no " + ANALYZER + ": this host is without systemd");
    Path unit = folder.resolve("pluribus-node@.service");
    String launcher = Path.of("../pluribus").toRealPath().toString();
    Files.writeString(unit, Files.readString(UNIT).replace(LAUNCHER, launcher));
    assertThat(complaints(unit)).isEmpty();
    Files.writeString(unit, Files.readString(unit).replace("LimitMEMLOCK", "LimitMEMLUCK"));
    assertThat(complaints(unit)).singleElement().asString().contains("LimitMEMLUCK");
  }

  private static List<String> complaints(Path unit) throws Exception {
    Process verify =
        new ProcessBuilder(ANALYZER.toString(), "verify", "--man=no", unit.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(verify.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    verify.waitFor();
    return said.lines().filter(l -> l.contains("pluribus-node")).toList();
  }

  @Test
  void theServicesUserIsInTheGroupsOfAllDevicesThatNodesOpen() throws IOException {
    String users = text("sysusers.d/pluribus.conf");
    String user = setting("User");
    assertThat(users).contains("\nu " + user + " ");
    Set<String> devices = new HashSet<>();
    for (String rule : text("udev/rules.d/60-pluribus.rules").lines().toList()) {
      Matcher m =
          Pattern.compile("KERNEL==\"(.+?)\", SUBSYSTEM==\".+?\", GROUP=\"(.+)\", MODE=\"0660\"")
              .matcher(rule);
      if (m.matches()) {
        devices.add(m.group(1));
        assertThat(users).contains("\ng " + m.group(2) + " -\n", "\nm " + user + " " + m.group(2));
      } else {
        assertThat(rule).matches("|#.*");
      }
    }
    assertThat(devices)
        .containsExactlyInAnyOrder(
            Path.of(Kvm.DEVICE).getFileName().toString(),
            Path.of(UserfaultFd.DEVICE).getFileName().toString(),
            "uverbs*",
            "rdma_cm");
  }

  @Test
  void socketBuffersMayBeAsLargeAsNodesAskFor() throws IOException {
    String sysctl = text("sysctl.d/60-pluribus.conf");
    int bytes = AeronSettings.of(List.of()).socketBufferBytes();
    assertThat(sysctl)
        .contains("\nnet.core.rmem_max = " + bytes + "\n", "\nnet.core.wmem_max = " + bytes + "\n");
  }

  @Test
  void theGuideNamesEachFileAndEachOfItsSettings() throws IOException {
    String guide = Files.readString(Path.of("../docs/cluster.md"));
    try (Stream<Path> files = Files.walk(ETC)) {
      assertThat(files.filter(Files::isRegularFile).map(f -> "/etc/" + ETC.relativize(f)))
          .hasSize(5)
          .allMatch(guide::contains);
    }
    assertThat(guide)
        .contains("LimitMEMLOCK", "memlock", "net.core.rmem_max", "/dev/userfaultfd", "4791");
  }

  private static String setting(String key) throws IOException {
    return Files.readString(UNIT)
        .lines()
        .filter(l -> l.startsWith(key + "="))
        .map(l -> l.substring(key.length() + 1))
        .findFirst()
        .orElseThrow();
  }

  private static String text(String file) throws IOException {
    return Files.readString(ETC.resolve(file));
  }
}
