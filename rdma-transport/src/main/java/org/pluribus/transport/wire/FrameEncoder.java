package org.pluribus.transport.wire;

import java.nio.ByteOrder;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.TwinStore;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.wire.sbe.BusReplyEncoder;
import org.pluribus.transport.wire.sbe.BusRequestEncoder;
import org.pluribus.transport.wire.sbe.ClockProbeEncoder;
import org.pluribus.transport.wire.sbe.CoherenceEncoder;
import org.pluribus.transport.wire.sbe.EoiEncoder;
import org.pluribus.transport.wire.sbe.HelloEncoder;
import org.pluribus.transport.wire.sbe.HurryEncoder;
import org.pluribus.transport.wire.sbe.IpiEncoder;
import org.pluribus.transport.wire.sbe.LifecycleEncoder;
import org.pluribus.transport.wire.sbe.MessageHeaderEncoder;
import org.pluribus.transport.wire.sbe.ReportEncoder;

/**
 * Writes frames into memory claimed beforehand; the claim's length is one of the {@code ..._BYTES}
 * here. Allocates nothing. One thread at a time.
 */
public final class FrameEncoder {
  private static final int HEADER = MessageHeaderEncoder.ENCODED_LENGTH;

  /** Length of a coherence frame without page bytes. */
  public static final int COHERENCE_BYTES =
      HEADER + CoherenceEncoder.BLOCK_LENGTH + CoherenceEncoder.payloadHeaderLength();

  public static final int HELLO_BYTES = HEADER + HelloEncoder.BLOCK_LENGTH;
  public static final int IPI_BYTES = HEADER + IpiEncoder.BLOCK_LENGTH;
  public static final int HURRY_BYTES = HEADER + HurryEncoder.BLOCK_LENGTH;
  public static final int EOI_BYTES = HEADER + EoiEncoder.BLOCK_LENGTH;
  public static final int BUS_REQUEST_BYTES = HEADER + BusRequestEncoder.BLOCK_LENGTH;
  public static final int BUS_REPLY_BYTES = HEADER + BusReplyEncoder.BLOCK_LENGTH;
  public static final int CLOCK_PROBE_BYTES = HEADER + ClockProbeEncoder.BLOCK_LENGTH;

  /** Length of a lifecycle frame without its text. */
  public static final int LIFECYCLE_BYTES =
      HEADER + LifecycleEncoder.BLOCK_LENGTH + LifecycleEncoder.textHeaderLength();

  /** Length of a report frame without its piece. */
  public static final int REPORT_BYTES =
      HEADER + ReportEncoder.BLOCK_LENGTH + ReportEncoder.pieceHeaderLength();

  /** Most report bytes in one frame. */
  public static final int MAX_PIECE_BYTES = 4096;

  private final MessageHeaderEncoder header = new MessageHeaderEncoder();
  private final HelloEncoder hello = new HelloEncoder();
  private final CoherenceEncoder coherence = new CoherenceEncoder();
  private final HurryEncoder hurry = new HurryEncoder();
  private final IpiEncoder ipi = new IpiEncoder();
  private final EoiEncoder eoi = new EoiEncoder();
  private final BusRequestEncoder busRequest = new BusRequestEncoder();
  private final BusReplyEncoder busReply = new BusReplyEncoder();
  private final LifecycleEncoder lifecycle = new LifecycleEncoder();
  private final ClockProbeEncoder clockProbe = new ClockProbeEncoder();
  private final ReportEncoder report = new ReportEncoder();
  private final UnsafeBuffer page = new UnsafeBuffer(0, 0);

  void hello(MutableDirectBuffer buffer, int offset, Hello message) {
    hello
        .wrapAndApplyHeader(buffer, offset, header)
        .protocolVersion(message.protocolVersion())
        .nodeId(message.nodeId())
        .nodeCount(message.nodeCount())
        .incarnation(message.incarnation())
        .configHash(message.configHash());
    byte[] hash = message.vmKeyHash();
    for (int i = 0; i < hash.length; i++) {
      hello.vmKeyHash(i, hash[i]);
    }
  }

