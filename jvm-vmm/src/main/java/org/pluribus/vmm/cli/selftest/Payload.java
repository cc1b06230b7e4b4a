package org.pluribus.vmm.cli.selftest;

import java.util.Locale;

/** The payloads of the image, in the order in which the suite runs them. */
public enum Payload {
  /** LOCKed and plain increments of words that share pages. */
  COUNTERS;

  /** What selects it on the guest's command line and in {@code --only}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
