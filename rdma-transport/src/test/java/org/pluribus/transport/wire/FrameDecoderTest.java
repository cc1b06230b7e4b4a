package org.pluribus.transport.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.RecordingHandler;
import org.pluribus.transport.TransportLimits;

class FrameDecoderTest {
  private static final int FUZZ_ROUNDS = 200_000;
  private static final int MAX_MUTATIONS = 4;

  private final StrictHandler handler = new StrictHandler();
  private final RecordedSession session = new RecordedSession();
  private FrameDecoder decoder = new FrameDecoder(Frames.ZERO, 1, handler, session);

  @Test
  void rightFramesAreRight() {
    for (Frames.Frame frame : Frames.all()) {
      assertThat(decode(frame.lane(), frame.bytes())).isNull();
    }
    assertThat(handler.events).hasSize(Frames.all().size() - 1);
    assertThat(session.heartbeats).isEqualTo(1);
  }

  @Test
  void aPageMayComeBesideItsFrameOnlyWhereTheNetworkPlacesPages() {
    CoherenceMessage data = new CoherenceMessage().set(MessageType.DATA, 5, 1, 0, 0, 0, 1, 0);
    byte[] bytes = new byte[FrameEncoder.COHERENCE_BYTES];
    UnsafeBuffer frame = new UnsafeBuffer(bytes);
    new FrameEncoder().coherence(frame, 0, data, 0);
    assertThat(new PlacedPage().of(frame, 0, bytes.length)).isEqualTo(5);
    assertThat(decode(Lane.PAGE, bytes)).contains("DATA with 0 payload bytes");
    UnsafeBuffer page =
        new UnsafeBuffer(java.nio.ByteBuffer.allocateDirect(PagePayload.PAGE_BYTES));
    decoder =
        new FrameDecoder(
            Frames.ZERO, 1, handler, session, number -> number == 5 ? page.addressOffset() : 0);
    assertThat(decode(Lane.PAGE, bytes)).isNull();
    assertThat(handler.events).hasSize(1);
  }

  @Test
  void everyFrameBelongsOnItsLaneOnly() {
    for (Frames.Frame frame : Frames.all()) {
      for (Lane lane : Lane.values()) {
        if (lane != frame.lane()) {
          assertThat(decode(lane, frame.bytes())).contains(lane + " lane");
        }
      }
    }
    assertThat(handler.events).isEmpty();
  }

  @Test
  void framesOfTheWrongLengthAreRefused() {
    for (Frames.Frame frame : Frames.all()) {
      for (int length = 0; length < Math.min(frame.bytes().length, 80); length++) {
        assertThat(decode(frame.lane(), Arrays.copyOf(frame.bytes(), length))).isNotNull();
      }
      assertThat(decode(frame.lane(), Arrays.copyOf(frame.bytes(), frame.bytes().length + 1)))
          .isNotNull();
    }
    assertThat(handler.events).isEmpty();
    assertThat(session.heartbeats).isZero();
  }

  @Test
  void hurriesAreChecked() {
    assertThat(decode(Lane.CONTROL, Frames.hurry(999, Long.MIN_VALUE))).isNull();
    assertThat(decode(Lane.CONTROL, Frames.hurry(1000, 0)))
        .isEqualTo("hurry with page 1000 of 1000");
    assertThat(decode(Lane.CONTROL, Frames.hurry(-1, 0))).isEqualTo("hurry with page -1 of 1000");
    assertThat(decode(Lane.PAGE, Frames.hurry(5, 0))).contains("hurry message of", "PAGE lane");
    assertThat(decode(Lane.CONTROL, Arrays.copyOf(Frames.hurry(5, 0), 16)))
        .contains("hurry message of 16 bytes");
  }

  @Test
  void everyCoherenceFieldIsChecked() {
    assertThat(coherence(1000, 1, 0, 0, 0)).isEqualTo("INV with page 1000 of 1000");
    assertThat(coherence(-1, 1, 0, 0, 0)).isEqualTo("INV with page -1 of 1000");
    assertThat(coherence(0, 2, 0, 0, 0)).isEqualTo("INV with requester 2 of 2 nodes");
    assertThat(coherence(0, 1, 2, 0, 0)).isEqualTo("INV with ack count 2 among 2 nodes");
    assertThat(coherence(0, 1, -1, 0, 0)).isEqualTo("INV with ack count -1 among 2 nodes");
    assertThat(coherence(0, 1, 0, -1, 0)).isEqualTo("INV with page version -1");
    assertThat(coherence(0, 1, 0, 0, 4)).isEqualTo("INV with flags 0x4");
    assertThat(coherence(0, 1, 0, 0, 0)).isNull();
    assertThat(handler.events).hasSize(1);
  }

