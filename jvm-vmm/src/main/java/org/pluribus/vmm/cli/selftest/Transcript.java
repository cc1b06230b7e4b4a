package org.pluribus.vmm.cli.selftest;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.cli.litmus.LitmusTally;

/**
 * What a payload said on its serial port: lines {@code count NAME=NUMBER}, {@code checksum
 * NAME=HEX}, {@code touch ...} ({@link Touch}), {@code outcome ...} ({@link LitmusTally}), and at
 * the end {@code passed} or {@code fail REASON} (native/payloads/payload.h).
 *
 * @param counts what it counted
 * @param checksums sums that depend on scale, seed and number of CPUs only
 * @param touches touches of pages that it timed
 * @param tallies outcomes of litmus tests that it counted
 * @param passed whether it said so
 * @param failure the reason it gave, or null
 */
record Transcript(
    Map<String, Long> counts,
    Map<String, String> checksums,
    List<Touch> touches,
    List<LitmusTally> tallies,
    boolean passed,
    @Nullable String failure) {

  private static final String COUNT = "count ";
  private static final String CHECKSUM = "checksum ";
  private static final String FAIL = "fail ";
  private static final String PASSED = "passed";

  /** Reads all that a payload printed; lines of other kinds are left out. */
  static Transcript parse(String console) {
    Map<String, Long> counts = new LinkedHashMap<>();
    Map<String, String> checksums = new LinkedHashMap<>();
    List<Touch> touches = new ArrayList<>();
    List<LitmusTally> tallies = new ArrayList<>();
    boolean passed = false;
    String failure = null;
    for (String line : console.split("\\R")) {
      int equals = line.indexOf('=');
      if (line.startsWith(COUNT) && equals > 0) {
        counts.put(line.substring(COUNT.length(), equals), number(line.substring(equals + 1)));
      } else if (line.startsWith(CHECKSUM) && equals > 0) {
        checksums.put(line.substring(CHECKSUM.length(), equals), line.substring(equals + 1));
      } else if (line.startsWith(Touch.LINE)) {
        Touch touch = Touch.parse(line);
        if (touch != null) {
          touches.add(touch);
        }
      } else if (line.startsWith(LitmusTally.LINE)) {
        LitmusTally tally = LitmusTally.parse(line);
        if (tally != null) {
          tallies.add(tally);
        }
      } else if (line.startsWith(FAIL) && failure == null) {
        failure = line.substring(FAIL.length());
      } else if (line.equals(PASSED)) {
        passed = true;
      }
    }
    return new Transcript(counts, checksums, touches, tallies, passed, failure);
  }

  /** A count that is no number came from a machine that corrupts bytes: it counts as none. */
  private static long number(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      return 0;
    }
  }
}
