package org.pluribus.vmm.node;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CacheController;

/**
 * Between those who want pages and the protocol: asks for a page when the node's {@link
 * MirrorBudget} has room for it, and has others given back when it has not.
 *
 * <p>Threads: the token holder.
 */
final class PageRoom {
  /** While a fault waits for room, the node looks for some at least so often. */
  private static final long RETRY_NANOS = 200_000;

  private final @Nullable MirrorBudget budget;
  private final CacheController cache;
  private final LongSupplier clock;
  private final PutOffFaults putOff = new PutOffFaults();

  /**
   * @param budget how much of guest RAM the node may hold; null for all
   * @param clock nanoseconds, as {@link System#nanoTime}
   */
  PageRoom(@Nullable MirrorBudget budget, CacheController cache, LongSupplier clock) {
    this.budget = budget == null || !budget.isLimited() ? null : budget;
    this.cache = cache;
    this.clock = clock;
  }

  /** Hands a fault to the protocol, now or when there is room for its page. */
  void fault(long page, boolean write) {
    if (budget == null || budget.admits(page)) {
      cache.fault(page, write, clock.getAsLong());
    } else {
      putOff.add(page, write);
    }
  }

  /** Asks for a page that will be wanted soon, if there is room; whether it is asked for now. */
  boolean prefetch(long page, boolean write) {
    return (budget == null || budget.admits(page)) && cache.prefetch(page, write);
  }

  /** Takes a page that its holder gives back to this node, its home, if there is room. */
  void take(long page) {
    if (budget == null || budget.admitsOffered(page)) {
      cache.take(page);
    }
  }

  /** A request for the page is on its way. */
  void asked(long page) {
    if (budget != null) {
      budget.asked(page);
    }
  }

  /** The page is here no more. */
  void left(long page) {
    if (budget != null) {
      budget.left(page, cache);
    }
  }

  /**
   * Gives pages back if room is short, and asks for those for which there was none.
   *
   * @return the amount of work done
   */
  int make() {
    MirrorBudget mirror = budget;
    if (mirror == null) {
      return 0;
    }
    int work = mirror.isShort() ? mirror.makeRoom(cache) : 0;
    while (!putOff.isEmpty() && mirror.admits(putOff.page())) {
      long page = putOff.page();
      boolean write = putOff.write();
      putOff.removeFirst();
      cache.fault(page, write, clock.getAsLong());
      work++;
    }
    return work;
  }

  /** When to look for room again, {@link Long#MAX_VALUE} if nobody waits for any. */
  long nextDeadline() {
    return putOff.isEmpty() ? Long.MAX_VALUE : clock.getAsLong() + RETRY_NANOS;
  }
}
