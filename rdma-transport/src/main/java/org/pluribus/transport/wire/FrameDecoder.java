package org.pluribus.transport.wire;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.LongUnaryOperator;
import org.agrona.DirectBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.wire.sbe.BusReplyDecoder;
import org.pluribus.transport.wire.sbe.BusRequestDecoder;
import org.pluribus.transport.wire.sbe.ClockProbeDecoder;
import org.pluribus.transport.wire.sbe.CoherenceDecoder;
import org.pluribus.transport.wire.sbe.EoiDecoder;
import org.pluribus.transport.wire.sbe.HelloDecoder;
import org.pluribus.transport.wire.sbe.HurryDecoder;
import org.pluribus.transport.wire.sbe.IpiDecoder;
import org.pluribus.transport.wire.sbe.LifecycleDecoder;
import org.pluribus.transport.wire.sbe.MessageHeaderDecoder;
import org.pluribus.transport.wire.sbe.ReportDecoder;

/**
 * Checks frames of one peer and delivers those that are right. Nothing of a frame is believed
 * before it is checked: not its length, not its kind, no field. Wrong frames are never delivered,
 * not even in part. One thread at a time; allocates on rare messages only.
 */
final class FrameDecoder {
  private static final int HEADER = MessageHeaderDecoder.ENCODED_LENGTH;

  /** Reserved delivery mode (Intel SDM vol. 3, ICR layout: 011). */
  private static final int RESERVED_DELIVERY_MODE = 3;

  private final NodeIdentity identity;
  private final int peer;
  private final MessageHandler handler;
  private final SessionListener session;
  private final LongUnaryOperator placed;

  private final MessageHeaderDecoder header = new MessageHeaderDecoder();
  private final HelloDecoder hello = new HelloDecoder();
  private final CoherenceDecoder coherence = new CoherenceDecoder();
  private final HurryDecoder hurry = new HurryDecoder();
  private final IpiDecoder ipi = new IpiDecoder();
  private final EoiDecoder eoi = new EoiDecoder();
  private final BusRequestDecoder busRequest = new BusRequestDecoder();
  private final BusReplyDecoder busReply = new BusReplyDecoder();
  private final LifecycleDecoder lifecycle = new LifecycleDecoder();
  private final ClockProbeDecoder clockProbe = new ClockProbeDecoder();
  private final ReportDecoder report = new ReportDecoder();

  private final CoherenceMessage coherenceMessage = new CoherenceMessage();
  private final IpiMessage ipiMessage = new IpiMessage();
  private final BusRequest busRequestMessage = new BusRequest();
  private final PagePayload payload = new PagePayload();
  private final ReportAssembler reports = new ReportAssembler();

  FrameDecoder(NodeIdentity identity, int peer, MessageHandler handler, SessionListener session) {
    this(identity, peer, handler, session, page -> 0);
  }

  /**
   * A decoder.
   *
   * @param placed see {@link LaneNetwork#placedAddress}
   */
  FrameDecoder(
      NodeIdentity identity,
      int peer,
      MessageHandler handler,
      SessionListener session,
      LongUnaryOperator placed) {
    this.placed = placed;
    this.identity = identity;
    this.peer = peer;
    this.handler = handler;
    this.session = session;
  }

  /** Pages copied out of frames. Any thread. */
  long copiedPages() {
    return payload.copies();
  }

  /**
   * Delivers a peer's first frame, which has to be a hello.
   *
   * @return what is wrong with it, or null
   */
  @Nullable String decodeFirst(Lane lane, DirectBuffer buffer, int offset, int length) {
    if (length >= HEADER) {
      header.wrap(buffer, offset);
      if (header.schemaId() == MessageHeaderDecoder.SCHEMA_ID
          && header.templateId() != HelloDecoder.TEMPLATE_ID) {
        return "message kind " + header.templateId() + " before hello";
      }
    }
    return decode(lane, buffer, offset, length);
  }

