package org.pluribus.coherence.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pluribus.coherence.sim.ProofLog;

/**
 * TLC finds no fault with the model in {@code src/tla}, and finds every bug planted in it. With
 * {@code -Dmodel.wide=true} the configurations in {@code src/tla/wide}, too ({@code
 * ci/model-check}).
 */
class ModelTest {
  private static final Pattern PLANTED = Pattern.compile("Bug [=#] \"([a-z-]+)\"");

  /** Bugs that show only where a third node takes part; the others need two. */
  private static final Set<String> NEED_THREE_NODES =
      Set.of("written-page-granted-as-zero", "only-copy-dropped");

  /** Bugs of deltas, which the others do without. */
  private static final Set<String> NEED_DELTAS =
      Set.of(
          "base-not-checked",
          "delta-for-any-base",
          "stale-bytes-spoilt",
          "twin-not-renewed",
          "twin-tagged-too-new",
          "version-not-raised",
          "version-of-delta-lost");

  static List<String> configurations() throws IOException {
    List<Path> files = new ArrayList<>(Tlc.configurations(Tlc.FOLDER));
    files.removeIf(file -> file.endsWith("bugs.cfg"));
    if (Boolean.getBoolean("model.wide")) {
      files.addAll(Tlc.configurations(Tlc.FOLDER.resolve("wide")));
    }
    return files.stream().map(file -> Tlc.FOLDER.relativize(file).toString()).toList();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("configurations")
  void everyStateIsGood(String file) throws IOException {
    String name = file.replace(".cfg", "");
    long started = System.nanoTime();
    Tlc.Outcome outcome = Tlc.check(name, Files.readString(Tlc.FOLDER.resolve(file)));
    assertThat(outcome.exitCode()).as(outcome.output()).isZero();
    assertThat(outcome.distinct()).as("states").isGreaterThan(1_000);
    ProofLog.note(
        "tlc",
        outcome.distinct(),
        "TLC, %s: %,d states (%,d generated), depth %d, %d s",
        name,
        outcome.distinct(),
        outcome.generated(),
        outcome.depth(),
        (System.nanoTime() - started) / 1_000_000_000L);
  }

  /** All names that the model compares {@code Bug} with. */
  static Set<String> bugs() throws IOException {
    Set<String> bugs = new TreeSet<>();
    try (Stream<Path> files = Files.list(Tlc.FOLDER)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".tla")).toList()) {
        Matcher planted = PLANTED.matcher(Files.readString(file));
        while (planted.find()) {
          bugs.add(planted.group(1));
        }
      }
    }
    assertThat(bugs).hasSizeGreaterThan(10).containsAll(NEED_THREE_NODES).containsAll(NEED_DELTAS);
    return bugs;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("bugs")
  void plantedBugIsFound(String bug) throws IOException {
    String configuration =
        Files.readString(Tlc.FOLDER.resolve("bugs.cfg")).replace("\"none\"", '"' + bug + '"');
    if (NEED_THREE_NODES.contains(bug)) {
      configuration = // Liveness takes too long there.
          withoutLiveness(configuration).replaceFirst("NodeCount = \\d+", "NodeCount = 3");
    }
    if (NEED_DELTAS.contains(bug)) {
      configuration = // TLC's liveness knows no views, and without them states are endless.
          withoutLiveness(configuration)
              .replace("NEXT Next", "NEXT Next\nVIEW View")
              .replace("Deltas = FALSE", "Deltas = TRUE");
    }
    Tlc.Outcome outcome = Tlc.check("bug-" + bug, configuration);
    assertThat(Tlc.isViolation(outcome.exitCode())).as(outcome.output()).isTrue();
    ProofLog.note("tlc-bug", 1, "TLC finds %s: %s", bug, outcome.verdict());
  }

  /** Bugs that leave a fault unanswered: a test of {@code wide/liveness-deltas.cfg} itself. */
  static List<String> bugsThatLast() {
    return Boolean.getBoolean("model.wide") ? List.of("queue-forgotten", "wake-lost") : List.of();
  }

  @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
  @MethodSource("bugsThatLast")
  void plantedBugIsFoundWithDeltas(String bug) throws IOException {
    Path file = Tlc.FOLDER.resolve("wide/liveness-deltas.cfg");
    String configuration = Files.readString(file).replace("\"none\"", '"' + bug + '"');
    Tlc.Outcome outcome = Tlc.check("bug-deltas-" + bug, configuration);
    assertThat(Tlc.isViolation(outcome.exitCode())).as(outcome.output()).isTrue();
    ProofLog.note("tlc-bug", 1, "TLC finds %s with deltas: %s", bug, outcome.verdict());
  }

  private static String withoutLiveness(String configuration) {
    return configuration
        .replace("SPECIFICATION Spec", "INIT Init\nNEXT Next")
        .replaceFirst("(?s)PROPERTIES.*", "");
  }
}
