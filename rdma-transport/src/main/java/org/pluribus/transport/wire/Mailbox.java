package org.pluribus.transport.wire;

import static org.agrona.concurrent.ringbuffer.RingBufferDescriptor.TRAILER_LENGTH;

import java.util.function.IntFunction;
import org.agrona.BufferUtil;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.IpiMessage;

/**
 * Frames for the interrupt lanes from threads that don't hold the duty token (vCPU threads).
 * Bounded; any thread puts in, the token's holder takes out.
 */
final class Mailbox {
  /** Some thousand interrupts: far more than vCPUs can have under way, each waits for its own. */
  private static final int CAPACITY_BYTES = 128 << 10;

  private final ManyToOneRingBuffer ring =
      new ManyToOneRingBuffer(
          new UnsafeBuffer(BufferUtil.allocateDirectAligned(CAPACITY_BYTES + TRAILER_LENGTH, 64)));
  private final ThreadLocal<FrameEncoder> encoder = ThreadLocal.withInitial(FrameEncoder::new);
  private final MessageHandler forwarder;

  /**
   * A mailbox.
   *
   * @param channels gives the channel to a peer
   */
  Mailbox(IntFunction<FramedChannel> channels) {
    forwarder =
        (key, buffer, index, length) -> forward(channels.apply(key - 1), buffer, index, length);
  }

  boolean postIpi(int peer, IpiMessage ipi) {
    FrameEncoder own = encoder.get();
    int index = claim(peer, FrameEncoder.IPI_BYTES);
    if (index < 0) {
      return false;
    }
    own.ipi(ring.buffer(), index, ipi);
    ring.commit(index);
    return true;
  }

  boolean postEoi(int peer, int vector) {
    FrameEncoder own = encoder.get();
    int index = claim(peer, FrameEncoder.EOI_BYTES);
    if (index < 0) {
      return false;
    }
    own.eoi(ring.buffer(), index, vector);
    ring.commit(index);
    return true;
  }

  boolean postBusRequest(int peer, BusRequest request) {
    FrameEncoder own = encoder.get();
    int index = claim(peer, FrameEncoder.BUS_REQUEST_BYTES);
    if (index < 0) {
      return false;
    }
    own.busRequest(ring.buffer(), index, request);
    ring.commit(index);
    return true;
  }

  /** Puts up to {@code limit} posted frames on their lanes. Returns how many. */
  int drain(int limit) {
    return ring.read(forwarder, limit);
  }

  private int claim(int peer, int length) {
    // Message kinds of the ring must be positive, node ids start at 0.
    return ring.tryClaim(peer + 1, length);
  }

  private static void forward(
      FramedChannel channel, MutableDirectBuffer buffer, int index, int length) {
    channel.forward(Lane.INTERRUPT, buffer, index, length);
  }
}
