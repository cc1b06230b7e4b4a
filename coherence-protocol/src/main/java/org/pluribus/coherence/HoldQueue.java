package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/**
 * Pages granted a short while ago, oldest first. All holds are equally long, so the order of
 * arrival is the order of expiry, and every operation takes constant time.
 */
final class HoldQueue {
  private @Nullable PageRecord first;
  private @Nullable PageRecord last;

  /** The hold that ends first, or null. */
  @Nullable PageRecord first() {
    return first;
  }

  /** Starts a hold, in place of the record's earlier one if it has one. */
  void hold(PageRecord record, long untilNanos) {
    release(record);
    record.held = true;
    record.holdUntilNanos = untilNanos;
    record.holdBefore = last;
    if (last == null) {
      first = record;
    } else {
      last.holdAfter = record;
    }
    last = record;
  }

  /** Ends the record's hold, if it has one. */
  void release(PageRecord record) {
    if (!record.held) {
      return;
    }
    record.held = false;
    PageRecord before = record.holdBefore;
    PageRecord after = record.holdAfter;
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
    record.holdBefore = null;
    record.holdAfter = null;
  }
}
