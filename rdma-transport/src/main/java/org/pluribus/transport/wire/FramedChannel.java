package org.pluribus.transport.wire;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.agrona.DirectBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.Channel;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.TransportLimits;

/** A channel that encodes into the lanes of a {@link LaneNetwork}. */
final class FramedChannel implements Channel {
  private static final byte[] NO_TEXT = new byte[0];

  private final int peer;
  private final LaneNetwork network;
  private final int maxQueueBytes;
  private final OutboundLane[] lanes;
  private final FrameEncoder encoder;
  private final Mailbox mailbox;

  /** Read by posting threads, written by the duty token's holder. */
  private volatile boolean open;

  private @Nullable String overflow;
  private long bytesSent;
  private long bytesReceived;
  private volatile long copiedPages;

  FramedChannel(
      int peer, LaneNetwork network, int maxQueueBytes, FrameEncoder encoder, Mailbox mailbox) {
    this.peer = peer;
    this.network = network;
    this.maxQueueBytes = maxQueueBytes;
    this.encoder = encoder;
    this.mailbox = mailbox;
    Lane[] kinds = Lane.values();
    lanes = new OutboundLane[kinds.length];
    for (Lane lane : kinds) {
      lanes[lane.code()] = new OutboundLane(network.sink(peer, lane), maxQueueBytes);
    }
  }

