package org.pluribus.vmm.node;

/**
 * How much processor time a vCPU gets to use a page it waited for. On a slow host everything
 * between the grant and the access is slow: the thread's wake-up, the way into the guest, the walk
 * through its page tables. The shortest faults seen lately take about as long, so they are the
 * measure.
 *
 * <p>Threads: one at a time.
 */
final class UseTime {
  /** Faults that are "lately": twice as many, one window and the one before. */
  private static final int WINDOW = 64;

  /** Shortest faults it takes to enter the guest and do some work there. */
  private static final int FAULTS_TO_USE = 1;

  /** More processor time than this goes to nobody before he is asked to share. */
  private static final long MAX_USE_NANOS = 10_000_000;

  /** Uses that a vCPU which got on lately may take to get the processor for one. */
  private static final int PATIENCE = 2;

  /** Nobody waits longer than this for a vCPU that does not get going. */
  private static final long MAX_LIMIT_NANOS = 500_000_000;

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

  /** A fault was served, from its event to the guest going on. */
  void served(long nanos) {
    shortest = Math.min(shortest, nanos);
    if (++faults == WINDOW) {
      faults = 0;
      shortestBefore = shortest;
      shortest = Long.MAX_VALUE;
    }
  }

  /** Processor time with a page that counts as having used it. */
  long useNanos() {
    long least = Math.min(shortest, shortestBefore);
    if (least == Long.MAX_VALUE) {
      return leastNanos;
    }
    return Math.clamp(least * FAULTS_TO_USE, leastNanos, MAX_USE_NANOS);
  }

  /**
   * Time after which a page is given away in any case.
   *
   * @param stalledNanos how long the vCPU has got nowhere when it gets the page
   * @param random spreads the answers of vCPUs that stalled together, by up to a half
   */
  long limitNanos(long stalledNanos, long random) {
    long nanos = Math.clamp(stalledNanos, useNanos() * PATIENCE, MAX_LIMIT_NANOS);
    return nanos + nanos / 2 * (random & JITTER_MASK) / (JITTER_MASK + 1);
  }
}
