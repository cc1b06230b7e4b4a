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
  private final int bounceFactor;
  private final Shortest between = new Shortest();
  private final Shortest waits = new Shortest();

  /** The shortest of the latest times. */
  private static final class Shortest {
    private long now = Long.MAX_VALUE;
    private long before = Long.MAX_VALUE;
    private int times;

    void add(long nanos) {
      now = Math.min(now, nanos);
      if (++times == WINDOW) {
        times = 0;
        before = now;
        now = Long.MAX_VALUE;
      }
    }

    /** {@link Long#MAX_VALUE} before there was any. */
    long nanos() {
      return Math.min(now, before);
    }
  }

  /**
   * @param leastNanos what {@link #useNanos} is at least, and before anything was measured
   * @param bounceFactor see {@link org.pluribus.hw.HostProfile}
   */
  UseTime(long leastNanos, int bounceFactor) {
    this.leastNanos = Math.min(leastNanos, MAX_USE_NANOS);
    this.bounceFactor = bounceFactor;
  }

  /** A vCPU's thread had so much processor time from a page's grant to its next fault. */
  void between(long nanos) {
    between.add(nanos);
  }

  /** A vCPU waited so long for a page that another node had. */
  void waited(long nanos) {
    waits.add(nanos);
  }

  /**
   * Processor time with pages that counts as having used them.
   *
   * @param many whether they are so many that it took long to collect them
   */
  long useNanos(boolean many) {
    long least = between.nanos();
    long nanos = Math.clamp(Math.min(least, MAX_USE_NANOS) * FACTOR, leastNanos, MAX_USE_NANOS);
    if (least == Long.MAX_VALUE) {
      nanos = leastNanos; // nothing measured yet
    }
    return many ? Math.min(nanos * MANY_FACTOR, MAX_USE_NANOS) : nanos;
  }

  /**
   * Processor time that a vCPU gets with a page that it loses and wants again, over and over. What
   * it does with it should be worth the page's way; the shortest of the waits is one in which
   * nobody kept the page for as long himself.
   */
  long bounceNanos() {
    long way = Math.min(waits.nanos(), MAX_USE_NANOS);
    boolean known = waits.nanos() != Long.MAX_VALUE;
    return known ? Math.clamp(way * bounceFactor, useNanos(false), MAX_USE_NANOS) : useNanos(false);
  }

  /**
   * Time after which a page is given away in any case: who waits for what is known only as far as
   * homes have told, and a vCPU may wait for something else than pages.
   *
   * @param random spreads the answers of vCPUs that stalled together, by up to a half
   */
  long limitNanos(long random) {
    long nanos = Math.min(useNanos(false) * PATIENCE, MAX_LIMIT_NANOS);
    return nanos + nanos / 2 * (random & JITTER_MASK) / (JITTER_MASK + 1);
  }
}