  @Override
  public int peer() {
    return peer;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public boolean sendCoherence(CoherenceMessage message, long payloadAddress) {
    if (message.carriesBytes() != (payloadAddress != NO_PAYLOAD)) {
      throw new IllegalArgumentException(
          message + (payloadAddress == NO_PAYLOAD ? " without its page" : " with a page"));
    }
    boolean beside = message.carriesData() && network.placedAddress(message.page) == payloadAddress;
    int length = FrameEncoder.COHERENCE_BYTES + (beside ? 0 : message.bytesCarried());
    OutboundLane lane = claim(message.lane(), length);
    if (lane == null) {
      return false;
    }
    encoder.coherence(lane.buffer(), lane.offset(), message, beside ? NO_PAYLOAD : payloadAddress);
    if (message.carriesData() && !beside) {
      copiedPages = copiedPages + 1; // by the holder of the duty token only
    }
    if (message.type == MessageType.UNBLOCK) {
      // Nobody here waits for anything after it; often the vCPU that goes on now soon asks again.
      lane.commitPatiently();
    } else {
      lane.commit();
    }
    return true;
  }

  @Override
  public boolean sendHurry(long page, long waitingSince) {
    OutboundLane lane = claim(Lane.CONTROL, FrameEncoder.HURRY_BYTES);
    if (lane == null) {
      return false;
    }
    encoder.hurry(lane.buffer(), lane.offset(), page, waitingSince);
    lane.commit();
    return true;
  }

  @Override
  public boolean sendIpi(IpiMessage ipi) {
    OutboundLane lane = claim(Lane.INTERRUPT, FrameEncoder.IPI_BYTES);
    if (lane == null) {
      return false;
    }
    encoder.ipi(lane.buffer(), lane.offset(), ipi);
    lane.commit();
    return true;
  }

  @Override
  public boolean sendEoi(int vector) {
    OutboundLane lane = claim(Lane.INTERRUPT, FrameEncoder.EOI_BYTES);
    if (lane == null) {
      return false;
    }
    encoder.eoi(lane.buffer(), lane.offset(), vector);
    lane.commit();
    return true;
  }

  @Override
  public boolean sendBusRequest(BusRequest request) {
    OutboundLane lane = claim(Lane.INTERRUPT, FrameEncoder.BUS_REQUEST_BYTES);
    if (lane == null) {
      return false;
    }
    encoder.busRequest(lane.buffer(), lane.offset(), request);
    lane.commit();
    return true;
  }

  @Override
  public boolean sendBusReply(long id, long value, BusStatus status) {
    OutboundLane lane = claim(Lane.INTERRUPT, FrameEncoder.BUS_REPLY_BYTES);
    if (lane == null) {
      return false;
    }
    encoder.busReply(lane.buffer(), lane.offset(), id, value, status);
    lane.commit();
    return true;
  }

  @Override
  public boolean sendClockProbe(ClockProbeKind kind, long t0Nanos, long t1Nanos, long t2Nanos) {
    OutboundLane lane = claim(Lane.INTERRUPT, FrameEncoder.CLOCK_PROBE_BYTES);
    if (lane == null) {
      return false;
    }
    encoder.clockProbe(lane.buffer(), lane.offset(), kind, t0Nanos, t1Nanos, t2Nanos);
    lane.commit();
    return true;
  }

  @Override
  public boolean sendLifecycle(LifecycleKind kind, int code, String text) {
    byte[] bytes = text.isEmpty() ? NO_TEXT : utf8(text);
    OutboundLane lane = claim(Lane.CONTROL, FrameEncoder.LIFECYCLE_BYTES + bytes.length);
    if (lane == null) {
      return false;
    }
    encoder.lifecycle(lane.buffer(), lane.offset(), kind, code, bytes);
    lane.commit();
    if (kind == LifecycleKind.BYE) {
      // The last word; what waits before it still goes out.
      open = false;
    }
    return true;
  }

  @Override
  public boolean sendReport(byte[] json) {
    if (json.length < 1 || json.length > TransportLimits.MAX_REPORT_BYTES) {
      throw new IllegalArgumentException(
          "report of " + json.length + " bytes: must be 1 to " + TransportLimits.MAX_REPORT_BYTES);
    }
    for (int at = 0; at < json.length; at += FrameEncoder.MAX_PIECE_BYTES) {
      int piece = Math.min(FrameEncoder.MAX_PIECE_BYTES, json.length - at);
      OutboundLane lane = claim(Lane.CONTROL, FrameEncoder.REPORT_BYTES + piece);
      if (lane == null) {
        return false;
      }
      encoder.report(lane.buffer(), lane.offset(), json, at, piece);
      lane.commit();
    }
    return true;
  }

  @Override
  public boolean postIpi(IpiMessage ipi) {
    return open && mailbox.postIpi(peer, ipi);
  }

  @Override
  public boolean postEoi(int vector) {
    return open && mailbox.postEoi(peer, vector);
  }

  @Override
  public boolean postBusRequest(BusRequest request) {
    return open && mailbox.postBusRequest(peer, request);
  }

  @Override
  public long queuedBytes(Lane lane) {
    return lanes[lane.code()].queuedBytes();
  }

  @Override
  public long bytesSent() {
    return bytesSent;
  }

  @Override
  public long bytesReceived() {
    return bytesReceived;
  }

  /** Pages copied into frames. Any thread. */
  long copiedPages() {
    return copiedPages;
  }

  /** Sends an encoded frame. */
  void forward(Lane kind, DirectBuffer frame, int offset, int length) {
    OutboundLane lane = claim(kind, length);
    if (lane != null) {
      lane.buffer().putBytes(lane.offset(), frame, offset, length);
      lane.commit();
    }
  }

  /** Sends the hello that makes a channel; needs no open channel. */
  void sendHello(Hello hello) {
    OutboundLane lane = lanes[Lane.CONTROL.code()];
    if (!lane.claim(FrameEncoder.HELLO_BYTES)) {
      throw new IllegalStateException("no room for the first frame");
    }
    encoder.hello(lane.buffer(), lane.offset(), hello);
    lane.commit();
  }

  /** Gives a sign of life, unless something is waiting to go out anyway. */
  void heartbeat() {
    if (open && lanes[Lane.CONTROL.code()].queuedBytes() == 0) {
      sendLifecycle(LifecycleKind.HEARTBEAT, 0, "");
    }
  }

  void countReceived(int length) {
    bytesReceived += length;
  }

  /** Sends what waits, as far as the network takes it. Returns the number of frames it took. */
  int flush() {
    int moved = 0;
    for (OutboundLane lane : lanes) {
      moved += lane.flush();
    }
    return moved;
  }

  boolean hasQueued() {
    for (OutboundLane lane : lanes) {
      if (lane.queuedBytes() != 0) {
        return true;
      }
    }
    return false;
  }

  /** Why this channel took no more, or null. */
  @Nullable String overflow() {
    return overflow;
  }

  void open() {
    open = true;
  }

  /** Takes no more and drops what waits. */
  void close() {
    open = false;
    for (OutboundLane lane : lanes) {
      lane.clear();
    }
  }

  private @Nullable OutboundLane claim(Lane kind, int length) {
    if (!open) {
      return null;
    }
    OutboundLane lane = lanes[kind.code()];
    if (!lane.claim(length)) {
      open = false;
      overflow =
          "does not keep up: more than " + maxQueueBytes + " bytes wait on the " + kind + " lane";
      return null;
    }
    bytesSent += length;
    return lane;
  }

  /** UTF-8 of a text, cut between characters to what a lifecycle message may carry. */
  private static byte[] utf8(String text) {
    ByteBuffer bytes = ByteBuffer.allocate(LifecycleKind.MAX_TEXT_BYTES);
    StandardCharsets.UTF_8
        .newEncoder()
        .onMalformedInput(CodingErrorAction.REPLACE)
        .encode(CharBuffer.wrap(text), bytes, true);
    return Arrays.copyOf(bytes.array(), bytes.position());
  }
}