  /**
   * Delivers one frame if every field of it is right.
   *
   * @return what is wrong with it, or null
   */
  @Nullable String decode(Lane lane, DirectBuffer buffer, int offset, int length) {
    if (length < HEADER) {
      return "frame of " + length + " bytes is shorter than its header";
    }
    header.wrap(buffer, offset);
    if (header.schemaId() != MessageHeaderDecoder.SCHEMA_ID) {
      return "schema " + header.schemaId() + " is not ours";
    }
    int template = header.templateId();
    if (template == HelloDecoder.TEMPLATE_ID) {
      return hello(lane, buffer, offset, length);
    }
    if (header.version() != MessageHeaderDecoder.SCHEMA_VERSION) {
      return "protocol version " + header.version() + " is not ours";
    }
    return switch (template) {
      case CoherenceDecoder.TEMPLATE_ID -> coherence(lane, buffer, offset, length);
      case HurryDecoder.TEMPLATE_ID -> hurry(lane, buffer, offset, length);
      case IpiDecoder.TEMPLATE_ID -> ipi(lane, buffer, offset, length);
      case EoiDecoder.TEMPLATE_ID -> eoi(lane, buffer, offset, length);
      case BusRequestDecoder.TEMPLATE_ID -> busRequest(lane, buffer, offset, length);
      case BusReplyDecoder.TEMPLATE_ID -> busReply(lane, buffer, offset, length);
      case LifecycleDecoder.TEMPLATE_ID -> lifecycle(lane, buffer, offset, length);
      case ClockProbeDecoder.TEMPLATE_ID -> clockProbe(lane, buffer, offset, length);
      case ReportDecoder.TEMPLATE_ID -> report(lane, buffer, offset, length);
      default -> "message kind " + template + " is unknown";
    };
  }

  private @Nullable String hello(Lane lane, DirectBuffer buffer, int offset, int length) {
    // Other versions may have other fields: of those, the first is all we look at.
    if (length < HEADER + Integer.BYTES || lane != Lane.CONTROL) {
      return misframed("hello", lane, length);
    }
    hello.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    byte[] keyHash = new byte[VmKey.HASH_BYTES];
    long version = hello.protocolVersion();
    if (version != Hello.PROTOCOL_VERSION) {
      session.onHello(peer, new Hello(version, 0, 0, 0, 0, keyHash));
      return null;
    }
    if (!framed(HelloDecoder.BLOCK_LENGTH, length)
        || header.version() != MessageHeaderDecoder.SCHEMA_VERSION) {
      return misframed("hello", lane, length);
    }
    for (int i = 0; i < keyHash.length; i++) {
      keyHash[i] = (byte) hello.vmKeyHash(i);
    }
    session.onHello(
        peer,
        new Hello(
            version,
            hello.nodeId(),
            hello.nodeCount(),
            hello.incarnation(),
            hello.configHash(),
            keyHash));
    return null;
  }

  private @Nullable String coherence(Lane lane, DirectBuffer buffer, int offset, int length) {
    int dataAt = HEADER + CoherenceDecoder.BLOCK_LENGTH + CoherenceDecoder.payloadHeaderLength();
    if (header.blockLength() != CoherenceDecoder.BLOCK_LENGTH || length < dataAt) {
      return misframed("coherence", lane, length);
    }
    wrapCoherence(buffer, offset);
    MessageType type = MessageType.ofCode(coherence.messageType());
    if (type == null) {
      return "coherence message type " + coherence.messageType() + " is unknown";
    }
    if (lane != type.lane()) {
      return misframed(type.name(), lane, length);
    }
    long placedAt =
        type.carriesData() && coherence.payloadLength() == 0
            ? placed.applyAsLong(coherence.page())
            : 0;
    coherenceMessage.type = type;
    coherenceMessage.blocks = coherence.blocks();
    int dataLength = placedAt == 0 ? coherenceMessage.bytesCarried() : 0;
    if (coherence.payloadLength() != dataLength || length != dataAt + dataLength) {
      return type + " with " + coherence.payloadLength() + " payload bytes in " + length;
    }
    String fault = coherenceFault(type);
    if (fault != null) {
      return type + " with " + fault;
    }
    coherenceMessage
        .set(
            type,
            coherence.page(),
            peer,
            identity.nodeId(),
            coherence.requester(),
            coherence.ackCount(),
            coherence.pageVersion(),
            coherence.flags())
        .waitingSince(coherence.waitingSince())
        .base(coherence.baseVersion())
        .blocks(coherence.blocks());
    if (placedAt != 0) {
      payload.wrap(placedAt);
    } else if (dataLength == 0) {
      payload.clear();
    } else {
      payload.wrap(buffer, offset + dataAt, dataLength);
    }
    handler.onCoherence(peer, coherenceMessage, payload);
    return null;
  }

