package org.pluribus.containers;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * What the guest of {@code ci/guest/link-init} has to print: each round every CPU hashes the round,
 * its own number and what all CPUs have found in the round before. One wrong byte that any CPU ever
 * read makes all later sums wrong.
 */
final class GuestSums {
  /** What the guest says before the number of a round. */
  static final String ROUND = "link-check: round ";

  /** What stands in place of the sums before the first round. */
  private static final String BEGIN = "begin";

  private final MessageDigest sha256;
  private final String[] sums;
  private int round;

  GuestSums(int cpus) {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
    sums = new String[cpus];
    Arrays.fill(sums, BEGIN);
  }

  /** The line for the next round. */
  String nextLine() {
    String before = String.join("\n", sums) + "\n";
    String[] found = new String[sums.length];
    for (int cpu = 0; cpu < found.length; cpu++) {
      byte[] text = (round + " " + cpu + "\n" + before).getBytes(US_ASCII);
      found[cpu] = HexFormat.of().formatHex(sha256.digest(text));
    }
    System.arraycopy(found, 0, sums, 0, found.length);
    return ROUND + round++ + ": " + String.join(" ", sums);
  }
}
