package org.pluribus.transport.verbs;

import org.jspecify.annotations.Nullable;

/**
 * How long and how often the connections to one peer may be down before it counts as lost. One
 * thread at a time.
 */
final class Breaks {
  /** Breaks within one limit of time; who needs more has no connection worth the name. */
  static final int MOST = 8;

  /**
   * Calls that the peer's host may turn down: once if it still knows the old connection (InfiniBand
   * Architecture, 12.6.7.2, reason 10), always if nobody listens there any more.
   */
  private static final int MOST_REFUSALS = 3;

  private static final long NANOS_PER_MILLI = 1_000_000;

  private final long limitNanos;

  /** When the last breaks were, the oldest at {@link #total} modulo their number. */
  private final long[] times = new long[MOST];

  private int total;
  private int refusals;
  private long sinceNanos;
  private @Nullable String reason;

  /** Nothing broke yet. */
  Breaks(long limitNanos) {
    this.limitNanos = limitNanos;
  }

  /** Breaks in all. */
  int total() {
    return total;
  }

  /** Whether the peer is being connected anew. */
  boolean isDown() {
    return reason != null;
  }

  /**
   * A connection broke.
   *
   * @return why that is the end, or null if it may be made anew
   */
  @Nullable String broke(String why, long nowNanos) {
    boolean tooOften = total >= MOST && nowNanos - times[total % MOST] < limitNanos;
    times[total % MOST] = nowNanos;
    total++;
    if (reason == null) {
      sinceNanos = nowNanos;
      refusals = 0;
    }
    reason = why;
    return tooOften
        ? "%s; it was connected anew %d times within %d ms"
            .formatted(why, MOST, limitNanos / NANOS_PER_MILLI)
        : null;
  }

  /** A call was turned down; why that is the end, or null. */
  @Nullable String refused() {
    return reason != null && ++refusals >= MOST_REFUSALS ? "closed its channels" : null;
  }

  /** Why the time is up, or null if it is not. */
  @Nullable String expired(long nowNanos) {
    return reason != null && nowNanos - sinceNanos > limitNanos
        ? "%s; it could not be connected anew within %d ms"
            .formatted(reason, limitNanos / NANOS_PER_MILLI)
        : null;
  }

  /** So long this node did nothing at all, which doesn't count. */
  void pause(long nanos) {
    sinceNanos += nanos;
  }

  /** All connections are there again. */
  void healed() {
    reason = null;
  }
}
