package org.pluribus.coherence;

/**
 * A FIFO of message copies for what a node says to itself. It grows to the most it ever had to hold
 * and then allocates no more. It is bounded by the protocol: per page at most one request and one
 * transaction are under way, so no more than a few messages per page can wait. Not thread-safe.
 */
public final class MessageRing {
  private static final int INITIAL_CAPACITY = 16;

  private CoherenceMessage[] slots = newSlots(INITIAL_CAPACITY);
  private int head;
  private int size;

  private static CoherenceMessage[] newSlots(int count) {
    CoherenceMessage[] slots = new CoherenceMessage[count];
    for (int i = 0; i < count; i++) {
      slots[i] = new CoherenceMessage();
    }
    return slots;
  }

  /** Appends a copy of the message. */
  public void add(CoherenceMessage message) {
    if (size == slots.length) {
      grow();
    }
    slots[(head + size) & (slots.length - 1)].copyFrom(message);
    size++;
  }

  /**
   * Moves the oldest message into the given holder.
   *
   * @return false, with the holder untouched, if there is none
   */
  public boolean poll(CoherenceMessage into) {
    if (size == 0) {
      return false;
    }
    into.copyFrom(slots[head]);
    head = (head + 1) & (slots.length - 1);
    size--;
    return true;
  }

  /** How many messages wait. */
  public int size() {
    return size;
  }

  private void grow() {
    CoherenceMessage[] larger = newSlots(slots.length * 2);
    for (int i = 0; i < size; i++) {
      larger[i] = slots[(head + i) & (slots.length - 1)];
    }
    slots = larger;
    head = 0;
  }
}
