package org.pluribus.transport.loopback;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;

/**
 * What nodes of one process are joined by: one ring per ordered pair of nodes and lane. Each ring
 * has one writer and one reader, the holders of the two nodes' duty tokens. Thread-safe.
 */
public final class LoopbackCluster {
  /** Room for some dozen interrupts, a hundred control messages, a hundred pages. */
  private static final int INTERRUPT_RING_BYTES = 64 << 10;

  private static final int CONTROL_RING_BYTES = 64 << 10;
  private static final int PAGE_RING_BYTES = 512 << 10;

  private static final int ABSENT = 0;
  private static final int JOINED = 1;
  private static final int LEFT = 2;

  private final int nodes;
  private final OneToOneRingBuffer[] rings;
  private final AtomicIntegerArray states;

  /**
   * A cluster that nobody has joined yet.
   *
   * @param nodes how many nodes will
   */
  public LoopbackCluster(int nodes) {
    if (nodes < 1 || nodes > NodeIdentity.MAX_NODES) {
      throw new IllegalArgumentException(
          "node count " + nodes + ": must be 1 to " + NodeIdentity.MAX_NODES);
    }
    this.nodes = nodes;
    states = new AtomicIntegerArray(nodes);
    rings = new OneToOneRingBuffer[nodes * nodes * Lane.values().length];
    for (int from = 0; from < nodes; from++) {
      for (int to = 0; to < nodes; to++) {
        for (Lane lane : Lane.values()) {
          if (from != to) {
            rings[index(from, to, lane)] = newRing(lane);
          }
        }
      }
    }
  }

  int nodes() {
    return nodes;
  }

  OneToOneRingBuffer ring(int from, int to, Lane lane) {
    return rings[index(from, to, lane)];
  }

  /** Takes a node's place; false if somebody has it or had it. */
  boolean join(int node) {
    return states.compareAndSet(node, ABSENT, JOINED);
  }

  void leave(int node) {
    states.set(node, LEFT);
  }

  boolean hasJoined(int node) {
    return states.get(node) != ABSENT;
  }

  boolean hasLeft(int node) {
    return states.get(node) == LEFT;
  }

  private int index(int from, int to, Lane lane) {
    return (from * nodes + to) * Lane.values().length + lane.code();
  }

  private static OneToOneRingBuffer newRing(Lane lane) {
    int capacity =
        switch (lane) {
          case INTERRUPT -> INTERRUPT_RING_BYTES;
          case CONTROL -> CONTROL_RING_BYTES;
          case PAGE -> PAGE_RING_BYTES;
        };
    return new OneToOneRingBuffer(
        new UnsafeBuffer(
            BufferUtil.allocateDirectAligned(
                capacity + RingBufferDescriptor.TRAILER_LENGTH, BitUtil.CACHE_LINE_LENGTH)));
  }
}