  /**
   * A coherence message.
   *
   * @param pageAddress native address of the page whose bytes, or blocks of them, the message
   *     carries, or 0 for a message without
   */
  public void coherence(
      MutableDirectBuffer buffer, int offset, CoherenceMessage message, long pageAddress) {
    coherence
        .wrapAndApplyHeader(buffer, offset, header)
        .page(message.page)
        .pageVersion(message.version)
        .baseVersion(message.base)
        .blocks(message.blocks)
        .ackCount(message.ackCount)
        .flags(message.flags)
        .requester(message.requester)
        .messageType((short) message.type.code())
        .waitingSince(message.waitingSince);
    if (pageAddress == 0) {
      coherence.putPayload(page, 0, 0);
    } else {
      // The caller vouches that a whole page is mapped there; guest RAM is, for the VM's life.
      page.wrap(pageAddress, PagePayload.PAGE_BYTES);
      if (message.carriesData()) {
        coherence.putPayload(page, 0, PagePayload.PAGE_BYTES);
      } else {
        putBlocks(buffer, offset + COHERENCE_BYTES, message);
      }
    }
  }

  /** One block behind the other, neighbours in one go. */
  private void putBlocks(MutableDirectBuffer buffer, int offset, CoherenceMessage message) {
    coherence.putPayload(page, 0, 0);
    coherence.limit(offset + message.bytesCarried());
    buffer.putShort(offset - Short.BYTES, (short) message.bytesCarried(), ByteOrder.LITTLE_ENDIAN);
    int to = offset;
    for (long rest = message.blocks; rest != 0; ) {
      int first = Long.numberOfTrailingZeros(rest);
      int count = Long.numberOfTrailingZeros(~(rest >>> first));
      int bytes = count * TwinStore.BLOCK_BYTES;
      buffer.putBytes(to, page, first * TwinStore.BLOCK_BYTES, bytes);
      to += bytes;
      rest &= first + count < Long.SIZE ? -1L << (first + count) : 0;
    }
  }

  public void ipi(MutableDirectBuffer buffer, int offset, IpiMessage message) {
    ipi.wrapAndApplyHeader(buffer, offset, header)
        .destination(Integer.toUnsignedLong(message.destination))
        .vector((short) message.vector)
        .deliveryMode((short) message.deliveryMode)
        .destinationMode(bit(message.logical))
        .level(bit(message.assertLevel))
        .trigger(bit(message.levelTriggered))
        .shorthand((short) message.shorthand)
        .hops(message.hops);
  }

  public void hurry(MutableDirectBuffer buffer, int offset, long page, long waitingSince) {
    hurry.wrapAndApplyHeader(buffer, offset, header).page(page).waitingSince(waitingSince);
  }

  public void eoi(MutableDirectBuffer buffer, int offset, int vector) {
    eoi.wrapAndApplyHeader(buffer, offset, header).vector((short) vector);
  }

  public void busRequest(MutableDirectBuffer buffer, int offset, BusRequest message) {
    busRequest
        .wrapAndApplyHeader(buffer, offset, header)
        .requestId(message.id)
        .address(message.address)
        .value(message.value)
        .space(bit(message.mmio))
        .write(bit(message.write))
        .size((short) message.size);
  }

  public void busReply(
      MutableDirectBuffer buffer, int offset, long id, long value, BusStatus status) {
    busReply
        .wrapAndApplyHeader(buffer, offset, header)
        .requestId(id)
        .value(value)
        .status((short) status.code());
  }

  /** A lifecycle message; the text is at most {@link LifecycleKind#MAX_TEXT_BYTES} long. */
  public void lifecycle(
      MutableDirectBuffer buffer, int offset, LifecycleKind kind, int code, byte[] text) {
    lifecycle
        .wrapAndApplyHeader(buffer, offset, header)
        .code(code)
        .kind((short) kind.code())
        .putText(text, 0, text.length);
  }

  public void clockProbe(
      MutableDirectBuffer buffer, int offset, ClockProbeKind kind, long t0, long t1, long t2) {
    clockProbe
        .wrapAndApplyHeader(buffer, offset, header)
        .t0(t0)
        .t1(t1)
        .t2(t2)
        .kind((short) kind.code());
  }

  /** One piece of a report. */
  public void report(
      MutableDirectBuffer buffer, int offset, byte[] whole, int pieceOffset, int pieceLength) {
    report
        .wrapAndApplyHeader(buffer, offset, header)
        .totalLength(whole.length)
        .pieceOffset(pieceOffset)
        .putPiece(whole, pieceOffset, pieceLength);
  }

  private static short bit(boolean set) {
    return (short) (set ? 1 : 0);
  }
}