  private void wrapCoherence(DirectBuffer buffer, int offset) {
    coherence.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
  }

  private @Nullable String hurry(Lane lane, DirectBuffer buffer, int offset, int length) {
    if (!framed(HurryDecoder.BLOCK_LENGTH, length) || lane != Lane.CONTROL) {
      return misframed("hurry", lane, length);
    }
    hurry.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    String fault = pageFault(hurry.page());
    if (fault != null) {
      return "hurry with " + fault;
    }
    handler.onHurry(peer, hurry.page(), hurry.waitingSince());
    return null;
  }

  private @Nullable String pageFault(long page) {
    return page < 0 || page >= identity.pageCount()
        ? "page " + page + " of " + identity.pageCount()
        : null;
  }

  private @Nullable String coherenceFault(MessageType type) {
    String pageFault = pageFault(coherence.page());
    if (pageFault != null) {
      return pageFault;
    }
    if (coherence.requester() >= identity.nodeCount()) {
      return "requester " + coherence.requester() + " of " + identity.nodeCount() + " nodes";
    }
    if (coherence.ackCount() < 0 || coherence.ackCount() >= identity.nodeCount()) {
      return "ack count " + coherence.ackCount() + " among " + identity.nodeCount() + " nodes";
    }
    if (coherence.pageVersion() < 0) {
      return "page version " + coherence.pageVersion();
    }
    if (coherence.baseVersion() < 0) {
      return "base version " + coherence.baseVersion();
    }
    boolean blocks = type.carriesBlocks();
    if (Long.bitCount(coherence.blocks()) > (blocks ? CoherenceMessage.MAX_BLOCKS : 0)) {
      return "blocks 0x" + Long.toHexString(coherence.blocks());
    }
    if ((coherence.flags() & ~CoherenceMessage.ALL_FLAGS) != 0) {
      return "flags 0x" + Integer.toHexString(coherence.flags());
    }
    return null;
  }

  private @Nullable String ipi(Lane lane, DirectBuffer buffer, int offset, int length) {
    if (!framed(IpiDecoder.BLOCK_LENGTH, length) || lane != Lane.INTERRUPT) {
      return misframed("IPI", lane, length);
    }
    ipi.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    int mode = ipi.deliveryMode();
    if (mode > IpiMessage.MAX_DELIVERY_MODE
        || mode == RESERVED_DELIVERY_MODE
        || ipi.destinationMode() > 1
        || ipi.level() > 1
        || ipi.trigger() > 1
        || ipi.shorthand() > IpiMessage.MAX_SHORTHAND
        || ipi.hops() > IpiMessage.MAX_HOPS) {
      return "IPI with delivery mode "
          + mode
          + ", destination mode "
          + ipi.destinationMode()
          + ", level "
          + ipi.level()
          + ", trigger "
          + ipi.trigger()
          + ", shorthand "
          + ipi.shorthand()
          + ", hops "
          + ipi.hops();
    }
    ipiMessage.set(
        (int) ipi.destination(),
        ipi.destinationMode() == 1,
        mode,
        ipi.vector(),
        ipi.level() == 1,
        ipi.trigger() == 1,
        ipi.shorthand(),
        ipi.hops());
    handler.onIpi(peer, ipiMessage);
    return null;
  }

  private @Nullable String eoi(Lane lane, DirectBuffer buffer, int offset, int length) {
    if (!framed(EoiDecoder.BLOCK_LENGTH, length) || lane != Lane.INTERRUPT) {
      return misframed("EOI", lane, length);
    }
    eoi.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    handler.onEoi(peer, eoi.vector());
    return null;
  }

  private @Nullable String busRequest(Lane lane, DirectBuffer buffer, int offset, int length) {
    if (!framed(BusRequestDecoder.BLOCK_LENGTH, length) || lane != Lane.INTERRUPT) {
      return misframed("bus request", lane, length);
    }
    busRequest.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    if (busRequest.space() > 1 || busRequest.write() > 1) {
      return "bus request with space " + busRequest.space() + ", write " + busRequest.write();
    }
    BusRequest message = busRequestMessage;
    message.id = busRequest.requestId();
    message.mmio = busRequest.space() == 1;
    message.write = busRequest.write() == 1;
    message.address = busRequest.address();
    message.size = busRequest.size();
    message.value = busRequest.value();
    String fault = message.fault();
    if (fault != null) {
      return "bus request with wrong " + fault + ": " + message;
    }
    handler.onBusRequest(peer, message);
    return null;
  }

