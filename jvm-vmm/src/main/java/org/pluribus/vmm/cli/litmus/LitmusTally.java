package org.pluribus.vmm.cli.litmus;

import org.jspecify.annotations.Nullable;

/**
 * How often an outcome came, as the guest says it: {@code outcome CASE OUTCOME COUNT} on its serial
 * port (native/payloads/litmus.c), in hexadecimal.
 *
 * @param number of the case, from 0
 * @param outcome see {@link LitmusTest}
 * @param count how often
 */
public record LitmusTally(int number, long outcome, long count) {
  /** What its lines begin with. */
  public static final String LINE = "outcome ";

  private static final int FIELDS = 3;
  private static final int HEXADECIMAL = 16;

  /** Reads a line; null if a machine that corrupts bytes has written it. */
  public static @Nullable LitmusTally parse(String line) {
    String[] fields = line.substring(LINE.length()).split(" ", -1);
    if (fields.length != FIELDS) {
      return null;
    }
    try {
      return new LitmusTally(
          Integer.parseUnsignedInt(fields[0], HEXADECIMAL),
          Long.parseUnsignedLong(fields[1], HEXADECIMAL),
          Long.parseUnsignedLong(fields[2], HEXADECIMAL));
    } catch (NumberFormatException e) {
      return null;
    }
  }
}
