package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/**
 * Pages granted a short while ago, in the order in which their holds end.
 *
 * <p>A hold lasts a random time between once and twice the length configured. If all were equally
 * long, two nodes whose next instructions need the same two pages could swap them for ever, each
 * giving its page away at the moment it gets the other. As lengths differ by no more than that, a
 * new hold belongs near the end of the queue, where its place is sought.
 */
final class HoldQueue {
  /** Spreads node numbers over 64 bits: 2 to the 64th divided by the golden ratio, made odd. */
  private static final long JITTER_SEED = 0x9e3779b97f4a7c15L;

  private final long holdNanos;

  /** State of the generator of random lengths; differs by node, and is never 0. */
  private long jitter;

  private @Nullable PageRecord first;
  private @Nullable PageRecord last;

  HoldQueue(int self, long holdNanos) {
    this.holdNanos = holdNanos;
    this.jitter = (self + 1) * JITTER_SEED;
  }

  /** The hold that ends first, or null. */
  @Nullable PageRecord first() {
    return first;
  }

  /** Starts a hold, in place of the record's earlier one if it has one. */
  void hold(PageRecord record, long nowNanos) {
    release(record);
    if (holdNanos > 0) {
      insert(record, nowNanos + holdNanos + nextJitter());
    }
  }

  /** Lets a hold end later than was said. */
  void prolong(PageRecord record, long untilNanos) {
    release(record);
    insert(record, untilNanos);
    record.prolonged = true;
  }

  /** Xorshift (Marsaglia 2003): 64 bits, shifts 13, 7 and 17. */
  private long nextJitter() {
    jitter ^= jitter << 13;
    jitter ^= jitter >>> 7;
    jitter ^= jitter << 17;
    return Math.floorMod(jitter, holdNanos);
  }

  private void insert(PageRecord record, long untilNanos) {
    record.held = true;
    record.prolonged = false;
    record.holdUntilNanos = untilNanos;
    PageRecord before = last;
    while (before != null && before.holdUntilNanos - untilNanos > 0) {
      before = before.holdBefore;
    }
    PageRecord after = before == null ? first : before.holdAfter;
    link(before, record);
    link(record, after);
  }

  /** Ends the record's hold, if it has one. */
  void release(PageRecord record) {
    if (!record.held) {
      return;
    }
    record.held = false;
    link(record.holdBefore, record.holdAfter);
    record.holdBefore = null;
    record.holdAfter = null;
  }

  /** Makes two records neighbours; null stands for the end of the queue on that side. */
  private void link(@Nullable PageRecord before, @Nullable PageRecord after) {
    if (before == null) {
      first = after;
    } else {
      before.holdAfter = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.holdBefore = before;
    }
  }
}
