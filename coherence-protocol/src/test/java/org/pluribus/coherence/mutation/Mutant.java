package org.pluribus.coherence.mutation;

import java.util.ArrayList;
import java.util.List;

/**
 * A bug: edits of one source file of the protocol.
 *
 * @param name what the bug is, in words joined by hyphens
 * @param file simple name of the class
 */
record Mutant(String name, String file, List<Edit> edits) {
  /**
   * A replacement.
   *
   * @param from text that stands in the file exactly once, but for white space
   */
  record Edit(String from, String to) {}

  static Mutant of(String name, String file, String from, String to) {
    return new Mutant(name, file, List.of(new Edit(from, to)));
  }

  Mutant and(String from, String to) {
    List<Edit> more = new ArrayList<>(edits);
    more.add(new Edit(from, to));
    return new Mutant(name, file, more);
  }

  /**
   * The source with the bug.
   *
   * @throws IllegalStateException if the text to replace is not there exactly once
   */
  String applyTo(String source) {
    String changed = normalised(source);
    for (Edit edit : edits) {
      String from = normalised(edit.from);
      int at = changed.indexOf(from);
      if (at < 0 || changed.indexOf(from, at + 1) >= 0) {
        throw new IllegalStateException(
            "mutant " + name + ": not exactly once in " + file + ".java: " + edit.from);
      }
      changed = changed.substring(0, at) + edit.to + changed.substring(at + from.length());
    }
    return changed;
  }

  /** Comments end at line ends, so those go before lines are joined. */
  private static String normalised(String source) {
    return source.replaceAll("//[^\n]*", "").replaceAll("\\s+", " ").strip();
  }

  @Override
  public String toString() {
    return name;
  }
}
