package org.pluribus.vmm.cli.litmus;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** All tests there are. */
public final class LitmusCatalogue {
  private static final String RESOURCE = "tests.txt";
  private static final List<LitmusTest> ALL = read();

  private LitmusCatalogue() {}

  /** Every test, in the order of the file. */
  public static List<LitmusTest> all() {
    return ALL;
  }

  /**
   * The tests of these names.
   *
   * @throws IllegalArgumentException one line that tells which name is none, and all that are
   */
  public static List<LitmusTest> named(List<String> names) {
    return names.stream().map(LitmusCatalogue::named).distinct().toList();
  }

  private static LitmusTest named(String name) {
    return ALL.stream()
        .filter(t -> t.isCalled(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "there is no test '%s'; choose from %s".formatted(name, names())));
  }

  private static String names() {
    return ALL.stream().map(LitmusTest::name).collect(Collectors.joining(", "));
  }

  private static List<LitmusTest> read() {
    try (InputStream in =
            Objects.requireNonNull(LitmusCatalogue.class.getResourceAsStream(RESOURCE), RESOURCE);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return lines
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(LitmusParser::parse)
          .toList();
    } catch (IOException e) {
      throw new IllegalStateException(RESOURCE + " of this build cannot be read", e);
    }
  }
}
