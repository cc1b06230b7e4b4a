package org.pluribus.vmm.cli.selftest;

import java.util.Locale;

/** The payloads of the image, in the order in which the suite runs them. */
public enum Payload {
  /** LOCKed and plain increments of words that share pages. */
  COUNTERS,
  /** Plain increments under spinlocks; locks and data that cross a page boundary. */
  LOCKS,
  /** Pairs of CPUs that answer each other through memory. */
  PINGPONG,
  /** A pattern over all RAM, written and verified by CPU after CPU. */
  PATTERN,
  /** A pattern over all RAM, written by each CPU and verified by another. */
  FILL,
  /** Random reads and writes of words whose owners know what must be in them. */
  ORACLE,
  /** All CPUs write random words of a few pages. */
  STORM,
  /** IPIs and NMIs between running CPUs, by the APIC's page and by x2APIC MSRs. */
  IPI,
  /** IPIs between CPUs that sleep in HLT. */
  HALT,
  /** The APIC's timer: one-shot, periodic, TSC deadline. */
  TIMER,
  /** Memory order between two and four CPUs. */
  LITMUS,
  /** Instructions of many kinds, for comparing machines. */
  COMPUTE,
  /** Touches of pages that another node has, by a clock. */
  FAULTS,
  /** Every CPU increments a word of its own, all in one page. */
  SHARING,
  /** The same, as fast as each can. */
  CONTENTION;

  /** What selects it on the guest's command line and in {@code --only}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