  @Test
  void pageBytesGoWithDataOnly() {
    byte[] data =
        Frames.coherence(new CoherenceMessage().set(MessageType.DATA, 1, 1, 0, 0, 0, 0, 0));
    byte[] inv = Frames.coherence(new CoherenceMessage().set(MessageType.INV, 1, 1, 0, 0, 0, 0, 0));
    int typeAt = FrameEncoder.COHERENCE_BYTES - Short.BYTES - 1;
    data[typeAt] = (byte) MessageType.INV.code();
    inv[typeAt] = (byte) MessageType.DATA.code();
    assertThat(decode(Lane.CONTROL, data)).isEqualTo("INV with 4096 payload bytes in 4157");
    assertThat(decode(Lane.PAGE, inv)).isEqualTo("DATA with 0 payload bytes in 61");
    inv[typeAt] = 99;
    assertThat(decode(Lane.CONTROL, inv)).isEqualTo("coherence message type 99 is unknown");
  }

  @Test
  void blocksOfADeltaComeToTheirPlaces() {
    long all = -1L;
    for (long blocks : new long[] {0, 1, 1L << 63, 0x8000_00f0_0000_0007L, all >>> 32, all << 32}) {
      CoherenceMessage delta =
          new CoherenceMessage().set(MessageType.DATA_DELTA, 5, 1, 0, 0, 0, 7, 0);
      byte[] frame = Frames.coherence(delta.base(3).blocks(blocks));
      assertThat(frame).hasSize(FrameEncoder.COHERENCE_BYTES + 64 * Long.bitCount(blocks));
      fresh();
      assertThat(decode(Lane.PAGE, frame)).isNull();
      assertThat(handler.events).containsExactly(delta.toString());
      for (int i = 0; i < PagePayload.PAGE_BYTES; i++) {
        boolean sent = (blocks & 1L << (i / 64)) != 0;
        assertThat(handler.page[i]).isEqualTo(sent ? Frames.pageByte(i) : 0);
      }
      Arrays.fill(handler.page, (byte) 0);
      handler.events.clear();
      // Not a page that the network may put in place, also where its frame has no bytes.
      assertThat(new PlacedPage().of(new UnsafeBuffer(frame), 0, frame.length))
          .isEqualTo(PlacedPage.NONE);
    }
  }

  @Test
  void whatASparsePageLeavesOutIsZero() {
    long all = -1L;
    for (long blocks : new long[] {0, 1, 1L << 63, 0x8000_00f0_0000_0007L, all >>> 32, all << 32}) {
      CoherenceMessage sparse =
          new CoherenceMessage().set(MessageType.DATA_SPARSE, 5, 1, 0, 0, 0, 7, 0).blocks(blocks);
      byte[] frame = Frames.coherence(sparse);
      assertThat(frame).hasSize(FrameEncoder.COHERENCE_BYTES + 64 * Long.bitCount(blocks));
      Arrays.fill(handler.page, (byte) 0xa5);
      handler.events.clear();
      fresh();
      assertThat(decode(Lane.PAGE, frame)).isNull();
      assertThat(handler.events).containsExactly(sparse.toString());
      for (int i = 0; i < PagePayload.PAGE_BYTES; i++) {
        boolean sent = (blocks & 1L << (i / 64)) != 0;
        assertThat(handler.page[i]).as("byte %d", i).isEqualTo(sent ? Frames.pageByte(i) : 0);
      }
      assertThat(new PlacedPage().of(new UnsafeBuffer(frame), 0, frame.length))
          .isEqualTo(PlacedPage.NONE);
    }
  }

  @Test
  void fieldsOfASparsePageAreChecked() {
    CoherenceMessage sparse =
        new CoherenceMessage().set(MessageType.DATA_SPARSE, 5, 1, 0, 0, 0, 7, 0);
    assertThat(decode(Lane.PAGE, Frames.coherence(sparse.blocks(-1L >>> 31))))
        .isEqualTo("DATA_SPARSE with blocks 0x1ffffffff");
    byte[] frame = Frames.coherence(sparse.blocks(3));
    assertThat(decode(Lane.CONTROL, frame)).startsWith("DATA_SPARSE");
    assertThat(decode(Lane.PAGE, Arrays.copyOf(frame, frame.length - 64)))
        .isEqualTo("DATA_SPARSE with 128 payload bytes in 125");
    assertThat(handler.events).isEmpty();
  }

