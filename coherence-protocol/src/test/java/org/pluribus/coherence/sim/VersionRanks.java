package org.pluribus.coherence.sim;

import java.util.Arrays;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The versions of a page that occur anywhere in a state, numbered from 1 in their order. Versions
 * grow for ever, as nodes may take a page from each other without getting to use it, but all that
 * controllers do with them is to compare for equality and to make the newest newer. So states that
 * differ only in the numbers, not in their order, are the same.
 */
final class VersionRanks {
  /** How controllers show the versions they keep for others. */
  private static final Pattern SHOWN = Pattern.compile("base v(\\d+)");

  /** What it has to have; most descriptions don't. */
  private static final String SIGN = "base v";

  private final TreeSet<Long> versions = new TreeSet<>();
  private long[] sorted = {};

  /** Takes notice of a version; 0 is none. */
  void add(long version) {
    if (version != 0) {
      versions.add(version);
    }
  }

  /** Takes notice of the versions in a controller's description of a page. */
  void addAll(String description) {
    if (!description.contains(SIGN)) {
      return;
    }
    Matcher shown = SHOWN.matcher(description);
    while (shown.find()) {
      add(Long.parseLong(shown.group(1)));
    }
  }

  /** No more will be added. */
  void close() {
    sorted = versions.stream().mapToLong(Long::longValue).toArray();
  }

  /** The rank of a version; 0 for none. */
  int of(long version) {
    return version == 0 ? 0 : 1 + Arrays.binarySearch(sorted, version);
  }

  /** The description with ranks for versions. */
  String in(String description) {
    if (!description.contains(SIGN)) {
      return description;
    }
    return SHOWN
        .matcher(description)
        .replaceAll(shown -> SIGN + of(Long.parseLong(shown.group(1))));
  }
}
