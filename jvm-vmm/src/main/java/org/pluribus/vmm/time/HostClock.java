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
  private final long tscHz;
  private final Rate toTsc;
  private final Rate fromTsc;
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
    this(System::nanoTime, STANDARD_TSC_HZ);
  }

  /** A clock that starts now, at zero, over the given monotonic clock. */
  HostClock(LongSupplier hostNanos) {
    this(hostNanos, STANDARD_TSC_HZ);
  }

  /**
   * A clock that starts now, at zero.
   *
   * @param hostNanos a monotonic clock of the host, nanoseconds; any thread
   * @param tscHz frequency of the guest's TSC, the same on all nodes
   */
  public HostClock(LongSupplier hostNanos, long tscHz) {
    this.hostNanos = hostNanos;
    this.tscHz = tscHz;
    toTsc = new Rate(NANOS_PER_SECOND, tscHz);
    fromTsc = new Rate(tscHz, NANOS_PER_SECOND);
    this.segment = new Segment(hostNanos.getAsLong(), 0, 0);
  }

  /**
   * The host's time-stamp counter as a monotonic clock in nanoseconds. Guests under KVM see that
   * counter, so a node of that kind lives by it: the kernel's own clock is slewed against it.
   *
   * @param counter reads the counter; any thread
   * @param counterHz its frequency
   */
  public static LongSupplier nanosOf(LongSupplier counter, long counterHz) {
    Rate toNanos = new Rate(counterHz, NANOS_PER_SECOND);
    long start = counter.getAsLong();
    return () -> toNanos.of(counter.getAsLong() - start);
  }

  /** A count of a clock of {@code fromHz} in ticks of one of {@code toHz}. */
  public static long convert(long count, long fromHz, long toHz) {
    return new Rate(fromHz, toHz).of(count);
  }

  @Override
  public long tscHz() {
    return tscHz;
  }

  @Override
  public long tsc() {
    return toTsc.of(nanos());
  }

  @Override
  public long nanosAtTsc(long tsc) {
    return fromTsc.of(tsc);
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
