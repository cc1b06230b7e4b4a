package org.pluribus.coherence.sim;

/**
 * A set of states, each kept as 128 bits of hash. Among ten million states two that differ share a
 * hash with a probability of less than 1 in 10 to the 24th.
 */
final class StateSet {
  private static final int INITIAL_CAPACITY = 1 << 12;

  /** Multipliers of the two halves: odd constants from MurmurHash3 (Appleby, public domain). */
  private static final long LOW_FACTOR = 0x87c37b91114253d5L;

  private static final long HIGH_FACTOR = 0x4cf5ad432745937fL;

  /** Two longs a slot; both 0 means empty. */
  private long[] slots = new long[2 * INITIAL_CAPACITY];

  private int size;

  /** Adds a state's description and says whether it was new. */
  boolean add(CharSequence key) {
    long low = key.length();
    long high = ~low;
    for (int i = 0; i < key.length(); i++) {
      char c = key.charAt(i);
      low = Long.rotateLeft((low ^ c) * LOW_FACTOR, 31);
      high = Long.rotateLeft((high + c) * HIGH_FACTOR, 29) ^ low;
    }
    low = mixed(low);
    high = mixed(high) | 1; // Never the empty slot.
    if (!insert(low, high)) {
      return false;
    }
    if (++size > slots.length / 4) {
      grow();
    }
    return true;
  }

  private static long mixed(long bits) {
    long mixed = (bits ^ (bits >>> 33)) * HIGH_FACTOR;
    return mixed ^ (mixed >>> 29);
  }

  private boolean insert(long low, long high) {
    int mask = slots.length - 2;
    int at = (int) (low << 1) & mask;
    while (slots[at + 1] != 0) {
      if (slots[at] == low && slots[at + 1] == high) {
        return false;
      }
      at = (at + 2) & mask;
    }
    slots[at] = low;
    slots[at + 1] = high;
    return true;
  }

  private void grow() {
    long[] old = slots;
    slots = new long[2 * old.length];
    for (int i = 0; i < old.length; i += 2) {
      if (old[i + 1] != 0) {
        insert(old[i], old[i + 1]);
      }
    }
  }

  int size() {
    return size;
  }
}