  @Test
  void fieldsOfADeltaAreChecked() {
    CoherenceMessage delta =
        new CoherenceMessage().set(MessageType.DATA_DELTA, 5, 1, 0, 0, 0, 7, 0);
    assertThat(decode(Lane.PAGE, Frames.coherence(delta.base(-1).blocks(1))))
        .isEqualTo("DATA_DELTA with base version -1");
    assertThat(decode(Lane.PAGE, Frames.coherence(delta.base(1).blocks(-1L >>> 31))))
        .isEqualTo("DATA_DELTA with blocks 0x1ffffffff");
    byte[] frame = Frames.coherence(delta.base(1).blocks(3));
    assertThat(decode(Lane.PAGE, Arrays.copyOf(frame, frame.length - 64)))
        .isEqualTo("DATA_DELTA with 128 payload bytes in 125");
    CoherenceMessage inv = new CoherenceMessage().set(MessageType.INV, 5, 1, 0, 0, 0, 0, 0);
    assertThat(decode(Lane.CONTROL, Frames.coherence(inv.blocks(1))))
        .isEqualTo("INV with blocks 0x1");
    assertThat(handler.events).isEmpty();
  }

  @Test
  void textMustBeUtf8AndItsControlCharactersAreTakenOut() {
    byte[] frame = Frames.lifecycle(LifecycleKind.STOP, "a\u001b[31mb\nc");
    assertThat(decode(Lane.CONTROL, frame)).isNull();
    assertThat(handler.events).containsExactly("1 STOP 3 a [31mb c");
    frame[frame.length - 1] = (byte) 0xff;
    assertThat(decode(Lane.CONTROL, frame)).isEqualTo("STOP with a text that is not UTF-8");
    assertThat(decode(Lane.CONTROL, Frames.lifecycle(LifecycleKind.STOP, "x".repeat(513))))
        .contains("513 text bytes");
  }

  @Test
  void reportPiecesMustFitTogether() {
    byte[] json = "0123456789".getBytes(StandardCharsets.UTF_8);
    assertThat(decode(Lane.CONTROL, Frames.report(json, 4, 6)))
        .isEqualTo("report piece at 4 of 10 bytes after 0 of 10");
    fresh();
    assertThat(decode(Lane.CONTROL, Frames.report(json, 0, 6))).isNull();
    assertThat(handler.events).isEmpty();
    assertThat(decode(Lane.CONTROL, Frames.report(new byte[9], 6, 3))).contains("of 9 bytes");
    assertThat(decode(Lane.CONTROL, Frames.report(json, 6, 4))).isNull();
    assertThat(handler.events).containsExactly("1 report 0123456789");
    byte[] large = new byte[TransportLimits.MAX_REPORT_BYTES + 1];
    assertThat(decode(Lane.CONTROL, Frames.report(large, 0, 1))).startsWith("report of ");
    assertThat(decode(Lane.CONTROL, Frames.report(json, 0, 0))).startsWith("report piece of 0");
  }

  @Test
  void firstFrameIsHello() {
    UnsafeBuffer eoi = new UnsafeBuffer(Frames.eoi(1));
    assertThat(decoder.decodeFirst(Lane.INTERRUPT, eoi, 0, eoi.capacity()))
        .isEqualTo("message kind 4 before hello");
    UnsafeBuffer hello = new UnsafeBuffer(Frames.hello(Hello.of(Frames.ONE, 5)));
    assertThat(decoder.decodeFirst(Lane.CONTROL, hello, 0, hello.capacity())).isNull();
    Hello got = Objects.requireNonNull(session.hello);
    assertThat(Hello.of(Frames.ZERO, 1).objection(got, 1, "node 1")).isNull();
    assertThat(got.incarnation()).isEqualTo(5);
  }

  @Test
  void helloOfAnotherVersionIsUnderstoodAsFarAsItsVersion() {
    byte[] frame = Frames.hello(Hello.of(Frames.ONE, 5));
    UnsafeBuffer buffer = new UnsafeBuffer(Arrays.copyOf(frame, frame.length + 40));
    buffer.putShort(0, (short) 80);
    buffer.putShort(6, (short) 9);
    buffer.putInt(8, 9);
    assertThat(decoder.decodeFirst(Lane.CONTROL, buffer, 0, buffer.capacity())).isNull();
    Hello got = Objects.requireNonNull(session.hello);
    assertThat(Hello.of(Frames.ZERO, 1).objection(got, 1, "node 1"))
        .isEqualTo(
            "node 1 speaks protocol version 9, this node 5: run the same release on all nodes");
  }

