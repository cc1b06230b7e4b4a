package org.pluribus.vmm.time;

import java.util.function.LongSupplier;

/**
 * A node's {@link GuestClock}: the host's monotonic clock, disciplined against node 0.
 *
 * <p>Time is a chain of segments, each a straight line from where the last one ended. A clock that
 * is behind node 0 starts its next segment further on; one that is ahead runs slower (by one part
 * in {@value #SLEW_DIVISOR}) until the surplus is used up. So it never goes back.
 *
 * <p>A reader accepts a host time only if the same segment was current before and after it took it;
 * the adjuster takes the segment away before it reads the host time at which the next one begins.
 * Hence no value accepted from a segment lies beyond that segment's end, and a reader costs two
 * volatile loads besides the host clock. Readers wait only for the few instructions of an
 * adjustment.
 */
public final class HostClock implements GuestClock {

  /** A clock that is ahead loses one nanosecond in this many: 1 ms is made good in a second. */
  public static final long SLEW_DIVISOR = 1024;

  /** Stands in while an adjustment is under way. */
  private static final Segment CHANGING = new Segment(0, 0, 0);

  private final LongSupplier hostNanos;
  private volatile Segment segment;

  /**
   * From {@code hostStart} on: guest time is {@code guestStart} plus what passed, less the slew.
   */
  private record Segment(long hostStart, long guestStart, long surplusNanos) {
    long at(long hostNow) {
      long passed = hostNow - hostStart;
      return guestStart + passed - Math.min(surplusNanos, passed / SLEW_DIVISOR);
    }
  }

  /** A clock that starts now, at zero, over the host's monotonic clock. */
  public HostClock() {
    this(System::nanoTime);
  }

  /** A clock that starts now, at zero, over the given monotonic clock. */
  HostClock(LongSupplier hostNanos) {
    this.hostNanos = hostNanos;
    this.segment = new Segment(hostNanos.getAsLong(), 0, 0);
  }

  @Override
  public long nanos() {
    while (true) {
      Segment current = segment;
      long hostNow = hostNanos.getAsLong();
      if (current != CHANGING && current == segment) {
        return current.at(hostNow);
      }
      Thread.onSpinWait();
    }
  }

  /**
   * Sets the time, backwards too. Only before the first vCPU runs: this is how a node joins the
   * machine's time at start.
   */
  public synchronized void startAt(long nanos) {
    segment = CHANGING;
    segment = new Segment(hostNanos.getAsLong(), nanos, 0);
  }

  /**
   * Brings this clock nearer to node 0's. Any thread; each call replaces what is left of the last.
   *
   * @param aheadNanos how far node 0's clock was found ahead of this one: if positive, this clock
   *     steps forward by as much; if negative, it runs slower until the difference is used up
   */
  public synchronized void adjust(long aheadNanos) {
    Segment old = segment;
    segment = CHANGING;
    long hostNow = hostNanos.getAsLong();
    segment =
        new Segment(hostNow, old.at(hostNow) + Math.max(0, aheadNanos), Math.max(0, -aheadNanos));
  }
}
