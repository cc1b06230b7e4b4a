package org.pluribus.vmm.node;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * What has been written to each word of a simulated cluster's memory, and by whom: a read on
 * whichever node must return the last of it.
 */
final class MemoryHistory {
  /** Writes of a word that a failure shows. */
  private static final int SHOWN = 8;

  private record Write(long value, int node, long nanos) {
    @Override
    public String toString() {
      return value + " by node " + node + " at " + nanos;
    }
  }

  private final Map<Long, Deque<Write>> words = new HashMap<>();
  private long values;

  /** Gives a write its value, which no other has. */
  long write(int node, long address, long nanos) {
    Deque<Write> writes = words.computeIfAbsent(address, a -> new ArrayDeque<>());
    if (writes.size() == SHOWN) {
      writes.removeFirst();
    }
    writes.addLast(new Write(++values, node, nanos));
    return values;
  }

  /** What a read of this word must give; 0 before the first write. */
  long expected(long address) {
    Deque<Write> writes = words.get(address);
    return writes == null ? 0 : writes.getLast().value;
  }

  /** Judges a read. */
  void read(int node, long address, long seen, long nanos) {
    if (seen != expected(address)) {
      throw new SimulationFailure(
          "node %d reads %d from page %d, word %d at %d; written were %s"
              .formatted(
                  node,
                  seen,
                  address >> 12,
                  (address & 0xfff) / Long.BYTES,
                  nanos,
                  words.getOrDefault(address, new ArrayDeque<>())));
    }
  }

  /** Every word ever written. */
  Iterable<Long> addresses() {
    return words.keySet();
  }
}
