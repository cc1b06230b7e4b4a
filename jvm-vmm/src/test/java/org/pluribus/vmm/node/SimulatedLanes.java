package org.pluribus.vmm.node;

import java.util.ArrayDeque;
import java.util.Deque;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneNetwork;
import org.pluribus.transport.wire.LaneSink;

/** One node's end of a {@link SimulatedLinks}: what its real transport sends frames into. */
final class SimulatedLanes implements LaneNetwork {
  /** A frame on its way, or waiting for the node to look. */
  private record Frame(long arrival, byte[] bytes) {}

  private static final int LANES = Lane.values().length;

  private final SimulatedLinks links;
  private final int self;
  private final Deque<Frame>[] incoming;
  private final boolean[] disconnected;
  private @Nullable FrameReceiver receiver;

  @SuppressWarnings("unchecked") // arrays know no type parameters
  SimulatedLanes(SimulatedLinks links, int self, int nodes) {
    this.links = links;
    this.self = self;
    incoming = new Deque[nodes * LANES];
    disconnected = new boolean[nodes];
    for (int i = 0; i < incoming.length; i++) {
      incoming[i] = new ArrayDeque<>();
    }
  }

  /** A frame will be there from a moment on. */
  void arrives(int from, Lane lane, long arrival, byte[] bytes) {
    Deque<Frame> queue = incoming[from * LANES + lane.code()];
    synchronized (queue) {
      queue.addLast(new Frame(arrival, bytes));
    }
  }

  /** Whether a frame that was there at some time has not been delivered. */
  boolean hasFrom(long before) {
    for (Deque<Frame> queue : incoming) {
      if (!queue.isEmpty() && queue.getFirst().arrival < before) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void open(FrameReceiver target) {
    receiver = target;
  }

  @Override
  public LaneSink sink(int peer, Lane lane) {
    return new Sink(peer, lane);
  }

  @Override
  public boolean isLinked(int peer) {
    return true;
  }

  @Override
  public int drive() {
    return 0;
  }

  @Override
  public int poll(int peer, Lane lane, int limit) {
    FrameReceiver target = receiver;
    Deque<Frame> queue = incoming[peer * LANES + lane.code()];
    int delivered = 0;
    while (target != null && delivered < limit && !disconnected[peer]) {
      Frame first;
      synchronized (queue) {
        first = queue.peekFirst();
        if (first == null || first.arrival > links.now()) {
          break;
        }
        queue.removeFirst();
      }
      target.onFrame(peer, lane, new UnsafeBuffer(first.bytes), 0, first.bytes.length);
      delivered++;
    }
    return delivered;
  }

  @Override
  public String name(int peer) {
    return "node " + peer;
  }

  @Override
  public void disconnect(int peer) {
    disconnected[peer] = true;
  }

  @Override
  public void close(long lingerNanos) {}

  private final class Sink implements LaneSink {
    private final int peer;
    private final Lane lane;
    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[MAX_FRAME_BYTES]);
    private int claimed;

    Sink(int peer, Lane lane) {
      this.peer = peer;
      this.lane = lane;
    }

    @Override
    public boolean tryClaim(int length) {
      claimed = length;
      return !links.refuses(self);
    }

    @Override
    public MutableDirectBuffer buffer() {
      return buffer;
    }

    @Override
    public int offset() {
      return 0;
    }

    @Override
    public void commit() {
      byte[] frame = new byte[claimed];
      buffer.getBytes(0, frame);
      links.carry(self, peer, lane, frame);
    }
  }
}
