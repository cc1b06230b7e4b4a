package org.pluribus.transport.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.agrona.concurrent.UnsafeBuffer;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.VmKey;

/** Right frames from node 1 to node 0 of a VM of 2 nodes and 1000 pages. */
final class Frames {
  static final VmKey KEY = VmKey.ofHex("00112233445566778899aabbccddeeff".repeat(2));
  static final NodeIdentity ZERO = new NodeIdentity(0, 2, 1000, KEY, 77);
  static final NodeIdentity ONE = new NodeIdentity(1, 2, 1000, KEY, 77);

  private Frames() {}

  /** A frame and the lane it belongs on. */
  record Frame(Lane lane, byte[] bytes) {}

  static byte[] hello(Hello hello) {
    return encode(FrameEncoder.HELLO_BYTES, (encoder, buffer) -> encoder.hello(buffer, 0, hello));
  }

  static byte[] heartbeat() {
    return lifecycle(LifecycleKind.HEARTBEAT, "");
  }

  static byte[] lifecycle(LifecycleKind kind, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return encode(
        FrameEncoder.LIFECYCLE_BYTES + bytes.length,
        (encoder, buffer) -> encoder.lifecycle(buffer, 0, kind, 3, bytes));
  }

  static byte[] hurry(long page, long waitingSince) {
    return encode(
        FrameEncoder.HURRY_BYTES,
        (encoder, buffer) -> encoder.hurry(buffer, 0, page, waitingSince));
  }

  static byte[] eoi(int vector) {
    return encode(FrameEncoder.EOI_BYTES, (encoder, buffer) -> encoder.eoi(buffer, 0, vector));
  }

  static byte[] report(byte[] whole, int offset, int length) {
    return encode(
        FrameEncoder.REPORT_BYTES + length,
        (encoder, buffer) -> encoder.report(buffer, 0, whole, offset, length));
  }

  static byte[] coherence(CoherenceMessage message) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment page = arena.allocate(PagePayload.PAGE_BYTES, Long.BYTES);
      for (int i = 0; i < PagePayload.PAGE_BYTES; i++) {
        page.set(ValueLayout.JAVA_BYTE, i, pageByte(i));
      }
      boolean data = message.carriesBytes();
      return encode(
          FrameEncoder.COHERENCE_BYTES + message.bytesCarried(),
          (encoder, buffer) -> encoder.coherence(buffer, 0, message, data ? page.address() : 0));
    }
  }

  /** What stands at an offset of the page in {@link #coherence}; differs from block to block. */
  static byte pageByte(int offset) {
    return (byte) (offset * 31 + offset / 64);
  }

  /** At least one right frame of every kind but hello. */
  static List<Frame> all() {
    List<Frame> frames = new ArrayList<>();
    for (MessageType type : MessageType.values()) {
      CoherenceMessage message = new CoherenceMessage().set(type, 999, 1, 0, 1, 1, 5, 3);
      if (type.carriesBlocks()) {
        message.blocks(0x8000_0000_0000_0007L);
        message.base(type == MessageType.DATA_DELTA ? 4 : 0);
      }
      frames.add(new Frame(type.lane(), coherence(message)));
    }
    IpiMessage ipi = new IpiMessage().set(-1, true, 6, 0x9a, true, true, 3, 5);
    frames.add(interrupt(FrameEncoder.IPI_BYTES, (encoder, buffer) -> encoder.ipi(buffer, 0, ipi)));
    frames.add(new Frame(Lane.CONTROL, hurry(999, 7)));
    frames.add(new Frame(Lane.INTERRUPT, eoi(48)));
    BusRequest port = new BusRequest().set(1, false, true, 0xcf8, 4, 0x8000_0000L);
    BusRequest mmio = new BusRequest().set(2, true, false, 0xfee0_0000L, 8, 0);
    for (BusRequest request : List.of(port, mmio)) {
      frames.add(
          interrupt(
              FrameEncoder.BUS_REQUEST_BYTES,
              (encoder, buffer) -> encoder.busRequest(buffer, 0, request)));
    }
    frames.add(
        interrupt(
            FrameEncoder.BUS_REPLY_BYTES,
            (encoder, buffer) -> encoder.busReply(buffer, 0, 7, -1, BusStatus.FAILED)));
    frames.add(
        interrupt(
            FrameEncoder.CLOCK_PROBE_BYTES,
            (encoder, buffer) -> encoder.clockProbe(buffer, 0, ClockProbeKind.REPLY, 1, 2, 3)));
    frames.add(new Frame(Lane.CONTROL, lifecycle(LifecycleKind.STOP, "why: größer")));
    frames.add(new Frame(Lane.CONTROL, heartbeat()));
    frames.add(
        new Frame(Lane.CONTROL, report("{\"id\":1}".getBytes(StandardCharsets.UTF_8), 0, 8)));
    return frames;
  }

  private static Frame interrupt(int length, BiConsumer<FrameEncoder, UnsafeBuffer> body) {
    return new Frame(Lane.INTERRUPT, encode(length, body));
  }

  private static byte[] encode(int length, BiConsumer<FrameEncoder, UnsafeBuffer> body) {
    byte[] bytes = new byte[length];
    body.accept(new FrameEncoder(), new UnsafeBuffer(bytes));
    return bytes;
  }
}