  /** Frames that were right until a few bytes changed: refused or still right, never a throw. */
  @Test
  void mutatedFramesNeverThrowAndNothingWrongIsDelivered() {
    long seed = Long.getLong("pluribus.seed", System.nanoTime());
    Random random = new Random(seed);
    List<Frames.Frame> frames = Frames.all();
    int refused = 0;
    for (int round = 0; round < FUZZ_ROUNDS; round++) {
      Frames.Frame frame = frames.get(random.nextInt(frames.size()));
      byte[] bytes = mutate(frame.bytes(), random);
      try {
        if (decode(frame.lane(), bytes) != null) {
          refused++;
          fresh();
        }
        handler.events.clear();
      } catch (RuntimeException | AssertionError thrown) {
        fail("round " + round + " of seed " + seed + ": " + Arrays.toString(bytes), thrown);
      }
    }
    assertThat(refused).as("refused, seed %d", seed).isBetween(FUZZ_ROUNDS / 4, FUZZ_ROUNDS - 1);
  }

  private static byte[] mutate(byte[] right, Random random) {
    int length = right.length;
    if (random.nextInt(4) == 0) {
      length = random.nextInt(2 * length);
    }
    byte[] bytes = Arrays.copyOf(right, length);
    int interesting = Math.min(length, 48);
    for (int i = random.nextInt(MAX_MUTATIONS) + 1; i > 0 && interesting > 0; i--) {
      int at = random.nextInt(interesting);
      bytes[at] =
          switch (random.nextInt(4)) {
            case 0 -> (byte) 0;
            case 1 -> (byte) 0xff;
            case 2 -> (byte) (bytes[at] ^ (1 << random.nextInt(8)));
            default -> (byte) random.nextInt(256);
          };
    }
    return bytes;
  }

  private @Nullable String coherence(
      long page, int requester, int ackCount, long version, int flags) {
    return decode(
        Lane.CONTROL,
        Frames.coherence(
            new CoherenceMessage()
                .set(MessageType.INV, page, 1, 0, requester, ackCount, version, flags)));
  }

  private @Nullable String decode(Lane lane, byte[] bytes) {
    // At an offset and with more behind it, as in a network's log.
    UnsafeBuffer buffer = new UnsafeBuffer(new byte[bytes.length + 64]);
    buffer.putBytes(24, bytes);
    return decoder.decode(lane, buffer, 24, bytes.length);
  }

  private void fresh() {
    decoder = new FrameDecoder(Frames.ZERO, 1, handler, session);
  }

  /** Fails if anything out of range is delivered. */
  private static final class StrictHandler extends RecordingHandler {
    /** A page that blocks are copied to. */
    private final byte[] page = new byte[PagePayload.PAGE_BYTES];

    @Override
    public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
      assertThat(message.page).isBetween(0L, 999L);
      assertThat(message.requester).isBetween(0, 1);
      assertThat(message.ackCount).isBetween(0, 1);
      assertThat(message.from).isEqualTo(1);
      assertThat(message.to).isZero();
      assertThat(message.flags).isBetween(0, CoherenceMessage.ALL_FLAGS);
      assertThat(payload.isEmpty()).isEqualTo(message.bytesCarried() == 0);
      if (message.type.carriesBlocks()) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment mirror =
              arena.allocate(page.length, Long.BYTES).copyFrom(MemorySegment.ofArray(page));
          if (message.type == MessageType.DATA_SPARSE) {
            payload.copySparseTo(mirror.address(), message.blocks);
          } else {
            payload.copyBlocksTo(mirror.address(), message.blocks);
          }
          MemorySegment.ofArray(page).copyFrom(mirror);
        }
      }
      events.add(message.toString());
    }

    @Override
    public void onIpi(int from, IpiMessage ipi) {
      assertThat(ipi.deliveryMode).isBetween(0, 7).isNotEqualTo(3);
      assertThat(ipi.vector).isBetween(0, 255);
      assertThat(ipi.shorthand).isBetween(0, 3);
      assertThat(ipi.hops).isBetween(0, IpiMessage.MAX_HOPS);
      super.onIpi(from, ipi);
    }

    @Override
    public void onBusRequest(int from, BusRequest request) {
      assertThat(request.fault()).isNull();
      super.onBusRequest(from, request);
    }
  }

  private static final class RecordedSession implements SessionListener {
    private @Nullable Hello hello;
    private int heartbeats;

    @Override
    public void onHello(int peer, Hello received) {
      hello = received;
    }

    @Override
    public void onHeartbeat(int peer) {
      heartbeats++;
    }

    @Override
    public void onBye(int peer) {
      assertThat(peer).isEqualTo(1);
    }
  }
}
