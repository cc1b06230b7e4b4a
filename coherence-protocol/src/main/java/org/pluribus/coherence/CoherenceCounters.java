package org.pluribus.coherence;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One node's counters. The controllers' thread writes, any thread may read; a reader sees whole
 * values, maybe a moment old (opaque access).
 */
public final class CoherenceCounters {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] cells = new long[CoherenceCounter.values().length];

  /** The value now. */
  public long get(CoherenceCounter counter) {
    return (long) CELL.getOpaque(cells, counter.ordinal());
  }

  void increment(CoherenceCounter counter) {
    add(counter, 1);
  }

  void add(CoherenceCounter counter, long amount) {
    int i = counter.ordinal();
    CELL.setOpaque(cells, i, cells[i] + amount);
  }

  void raiseTo(CoherenceCounter counter, long value) {
    int i = counter.ordinal();
    if (value > cells[i]) {
      CELL.setOpaque(cells, i, value);
    }
  }
}
