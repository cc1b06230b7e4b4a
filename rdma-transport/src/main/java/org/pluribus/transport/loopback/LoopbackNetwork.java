package org.pluribus.transport.loopback;

import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneNetwork;
import org.pluribus.transport.wire.LaneSink;

/** One node's end of a {@link LoopbackCluster}. */
final class LoopbackNetwork implements LaneNetwork {
  /** Rings want a positive kind with every record; all of ours are frames. */
  private static final int FRAME_KIND = 1;

  private static final int LANES = Lane.values().length;

  private final LoopbackCluster cluster;
  private final int self;
  private final @Nullable MessageHandler[] deliveries;
  private final boolean[] disconnected;
  private @Nullable FrameReceiver receiver;

  LoopbackNetwork(LoopbackCluster cluster, int self) {
    this.cluster = cluster;
    this.self = self;
    deliveries = new MessageHandler[cluster.nodes() * LANES];
    disconnected = new boolean[cluster.nodes()];
  }

  @Override
  public void open(FrameReceiver target) {
    if (!cluster.join(self)) {
      throw new TransportException(
          "node " + self + " has joined already: give every node an id of its own");
    }
    receiver = target;
    for (int peer = 0; peer < cluster.nodes(); peer++) {
      for (Lane lane : Lane.values()) {
        int from = peer;
        deliveries[peer * LANES + lane.code()] =
            (kind, buffer, index, length) -> target.onFrame(from, lane, buffer, index, length);
      }
    }
  }

  @Override
  public LaneSink sink(int peer, Lane lane) {
    return new RingSink(cluster.ring(self, peer, lane));
  }

  @Override
  public boolean isLinked(int peer) {
    return cluster.hasJoined(peer);
  }

  @Override
  public int drive() {
    return 0;
  }

  @Override
  public int poll(int peer, Lane lane, int limit) {
    FrameReceiver target = receiver;
    MessageHandler delivery = deliveries[peer * LANES + lane.code()];
    if (target == null || delivery == null || disconnected[peer]) {
      return 0;
    }
    // Asked before the ring is read: what a leaving node wrote, it wrote before it left.
    boolean left = cluster.hasLeft(peer);
    int delivered = cluster.ring(peer, self, lane).read(delivery, limit);
    if (left && delivered == 0 && lane == Lane.CONTROL) {
      disconnected[peer] = true;
      target.onLinkDown(peer, "closed its channels");
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
  public void close(long lingerNanos) {
    // What was committed is in the peers' rings already. A node that never got its place leaves
    // none.
    if (receiver != null) {
      cluster.leave(self);
    }
  }

  private static final class RingSink implements LaneSink {
    private final OneToOneRingBuffer ring;
    private int claimed;

    RingSink(OneToOneRingBuffer ring) {
      this.ring = ring;
    }

    @Override
    public boolean tryClaim(int length) {
      claimed = ring.tryClaim(FRAME_KIND, length);
      return claimed > 0;
    }

    @Override
    public MutableDirectBuffer buffer() {
      return ring.buffer();
    }

    @Override
    public int offset() {
      return claimed;
    }

    @Override
    public void commit() {
      ring.commit(claimed);
    }
  }
}
