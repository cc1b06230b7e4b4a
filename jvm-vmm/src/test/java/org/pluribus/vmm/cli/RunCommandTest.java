package org.pluribus.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pluribus.vmm.control.ConfigException;
import org.pluribus.vmm.control.Outcome;
import picocli.CommandLine;

/** How {@code run} spreads vCPUs over nodes; nothing is started. */
class RunCommandTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | 1 1",
        "--nodes 1 | 1",
        "--nodes 3 | 1 1 1",
        "--nodes 2 --cpus 4 | 2 2",
        "--nodes 3 --cpus 7 | 3 2 2",
        "--nodes 4 --cpus 2 | 1 1 0 0",
        "--nodes 2 --placement 3,1 | 3 1",
        "--nodes 3 --placement 2,0,1 | 2 0 1",
        "--nodes 2 --cpus 4 --placement 3,1 | 3 1",
        "--nodes 1 --placement 5 | 5",
      })
  void spreadsVcpus(String options, String expected) throws Exception {
    assertThat(parsed(options).spread())
        .isEqualTo(Arrays.stream(expected.split(" ")).map(Integer::valueOf).toList());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--nodes 0 | --nodes 0: give at least 1",
        "--nodes 2 --cpus 0 | --cpus 0: give at least 1",
        "--nodes 3 --placement 1,1 | names 2 nodes but there are 3",
        "--nodes 2 --placement 1,1,1 | names 3 nodes but there are 2",
        "--nodes 2 --cpus 3 --placement 3,1 | adds up to 4 CPUs but --cpus says 3",
        "--nodes 2 --cpus 0 --placement 2147483647,2147483647 | adds up to 4294967294 CPUs",
      })
  void refusesWhatDoesNotAddUp(String options, String expected) {
    RunCommand command = parsed(options);
    assertThatThrownBy(command::spread)
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(expected)
        .message()
        .doesNotContain("\n");
  }

  /** From the command line to the exit code: what only the whole of the checks finds. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--nodes 2 --placement 0,2 | node 0 has no CPU",
        "--nodes 2 --placement=1,-1 | node 1 has -1 CPUs",
        "--nodes 2 --placement 2147483647,2147483647 | 4294967294 CPUs are too many",
        "--nodes 2 --placement two,1 | two",
        "--nodes 2 --placement 1,,1 | placement",
        "--nodes 2 --placement | placement",
      })
  void refusesAPlacementInOneLine(String options, String expected) throws Exception {
    Path kernel = Files.createFile(folder.resolve("kernel"));
    List<String> arguments = new ArrayList<>(List.of("run", "--kernel", kernel.toString()));
    arguments.addAll(List.of(options.split(" ")));
    StringWriter errors = new StringWriter();
    CommandLine line = PluribusCli.commandLine().setErr(new PrintWriter(errors));
    assertThat(line.execute(arguments.toArray(String[]::new))).isEqualTo(Outcome.BAD_INPUT);
    assertThat(errors.toString().lines()).singleElement().asString().contains(expected);
  }

  @Test
  void theKernelIsLookedAtBeforeAnythingStarts() throws Exception {
    Path kernel = Files.createFile(folder.resolve("empty"));
    StringWriter errors = new StringWriter();
    CommandLine line = PluribusCli.commandLine().setErr(new PrintWriter(errors));
    String[] arguments = {"run", "--placement", "3,1", "--kernel", kernel.toString()};
    assertThat(line.execute(arguments)).isEqualTo(Outcome.BAD_INPUT);
    assertThat(errors.toString().lines()).singleElement().asString().contains("empty");
  }

  private static RunCommand parsed(String options) {
    RunCommand command = new RunCommand();
    List<String> arguments = new ArrayList<>(List.of("--kernel", "none"));
    if (!options.isEmpty()) {
      arguments.addAll(List.of(options.split(" ")));
    }
    new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .parseArgs(arguments.toArray(String[]::new));
    return command;
  }
}
