package org.pluribus.coherence.sim;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * What was proven, a line for each piece, on standard output and for {@code ./pluribus prove} in
 * {@code target/proof.log}, there as {@code kind<TAB>count<TAB>first line}.
 */
public final class ProofLog {
  private static final Path FILE = Path.of("target/proof.log");

  private ProofLog() {}

  /**
   * Notes a piece.
   *
   * @param kind what {@code count} counts, for the sum
   * @param words for {@link String#format}
   */
  public static synchronized void note(String kind, long count, String words, Object... values) {
    String line = String.format(Locale.ROOT, words, values);
    System.out.println(line);
    try {
      Files.createDirectories(FILE.toAbsolutePath().getParent());
      Files.writeString(
          FILE,
          kind + "\t" + count + "\t" + line.lines().findFirst().orElse("") + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
