package org.pluribus.transport.verbs;

/**
 * How long a message that is being filled waits for more frames, when all that it has may wait. A
 * message of its own costs both ends a packet, an acknowledgement and a completion; over {@code
 * rdma_rxe} with one core that was a seventh of a page fault. One thread at a time.
 */
final class Patience {
  /**
   * The longest wait. An Unblock that waits keeps its page blocked at the home, where the next
   * request for it waits, too: that is not to be felt, so it is less than the time for which
   * profiles let a node keep a page that has come (20 us and more, {@code HostProfile}).
   */
  static final long NANOS = 10_000;

  private boolean waiting;
  private boolean timed;
  private long endNanos;

  /** The message has got its first frame, and that may wait. */
  void begin() {
    waiting = true;
    timed = false;
  }

  /** The message has got a frame that may not wait. */
  void end() {
    waiting = false;
  }

  /**
   * Whether the message need not leave yet. The time runs from the first time this is asked.
   *
   * @param nowNanos {@link System#nanoTime}
   */
  boolean lasts(long nowNanos) {
    if (waiting && !timed) {
      timed = true;
      endNanos = nowNanos + NANOS;
    }
    return waiting && nowNanos - endNanos < 0;
  }

  /** When the message has to leave; {@link Long#MAX_VALUE} if it does not wait. */
  long endNanos() {
    return waiting && timed ? endNanos : Long.MAX_VALUE;
  }
}
