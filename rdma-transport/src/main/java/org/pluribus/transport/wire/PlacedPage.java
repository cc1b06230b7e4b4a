package org.pluribus.transport.wire;

import org.agrona.DirectBuffer;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.wire.sbe.CoherenceDecoder;
import org.pluribus.transport.wire.sbe.MessageHeaderDecoder;

/**
 * Tells frames whose page goes beside them, straight into the receiver's RAM: their message carries
 * a page, but the frame has no bytes of it. One thread at a time; allocates nothing.
 */
public final class PlacedPage {
  /** For frames without such a page. */
  public static final long NONE = -1;

  private final MessageHeaderDecoder header = new MessageHeaderDecoder();
  private final CoherenceDecoder coherence = new CoherenceDecoder();

  /** The page that has to be placed before this frame of our own is sent, or {@link #NONE}. */
  public long of(DirectBuffer buffer, int offset, int length) {
    if (length != FrameEncoder.COHERENCE_BYTES) {
      return NONE;
    }
    header.wrap(buffer, offset);
    if (header.templateId() != CoherenceDecoder.TEMPLATE_ID) {
      return NONE;
    }
    coherence.wrap(
        buffer,
        offset + MessageHeaderDecoder.ENCODED_LENGTH,
        header.blockLength(),
        header.version());
    MessageType type = MessageType.ofCode(coherence.messageType());
    return type != null && type.carriesData() ? coherence.page() : NONE;
  }
}
