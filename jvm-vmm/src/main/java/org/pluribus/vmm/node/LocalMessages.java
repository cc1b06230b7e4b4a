package org.pluribus.vmm.node;

import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;

/**
 * Messages from a node to itself, in order. A ring of holders that grows to its high-water mark:
 * their number is bounded by the pages being asked for at once. Token holder only.
 */
final class LocalMessages {
  private CoherenceMessage[] ring = filled(64);
  private int head;
  private int count;

  void add(CoherenceMessage m) {
    if (count == ring.length) {
      grow();
    }
    ring[head + count & ring.length - 1].copyFrom(m);
    count++;
  }

  /**
   * The next message, or null. Valid until the next call of {@link #poll}: adding while it is being
   * handled never overwrites it.
   */
  @Nullable CoherenceMessage poll() {
    if (count == 0) {
      return null;
    }
    CoherenceMessage m = ring[head];
    // A fresh holder takes its place, so that messages added meanwhile leave it alone.
    ring[head] = spare;
    spare = m;
    head = head + 1 & ring.length - 1;
    count--;
    return m;
  }

  private CoherenceMessage spare = new CoherenceMessage();

  private void grow() {
    CoherenceMessage[] wider = filled(ring.length * 2);
    for (int i = 0; i < count; i++) {
      wider[i] = ring[head + i & ring.length - 1];
    }
    ring = wider;
    head = 0;
  }

  private static CoherenceMessage[] filled(int n) {
    CoherenceMessage[] r = new CoherenceMessage[n];
    for (int i = 0; i < n; i++) {
      r[i] = new CoherenceMessage();
    }
    return r;
  }
}
