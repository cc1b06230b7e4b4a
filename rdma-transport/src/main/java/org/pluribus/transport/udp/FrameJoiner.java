package org.pluribus.transport.udp;

import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.logbuffer.Header;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneNetwork;

/**
 * Makes frames of what one lane brings: most come whole and are handed on where they lie; those
 * longer than the sender's MTU come in fragments and are joined here. Unlike Aeron's own assembler
 * it holds one frame at most, however much a peer sends.
 */
final class FrameJoiner implements FragmentHandler {
  private final int peer;
  private final Lane lane;
  private final FrameReceiver receiver;
  private final MutableDirectBuffer joined =
      new UnsafeBuffer(new byte[LaneNetwork.MAX_FRAME_BYTES]);
  private int filled;

  FrameJoiner(int peer, Lane lane, FrameReceiver receiver) {
    this.peer = peer;
    this.lane = lane;
    this.receiver = receiver;
  }

  @Override
  public void onFragment(DirectBuffer buffer, int offset, int length, Header header) {
    byte flags = header.flags();
    if ((flags & FrameDescriptor.UNFRAGMENTED) == FrameDescriptor.UNFRAGMENTED) {
      receiver.onFrame(peer, lane, buffer, offset, length);
      return;
    }
    if ((flags & FrameDescriptor.BEGIN_FRAG_FLAG) != 0) {
      filled = 0;
    }
    if (length > joined.capacity() - filled) {
      // Nothing of this frame may be taken for another.
      filled = joined.capacity() + 1;
      receiver.onLinkDown(peer, "sent a frame of more than " + joined.capacity() + " bytes");
      return;
    }
    joined.putBytes(filled, buffer, offset, length);
    filled += length;
    if ((flags & FrameDescriptor.END_FRAG_FLAG) != 0) {
      receiver.onFrame(peer, lane, joined, 0, filled);
    }
  }
}
