package org.pluribus.vmm.node;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/**
 * The right to run a node's duty cycle and to touch its protocol state, which one thread at a time
 * has. Nobody waits with it in hand, and who wants it gives the core away until it is free.
 */
final class DutyToken {
  /**
   * Looks for the token, separated by a yield only, before sleeping starts. On an only core,
   * whoever has the token needs that core, and a yield does not give it to him as long as the
   * scheduler holds that it is this thread's turn.
   */
  private static final int YIELDS = Runtime.getRuntime().availableProcessors() == 1 ? 1 : 100;

  /** A turn takes less; with the kernel's slack (50 us, prctl PR_SET_TIMERSLACK) it is longer. */
  private static final long SLEEP_NANOS = 10_000;

  private final AtomicBoolean taken = new AtomicBoolean();
  private final IntSupplier turn;

  /** Somebody has left something to do while another held the token. */
  private volatile boolean turnOwed;

  /**
   * @param turn one turn of the duty cycle; returns the amount of work done
   */
  DutyToken(IntSupplier turn) {
    this.turn = turn;
  }

  /** Takes the token if it is free. Any thread that does not have it. */
  boolean tryTake() {
    return taken.compareAndSet(false, true);
  }

  /** Takes the token, giving the core away until it is free. Any thread that owns nothing. */
  void take() {
    for (int looks = 0; !tryTake(); looks++) {
      if (looks < YIELDS) {
        Thread.yield();
      } else {
        LockSupport.parkNanos(this, SLEEP_NANOS);
      }
    }
  }

  /** Gives the token back, after the turns that others could not take meanwhile. */
  void release() {
    taken.set(false);
    while (turnOwed && tryTake()) {
      try {
        turnOwed = false;
        int ignored = turn.getAsInt(); // who owed it is not here to be told
      } finally {
        taken.set(false);
      }
    }
  }

  /**
   * Runs one turn if nobody has the token. Any thread.
   *
   * @return the amount of work done; 0 when there was none or the token was taken
   */
  int tryTurn() {
    if (!tryTake()) {
      return 0;
    }
    try {
      return turn.getAsInt();
    } finally {
      release();
    }
  }

  /**
   * Sees to it that a turn begins after this: here, or when whoever has the token is through.
   *
   * @return whether it was here
   */
  boolean oweTurn() {
    turnOwed = true;
    boolean taken = tryTake();
    if (taken) {
      release();
    }
    return taken;
  }
}
