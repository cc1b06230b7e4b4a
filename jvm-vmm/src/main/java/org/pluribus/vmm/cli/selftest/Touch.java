package org.pluribus.vmm.cli.selftest;

import org.jspecify.annotations.Nullable;

/**
 * A touch of a page as the guest has timed it: {@code touch NODE ADDRESS BEFORE TICKS} on its
 * serial port (native/payloads/faults.c), in hexadecimal, the address odd for a write.
 *
 * @param node of the CPU
 * @param gpa the page's address
 * @param write whether it was written
 * @param before the guest's TSC right before
 * @param ticks how much later it was right after
 */
record Touch(int node, long gpa, boolean write, long before, long ticks) {
  static final String LINE = "touch ";

  private static final int FIELDS = 4;
  private static final int HEXADECIMAL = 16;

  /** Reads a line; null if a machine that corrupts bytes has written it. */
  static @Nullable Touch parse(String line) {
    String[] fields = line.substring(LINE.length()).split(" ", -1);
    if (fields.length != FIELDS) {
      return null;
    }
    try {
      long address = Long.parseUnsignedLong(fields[1], HEXADECIMAL);
      return new Touch(
          Integer.parseInt(fields[0], HEXADECIMAL),
          address & ~1,
          (address & 1) != 0,
          Long.parseUnsignedLong(fields[2], HEXADECIMAL),
          Long.parseUnsignedLong(fields[3], HEXADECIMAL));
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** The guest's TSC right after. */
  long after() {
    return before + ticks;
  }
}
