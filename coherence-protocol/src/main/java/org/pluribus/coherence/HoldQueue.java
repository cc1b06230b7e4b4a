package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/**
 * Pages granted a short while ago, in the order in which their holds end. Holds differ in length by
 * a factor of two at most, so a new one belongs near the end of the queue, where its place is
 * sought.
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
    PageRecord before = last;
    while (before != null && before.holdUntilNanos - untilNanos > 0) {
      before = before.holdBefore;
    }
    PageRecord after = before == null ? first : before.holdAfter;
    record.holdBefore = before;
    record.holdAfter = after;
    if (before == null) {
      first = record;
    } else {
      before.holdAfter = record;
    }
    if (after == null) {
      last = record;
    } else {
      after.holdBefore = record;
    }
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
