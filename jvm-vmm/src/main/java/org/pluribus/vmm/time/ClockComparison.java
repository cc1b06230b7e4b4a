package org.pluribus.vmm.time;

/**
 * How far another node's clock is ahead of ours, from probes that go there and come back.
 *
 * <p>No message arrives before it is sent. So a probe bounds the difference from both sides: the
 * other clock is ahead by at most what the way there seems to take, and by no less than the way
 * back seems to take, taken negatively. The fastest way in each direction bounds it best, and these
 * need not be of the same probe (D. L. Mills, RFC 5905, section 10, takes the fastest round trip
 * instead, which a way back that was held up spoils). As clocks drift apart, the bounds of a probe
 * widen with its age.
 *
 * <p>The middle between the bounds is the best guess. As long as a clock is between them, a page
 * seems to arrive before it was sent only if it is faster than the fastest probe: this is what
 * keeps time from running back for a guest whose vCPUs look at it on two nodes.
 *
 * <p>Threads: one at a time. Allocates nothing after its construction.
 */
public final class ClockComparison {
  /** Probes remembered. */
  private static final int PROBES = 64;

  /**
   * Clocks of two hosts drift apart by no more than a nanosecond in this many: 50 ppm, which is
   * what two crystals of 25 ppm each may do.
   */
  static final long DRIFT_DIVISOR = 20_000;

  /** A probe that took longer says too little, unless there is no other. */
  private static final long USABLE_ROUND_TRIP_NANOS = 2_000_000;

  /** However long a clock takes to lose a surplus, it is looked at again after this time. */
  private static final long LONGEST_SLEW_NANOS = 10_000_000_000L;

  private final long[] arrivals = new long[PROBES];
  private final long[] lowest = new long[PROBES];
  private final long[] highest = new long[PROBES];
  private int next;
  private int count;
  private long deafUntil = Long.MIN_VALUE;
  private long low;
  private long high;

  /**
   * Takes a probe in, unless it took too long or makes no sense. Times are nanoseconds, {@code
   * sent} and {@code arrived} by this node's clock, the others by the other node's.
   *
   * @param sent when the request left here
   * @param received when the other node got it
   * @param replied when its answer left
   * @param arrived when that came here
   */
  public void add(long sent, long received, long replied, long arrived) {
    long roundTrip = arrived - sent - (replied - received);
    if (arrived < deafUntil
        || replied < received
        || roundTrip < 0
        || count > 0 && roundTrip > USABLE_ROUND_TRIP_NANOS) {
      return;
    }
    put(replied - arrived, received - sent, arrived);
    bound(arrived);
    if (low > high) {
      // The clocks drift faster than clocks do, or one was set. The last probe is what counts.
      count = 1;
      bound(arrived);
    }
  }

  private void put(long lowestAhead, long highestAhead, long arrived) {
    lowest[next] = lowestAhead;
    highest[next] = highestAhead;
    arrivals[next] = arrived;
    next = (next + 1) % PROBES;
    count = Math.min(count + 1, PROBES);
  }

  private void bound(long now) {
    low = Long.MIN_VALUE;
    high = Long.MAX_VALUE;
    for (int back = 1; back <= count; back++) {
      int i = Math.floorMod(next - back, PROBES);
      long drift = (now - arrivals[i]) / DRIFT_DIVISOR;
      low = Math.max(low, lowest[i] - drift);
      high = Math.min(high, highest[i] + drift);
    }
  }

  /** How far the other clock is ahead, as good as can be told; 0 without a probe. */
  public long ahead() {
    return count == 0 ? 0 : low + (high - low) / 2;
  }

  /** How far apart the bounds are: {@link #ahead} is wrong by at most half of it. */
  public long uncertainty() {
    return count == 0 ? Long.MAX_VALUE : high - low;
  }

  /**
   * How far this node's clock should be moved forward, or held back if negative: as much as it is
   * proved wrong, mostly 0. The middle between bounds of probes that a busy machine has delayed is
   * a worse guess than a clock that was set with care and has drifted a little since.
   */
  public long correction() {
    if (count == 0 || low <= 0 && high >= 0) {
      return 0;
    }
    return low > 0 ? low : high;
  }

  /**
   * This node's clock now goes by what was found.
   *
   * @param aheadNanos by how much it has stepped forward; if negative, how much it loses from now
   *     on: nothing is taken in until then
   */
  public void corrected(long aheadNanos, long nowNanos) {
    if (aheadNanos < 0) {
      count = 0;
      long loss = Math.min(-aheadNanos, LONGEST_SLEW_NANOS / HostClock.SLEW_DIVISOR);
      deafUntil = nowNanos + loss * HostClock.SLEW_DIVISOR;
    } else {
      stepped(aheadNanos);
    }
  }

  /** This node's clock was set forward by this, or back, as it may be before the machine starts. */
  public void stepped(long aheadNanos) {
    for (int i = 0; i < PROBES; i++) {
      lowest[i] -= aheadNanos;
      highest[i] -= aheadNanos;
      arrivals[i] += aheadNanos;
    }
    low -= aheadNanos;
    high -= aheadNanos;
  }
}
