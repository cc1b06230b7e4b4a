package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/**
 * The request a home is serving for one page, and those that wait for the same page. A node has at
 * most one request per page under way, so no more than one per node can wait. Pooled.
 */
final class DirectoryTransaction {
  private static final MessageType[] REQUESTS = {
    MessageType.GET_S, MessageType.GET_M, MessageType.UPGRADE
  };

  /** The node being served. */
  int requester;

  /** The nodes asked to give the page up for it, as bits. */
  long asked;

  /**
   * {@link CoherenceMessage#waitingSince} that those were told last: of all who wait for the page,
   * the one's that waits longest.
   */
  long since;

  /** Next in the pool's free list. */
  @Nullable DirectoryTransaction nextFree;

  private final byte[] waitingNode;
  private final byte[] waitingType;
  private final long[] waitingSince;
  private final long[] waitingBase;
  private long waitingSet;
  private int head;
  private int size;

  DirectoryTransaction(int nodes) {
    waitingNode = new byte[nodes];
    waitingType = new byte[nodes];
    waitingSince = new long[nodes];
    waitingBase = new long[nodes];
  }

  /** A new one: nobody is asked for anything. */
  void begin() {
    asked = 0;
    since = Long.MIN_VALUE;
  }

  /** The earliest of a time and those since when the ones in the queue wait. */
  long longestWait(long ofServed) {
    long earliest = ofServed;
    for (int i = 0; i < size; i++) {
      earliest = Math.min(earliest, waitingSince[(head + i) % waitingSince.length]);
    }
    return earliest;
  }

  boolean isWaiting(int node) {
    return (waitingSet & (1L << node)) != 0;
  }

  int waiting() {
    return size;
  }

  /** Appends a request of a node that is not waiting yet. */
  void enqueue(int node, MessageType type, long since, long base) {
    int tail = (head + size) % waitingNode.length;
    waitingNode[tail] = (byte) node;
    waitingType[tail] = (byte) (type.code() - MessageType.GET_S.code());
    waitingSince[tail] = since;
    waitingBase[tail] = base;
    waitingSet |= 1L << node;
    size++;
  }

  /** The node whose request waits longest. Call only while some wait. */
  int firstNode() {
    return waitingNode[head];
  }

  /** The type of the request that waits longest. Call only while some wait. */
  MessageType firstType() {
    return REQUESTS[waitingType[head]];
  }

  /** {@link CoherenceMessage#waitingSince} of the request that waits longest. */
  long firstSince() {
    return waitingSince[head];
  }

  /** {@link CoherenceMessage#base} of the request that waits longest. */
  long firstBase() {
    return waitingBase[head];
  }

  void removeFirst() {
    waitingSet &= ~(1L << waitingNode[head]);
    head = (head + 1) % waitingNode.length;
    size--;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("serving node ").append(requester);
    for (int i = 0; i < size; i++) {
      int slot = (head + i) % waitingNode.length;
      text.append(", ").append(REQUESTS[waitingType[slot]]);
      text.append(" of node ").append(waitingNode[slot]);
      if (waitingBase[slot] != 0) {
        text.append(" base v").append(waitingBase[slot]);
      }
    }
    return text.toString();
  }
}
