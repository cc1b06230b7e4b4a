package org.pluribus.hw.host;

import org.jspecify.annotations.Nullable;
import org.pluribus.posix.PosixException;

/**
 * One thing that a host offers or lacks.
 *
 * @param name what it is about
 * @param found what there is, in words
 * @param cure what the operator can do about a lack; null if nothing is lacking
 */
public record Finding(String name, String found, @Nullable String cure) {
  static Finding ok(String name, String found) {
    return new Finding(name, found, null);
  }

  static Finding lacks(String name, String found, String cure) {
    return new Finding(name, found, cure);
  }

  /** What a refused system call tells. */
  static Finding refused(String name, PosixException e) {
    return lacks(name, e.call() + " failed: " + e.errno().name(), e.cure());
  }

  /** Whether nothing is lacking. */
  public boolean isOk() {
    return cure == null;
  }
}
