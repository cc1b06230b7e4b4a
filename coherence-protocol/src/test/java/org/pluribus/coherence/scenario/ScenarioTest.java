package org.pluribus.coherence.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pluribus.coherence.sim.ProtocolCells;
import org.pluribus.coherence.sim.ProtocolCells.Cell;
import org.pluribus.coherence.sim.ProtocolTable;

/**
 * Runs every file of {@code src/test/resources/scenarios} and compares.
 *
 * <p>A file is a list of steps, parted by empty lines: comment lines ({@code #}), command lines, a
 * line {@code ----}, and the lines expected. The first command is {@code cluster nodes=N pages=N
 * hold=NANOS}, with {@code twins=N} behind for a cluster that sends deltas. After a wanted change
 * of behaviour, {@code -Dscenarios.rewrite=true} writes the files anew; read the difference before
 * you commit it.
 */
class ScenarioTest {
  private static final Path FOLDER = Path.of("src/test/resources/scenarios");
  private static final String RULE = "----";

  static List<Path> scenarios() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(file -> file.toString().endsWith(".txt")).sorted().toList();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("scenarios")
  void happensAsWritten(Path file) throws IOException {
    String expected = Files.readString(file);
    String actual = play(expected, new ProtocolCells());
    if (Boolean.getBoolean("scenarios.rewrite")) {
      Files.writeString(file, actual);
      return;
    }
    assertThat(actual).as(file.toString()).isEqualTo(expected);
  }

  @Test
  void thereAreScenarios() throws IOException {
    assertThat(scenarios()).hasSizeGreaterThan(5);
  }

  /** Whatever the controllers ever do, a scenario shows it. */
  @Test
  void everyCellOfTheProtocolTableHasAScenario() throws IOException {
    ProtocolCells played = new ProtocolCells();
    for (Path file : scenarios()) {
      play(Files.readString(file), played);
    }
    Set<Cell> missing = new TreeSet<>(ProtocolTable.cells().keySet());
    missing.removeAll(played.outcomes().keySet());
    assertThat(missing).as("cells of docs/protocol-table.md without a scenario").isEmpty();
  }

  /** The scenario with the expected lines replaced by those that came. */
  private static String play(String scenario, ProtocolCells cells) {
    StringBuilder played = new StringBuilder();
    ScenarioCluster[] cluster = new ScenarioCluster[1];
    for (String step : scenario.strip().split("\n\n+")) {
      StringBuilder output = new StringBuilder();
      boolean commands = false;
      for (String line : step.lines().takeWhile(line -> !line.equals(RULE)).toList()) {
        played.append(line).append('\n');
        if (line.startsWith("cluster ")) {
          cluster[0] = cluster(line, cells);
        } else if (!line.startsWith("#")) {
          commands = true;
          output.append(cluster[0].execute(line));
        }
      }
      if (commands) {
        played.append(RULE).append('\n').append(output);
      }
      played.append('\n');
    }
    return played.toString().strip() + "\n";
  }

  private static ScenarioCluster cluster(String line, ProtocolCells cells) {
    String[] words = line.split("[ =]+");
    return new ScenarioCluster(
        Integer.parseInt(words[2]),
        Integer.parseInt(words[4]),
        Long.parseLong(words[6]),
        words.length > 8 ? Integer.parseInt(words[8]) : 0,
        cells);
  }
}