  private @Nullable String busReply(Lane lane, DirectBuffer buffer, int offset, int length) {
    if (!framed(BusReplyDecoder.BLOCK_LENGTH, length) || lane != Lane.INTERRUPT) {
      return misframed("bus reply", lane, length);
    }
    busReply.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    BusStatus status = BusStatus.ofCode(busReply.status());
    if (status == null) {
      return "bus reply with status " + busReply.status();
    }
    handler.onBusReply(peer, busReply.requestId(), busReply.value(), status);
    return null;
  }

  private @Nullable String lifecycle(Lane lane, DirectBuffer buffer, int offset, int length) {
    int textAt = HEADER + LifecycleDecoder.BLOCK_LENGTH + LifecycleDecoder.textHeaderLength();
    if (header.blockLength() != LifecycleDecoder.BLOCK_LENGTH
        || length < textAt
        || lane != Lane.CONTROL) {
      return misframed("lifecycle", lane, length);
    }
    lifecycle.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    LifecycleKind kind = LifecycleKind.ofCode(lifecycle.kind());
    if (kind == null) {
      return "lifecycle kind " + lifecycle.kind() + " is unknown";
    }
    int textLength = lifecycle.textLength();
    if (textLength > LifecycleKind.MAX_TEXT_BYTES || length != textAt + textLength) {
      return kind + " with " + textLength + " text bytes in " + length;
    }
    if (kind == LifecycleKind.HEARTBEAT) {
      session.onHeartbeat(peer);
      return null;
    }
    int code = lifecycle.code();
    String text = text(buffer, offset + textAt, textLength);
    if (text == null) {
      return kind + " with a text that is not UTF-8";
    }
    if (kind == LifecycleKind.BYE) {
      session.onBye(peer);
    }
    handler.onLifecycle(peer, kind, code, text);
    return null;
  }

  /** The text, its control characters made harmless for logs and terminals; null if not UTF-8. */
  private static @Nullable String text(DirectBuffer buffer, int offset, int length) {
    byte[] bytes = new byte[length];
    buffer.getBytes(offset, bytes);
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.replaceAll("\\p{Cntrl}", " ");
    } catch (CharacterCodingException notUtf8) {
      return null;
    }
  }

  private @Nullable String clockProbe(Lane lane, DirectBuffer buffer, int offset, int length) {
    if (!framed(ClockProbeDecoder.BLOCK_LENGTH, length) || lane != Lane.INTERRUPT) {
      return misframed("clock probe", lane, length);
    }
    clockProbe.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    ClockProbeKind kind = ClockProbeKind.ofCode(clockProbe.kind());
    if (kind == null) {
      return "clock probe of kind " + clockProbe.kind();
    }
    handler.onClockProbe(peer, kind, clockProbe.t0(), clockProbe.t1(), clockProbe.t2());
    return null;
  }

  private @Nullable String report(Lane lane, DirectBuffer buffer, int offset, int length) {
    int pieceAt = HEADER + ReportDecoder.BLOCK_LENGTH + ReportDecoder.pieceHeaderLength();
    if (header.blockLength() != ReportDecoder.BLOCK_LENGTH
        || length < pieceAt
        || lane != Lane.CONTROL) {
      return misframed("report", lane, length);
    }
    report.wrap(buffer, offset + HEADER, header.blockLength(), header.version());
    int pieceLength = report.pieceLength();
    if (pieceLength < 1
        || pieceLength > FrameEncoder.MAX_PIECE_BYTES
        || length != pieceAt + pieceLength) {
      return "report piece of " + pieceLength + " bytes in " + length;
    }
    String fault = reports.add(report, pieceLength);
    if (fault != null) {
      return fault;
    }
    byte[] complete = reports.takeComplete();
    if (complete != null) {
      handler.onReport(peer, complete);
    }
    return null;
  }

  private boolean framed(int blockLength, int length) {
    return header.blockLength() == blockLength && length == HEADER + blockLength;
  }

  private static String misframed(String what, Lane lane, int length) {
    return what + " message of " + length + " bytes on the " + lane + " lane";
  }
}
