package org.pluribus.transport.udp;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneNetwork;
import org.pluribus.transport.wire.LaneSink;

/** One lane to and from one peer: a publication, and a subscription's only image. */
final class AeronLink implements LaneSink {
  private final int peer;
  private final Lane lane;
  private final BufferClaim claim = new BufferClaim();
  private @Nullable ExclusivePublication publication;
  private @Nullable Subscription subscription;
  private @Nullable FragmentHandler delivery;
  private @Nullable Image image;

  /**
   * A claimed frame that is longer than a datagram, until it is committed; -1 when there is none.
   */
  private int fragmentedLength = -1;

  private final MutableDirectBuffer fragmented =
      new UnsafeBuffer(new byte[LaneNetwork.MAX_FRAME_BYTES]);

  AeronLink(int peer, Lane lane) {
    this.peer = peer;
    this.lane = lane;
  }

  void listen(Aeron client, String channel, int streamId, FrameReceiver receiver) {
    delivery = new FrameJoiner(peer, lane, receiver);
    subscription = client.addSubscription(channel, streamId);
  }

  void publish(Aeron client, String channel, int streamId) {
    publication = client.addExclusivePublication(channel, streamId);
  }

  boolean isUp() {
    Subscription from = subscription;
    if (image == null && from != null && from.imageCount() > 0) {
      image = from.imageAtIndex(0);
    }
    return image != null && publication != null && publication.isConnected();
  }

  /** Whether two processes send to us under one node id. */
  boolean hasTwoSenders() {
    return subscription != null && subscription.imageCount() > 1;
  }

  /** Whether the peer was ever there. */
  boolean hasBegun() {
    return image != null;
  }

  /** Whether the peer has closed its end and all it sent has been delivered. */
  boolean hasEnded() {
    return image != null && (image.isClosed() || image.isEndOfStream());
  }

  int poll(int limit) {
    Image from = image;
    FragmentHandler handler = delivery;
    return from == null || handler == null ? 0 : from.poll(handler, limit);
  }

  /** The driver's id of what we send on. */
  long publicationId() {
    return publication == null ? Aeron.NULL_VALUE : publication.registrationId();
  }

  /** Says end of stream; the driver goes on to bring over what was committed. */
  void closePublication() {
    if (publication != null) {
      publication.close();
    }
  }

  @Override
  public boolean tryClaim(int length) {
    ExclusivePublication to = publication;
    if (to == null) {
      return false;
    }
    if (length > to.maxPayloadLength()) {
      boolean room = hasRoomFor(to, length);
      fragmentedLength = room ? length : -1;
      return room;
    }
    fragmentedLength = -1;
    long position = to.tryClaim(length, claim);
    // At the end of a term the first try only turns to the next one.
    return position > 0 || (position == Publication.ADMIN_ACTION && to.tryClaim(length, claim) > 0);
  }

  /**
   * Whether Aeron is sure to take a frame that needs several datagrams: it takes a frame whole that
   * begins before its limit, and one that doesn't fit into what is left of a term begins at the
   * next. The limit never falls, and nobody else sends here.
   */
  private static boolean hasRoomFor(ExclusivePublication to, int length) {
    int datagrams = (length + to.maxPayloadLength() - 1) / to.maxPayloadLength();
    int most =
        length + datagrams * (DataHeaderFlyweight.HEADER_LENGTH + FrameDescriptor.FRAME_ALIGNMENT);
    long termLeft = to.termBufferLength() - (to.position() & to.termBufferLength() - 1L);
    return to.availableWindow() > (most <= termLeft ? 0 : termLeft);
  }

  @Override
  public MutableDirectBuffer buffer() {
    return fragmentedLength < 0 ? claim.buffer() : fragmented;
  }

  @Override
  public int offset() {
    return fragmentedLength < 0 ? claim.offset() : 0;
  }

  @Override
  public void commit() {
    ExclusivePublication to = publication;
    if (fragmentedLength < 0 || to == null) {
      claim.commit();
      return;
    }
    long position = to.offer(fragmented, 0, fragmentedLength);
    if (position == Publication.ADMIN_ACTION) {
      position = to.offer(fragmented, 0, fragmentedLength);
    }
    if (position < 0) {
      throw new IllegalStateException(
          "Aeron did not take a frame that it has room for: " + Publication.errorString(position));
    }
  }
}
