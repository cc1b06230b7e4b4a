package org.pluribus.vmm.node;

import java.util.concurrent.locks.LockSupport;

/**
 * What a thread does between two looks that found nothing: first it gives the core away for a
 * moment, later it sleeps, longer and longer up to a bound. With few cores a busy loop would starve
 * the very peer it waits for. One per thread.
 */
final class IdleBackoff {
  private final int yields;
  private final long minParkNanos;
  private final long maxParkNanos;
  private int idleTurns;
  private long parkNanos;

  /**
   * @param yields looks separated by a yield only, before sleeping starts
   */
  IdleBackoff(int yields, long minParkNanos, long maxParkNanos) {
    this.yields = yields;
    this.minParkNanos = minParkNanos;
    this.maxParkNanos = maxParkNanos;
    this.parkNanos = minParkNanos;
  }

  /** There was work: the next idle phase starts anew. */
  void reset() {
    idleTurns = 0;
    parkNanos = minParkNanos;
  }

  void idle() {
    if (++idleTurns <= yields) {
      Thread.yield();
      return;
    }
    LockSupport.parkNanos(this, parkNanos);
    parkNanos = Math.min(parkNanos * 2, maxParkNanos);
  }
}
