package org.pluribus.vmm.node;

/**
 * How much processor time a vCPU gets to use a page it waited for. A thread needs some merely to
 * get into the guest and to the next fault, more or less by the host: the shortest time between two
 * faults seen lately is the measure.
 *
 * <p>Threads: one at a time.
 */
final class UseTime {
  /** Faults that are "lately": twice as many, one window and the one before. */
  private static final int WINDOW = 64;

  /** Shortest times between two faults after which the guest must have got on. */
  private static final int FACTOR = 4;

  /** So many times as long for who had to collect many pages. */
  private static final int MANY_FACTOR = 4;

  /** More processor time than this goes to nobody before he is asked to share. */
  private static final long MAX_USE_NANOS = 10_000_000;

  /** Nobody waits longer than this for a vCPU that does not get going. */
  private static final long MAX_LIMIT_NANOS = 250_000_000;

  /** Uses that a vCPU may take to get the processor for one. */
  private static final int PATIENCE = 256;

  private static final long JITTER_MASK = 0xFF;

  private final long leastNanos;
  private long shortest;
  private long shortestBefore;
  private int faults;

  /**
   * @param leastNanos what {@link #useNanos} is at least, and before anything was measured
   */
  UseTime(long leastNanos) {
    this.leastNanos = Math.min(leastNanos, MAX_USE_NANOS);
    shortest = Long.MAX_VALUE;
    shortestBefore = Long.MAX_VALUE;
  }

  /** A vCPU's thread had so much processor time from a page's grant to its next fault. */
  void between(long nanos) {
    shortest = Math.min(shortest, nanos);
    if (++faults == WINDOW) {
      faults = 0;
      shortestBefore = shortest;
      shortest = Long.MAX_VALUE;
    }
  }

  /**
   * Processor time with pages that counts as having used them.
   *
   * @param many whether they are so many that it took long to collect them
   */
  long useNanos(boolean many) {
    long least = Math.min(shortest, shortestBefore);
    long nanos = Math.clamp(Math.min(least, MAX_USE_NANOS) * FACTOR, leastNanos, MAX_USE_NANOS);
    if (least == Long.MAX_VALUE) {
      nanos = leastNanos; // nothing measured yet
    }
    return many ? Math.min(nanos * MANY_FACTOR, MAX_USE_NANOS) : nanos;
  }

  /**
   * Time after which a page is given away in any case: a cycle of more than two may wait for each
   * other through requests that are queued at a home.
   *
   * @param random spreads the answers of vCPUs that stalled together, by up to a half
   */
  long limitNanos(long random) {
    long nanos = Math.min(useNanos(false) * PATIENCE, MAX_LIMIT_NANOS);
    return nanos + nanos / 2 * (random & JITTER_MASK) / (JITTER_MASK + 1);
  }
}
