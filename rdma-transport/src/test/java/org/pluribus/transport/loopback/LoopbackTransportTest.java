package org.pluribus.transport.loopback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.Channel;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.RecordingHandler;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;

@Timeout(60)
class LoopbackTransportTest {
  private static final int LIMIT = 1000;

  private final RecordingHandler atZero = new RecordingHandler();
  private final RecordingHandler atOne = new RecordingHandler();

  @Test
  void everyKindOfMessageArrivesAsSent() {
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne);
        Arena arena = Arena.ofConfined()) {
      Channel channel = pair.zero.channel(1);
      CoherenceMessage inv = new CoherenceMessage().set(MessageType.INV, 999, 0, 1, 1, 0, 0, 0);
      CoherenceMessage data =
          new CoherenceMessage()
              .set(MessageType.DATA, 5, 0, 1, 1, 1, 1L << 40, CoherenceMessage.EXCLUSIVE);
      IpiMessage ipi = new IpiMessage().set(-1, true, 6, 255, true, true, 3, IpiMessage.MAX_HOPS);
      BusRequest port = new BusRequest().set(-9, false, true, 0xfffc, 4, -1);
      BusRequest mmio = new BusRequest().set(10, true, false, 0xfec0_0000L, 8, 0);
      assertThat(channel.sendIpi(ipi)).isTrue();
      assertThat(channel.sendEoi(48)).isTrue();
      assertThat(channel.sendBusRequest(port)).isTrue();
      assertThat(channel.sendBusRequest(mmio)).isTrue();
      assertThat(channel.sendBusReply(-9, -1, BusStatus.NO_DEVICE)).isTrue();
      assertThat(channel.sendClockProbe(ClockProbeKind.REPLY, 1, -2, Long.MIN_VALUE)).isTrue();
      assertThat(channel.sendCoherence(inv, Channel.NO_PAYLOAD)).isTrue();
      assertThat(channel.sendLifecycle(LifecycleKind.STOP, 3, "Ende: größer\n")).isTrue();
      assertThat(channel.sendReport("{\"id\":0}".getBytes(StandardCharsets.UTF_8))).isTrue();
      MemorySegment page = RecordingHandler.markedPage(arena, 0x1234);
      assertThat(channel.sendCoherence(data, page.address())).isTrue();
      pair.one.poll(LIMIT);
      assertThat(atOne.events)
          .containsExactly(
              "0 " + ipi,
              "0 EOI 48",
              "0 #-9 port write 4 at fffc value ffffffff",
              "0 #10 MMIO read 8 at fec00000",
              "0 reply #-9 ffffffffffffffff NO_DEVICE",
              "0 clock REPLY 1 -2 -9223372036854775808",
              inv.toString(),
              "0 STOP 3 Ende: größer ",
              "0 report {\"id\":0}",
              data + " bytes " + 0x1234);
      assertThat(pair.one.channel(0).bytesReceived()).isGreaterThan(4096);
      assertThat(pair.zero.copiedPages()).as("into the frame").isEqualTo(1);
      assertThat(pair.one.copiedPages()).as("out of the frame").isEqualTo(1);
    }
  }

  @Test
  void textIsCutAtTheBoundBetweenCharacters() {
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne)) {
      pair.zero.channel(1).sendLifecycle(LifecycleKind.STOP, 0, "€".repeat(1000));
      pair.one.poll(LIMIT);
      String expected = "€".repeat(LifecycleKind.MAX_TEXT_BYTES / 3);
      assertThat(atOne.events).containsExactly("0 STOP 0 " + expected);
    }
  }

  @Test
  void largeReportArrivesWhole() {
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne)) {
      String json = "[" + "123456789,".repeat(100_000) + "0]";
      pair.zero.channel(1).sendReport(json.getBytes(StandardCharsets.UTF_8));
      while (atOne.events.isEmpty()) {
        pair.zero.poll(LIMIT);
        pair.one.poll(LIMIT);
      }
      assertThat(atOne.events).containsExactly("0 report " + json);
    }
  }

  @Test
  void lanesKeepTheirOrderWhenTheReceiverIsSlow() {
    int count = 20_000;
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne);
        Arena arena = Arena.ofConfined()) {
      Channel channel = pair.zero.channel(1);
      MemorySegment page = arena.allocate(PagePayload.PAGE_BYTES, Long.BYTES);
      CoherenceMessage message = new CoherenceMessage();
      boolean queued = false;
      for (int i = 0; i < count; i++) {
        RecordingHandler.mark(page, i);
        message.set(MessageType.DATA, 1, 0, 1, 1, 0, i, 0);
        assertThat(channel.sendCoherence(message, page.address())).isTrue();
        message.set(MessageType.INV, i % LoopbackPair.PAGES, 0, 1, 1, 0, i, 0);
        assertThat(channel.sendCoherence(message, Channel.NO_PAYLOAD)).isTrue();
        queued |= channel.queuedBytes(Lane.PAGE) > 0;
        while (channel.queuedBytes(Lane.PAGE) > 4 << 20) {
          pair.zero.poll(LIMIT);
          pair.one.poll(7);
        }
      }
      while (atOne.events.size() < 2 * count) {
        pair.zero.poll(LIMIT);
        pair.one.poll(7);
      }
      assertThat(queued).as("the test made the lane back up").isTrue();
    }
    List<String> data = new ArrayList<>();
    List<String> inv = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      data.add(new CoherenceMessage().set(MessageType.DATA, 1, 0, 1, 1, 0, i, 0) + " bytes " + i);
      long page = i % LoopbackPair.PAGES;
      inv.add(new CoherenceMessage().set(MessageType.INV, page, 0, 1, 1, 0, i, 0).toString());
    }
    assertThat(atOne.events.stream().filter(e -> e.startsWith("DATA")).toList()).isEqualTo(data);
    assertThat(atOne.events.stream().filter(e -> e.startsWith("INV")).toList()).isEqualTo(inv);
  }

  @Test
  void peerThatDoesNotKeepUpIsLostNotWaitedFor() {
    TransportLimits small = TransportLimits.DEFAULT.withOutboundQueueBytes(1 << 20);
    try (LoopbackPair pair = new LoopbackPair(small, atZero, atOne);
        Arena arena = Arena.ofConfined()) {
      Channel channel = pair.zero.channel(1);
      MemorySegment page = RecordingHandler.markedPage(arena, 1);
      CoherenceMessage data = new CoherenceMessage().set(MessageType.DATA, 1, 0, 1, 1, 0, 0, 0);
      int taken = 0;
      while (channel.sendCoherence(data, page.address())) {
        taken++;
      }
      assertThat(taken).isBetween(100, 1000);
      assertThat(channel.isOpen()).isFalse();
      assertThat(atZero.losses).isEmpty();
      pair.zero.poll(LIMIT);
      assertThat(atZero.losses).hasSize(1);
      assertThat(atZero.losses.get(0)).contains("node 1 does not keep up", "PAGE");
    }
  }

  @Test
  void threadsWithoutTheDutyTokenPost() throws InterruptedException {
    int threads = 4;
    int each = 500;
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne)) {
      Channel channel = pair.zero.channel(1);
      List<Thread> posters = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int id = t;
        posters.add(
            Thread.ofPlatform()
                .start(() -> {
                  IpiMessage ipi = new IpiMessage();
                  for (int i = 0; i < each; i++) {
                    ipi.set(id << 16 | i, false, 0, 32, true, false, 0, 0);
                    while (!channel.postIpi(ipi)) {
                      Thread.yield();
                    }
                  }
                }));
      }
      while (atOne.events.size() < threads * each) {
        pair.zero.poll(LIMIT);
        pair.one.poll(LIMIT);
        Thread.onSpinWait();
      }
      for (Thread poster : posters) {
        poster.join();
      }
      channel.postEoi(77);
      channel.postBusRequest(new BusRequest().set(1, false, false, 0x71, 1, 0));
      pair.zero.poll(LIMIT);
      pair.one.poll(LIMIT);
      assertThat(atOne.events).endsWith("0 EOI 77", "0 #1 port read 1 at 71");
      for (int t = 0; t < threads; t++) {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < each; i++) {
          expected.add("0 " + new IpiMessage().set(t << 16 | i, false, 0, 32, true, false, 0, 0));
        }
        assertThat(atOne.events).containsSubsequence(expected);
      }
    }
  }

  @Test
  void malformedFrameClosesThatPeersChannel() {
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne)) {
      OneToOneRingBuffer wire = pair.cluster.ring(0, 1, Lane.CONTROL);
      int index = wire.tryClaim(1, 20);
      wire.buffer().setMemory(index, 20, (byte) 0x5a);
      wire.commit(index);
      pair.zero.channel(1).sendLifecycle(LifecycleKind.START, 0, "after it");
      pair.one.poll(LIMIT);
      pair.one.poll(LIMIT);
      assertThat(atOne.malformed).containsExactly("0: schema 23130 is not ours");
      assertThat(atOne.losses)
          .containsExactly("0: node 0 sent a malformed message: schema 23130 is not ours");
      assertThat(atOne.events).isEmpty();
      assertThat(pair.one.channel(0).isOpen()).isFalse();
      assertThat(pair.one.channel(0).sendEoi(1)).isFalse();
      assertThat(pair.one.channel(0).postEoi(1)).isFalse();
    }
  }

  @Test
  void pageOutOfRangeIsMalformed() {
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne)) {
      CoherenceMessage beyond =
          new CoherenceMessage().set(MessageType.GET_S, LoopbackPair.PAGES, 0, 1, 0, 0, 0, 0);
      pair.zero.channel(1).sendCoherence(beyond, Channel.NO_PAYLOAD);
      pair.one.poll(LIMIT);
      assertThat(atOne.malformed).containsExactly("0: GET_S with page 1000 of 1000");
    }
  }

  @Test
  void handlersFailureComesOutOfPollAndNothingIsLost() {
    RecordingHandler failing =
        new RecordingHandler() {
          @Override
          public void onEoi(int from, int vector) {
            super.onEoi(from, vector);
            if (vector == 2) {
              throw new IllegalStateException("handler's own");
            }
          }
        };
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, failing)) {
      for (int vector = 1; vector <= 3; vector++) {
        pair.zero.channel(1).sendEoi(vector);
      }
      assertThatThrownBy(() -> pair.one.poll(LIMIT)).hasMessage("handler's own");
      pair.one.poll(LIMIT);
      assertThat(failing.events).containsExactly("0 EOI 1", "0 EOI 2", "0 EOI 3");
      assertThat(failing.malformed).isEmpty();
    }
  }

  @Test
  void byeIsNoLossAndCloseWithoutItIs() {
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne)) {
      pair.zero.channel(1).sendLifecycle(LifecycleKind.BYE, 0, "done");
      assertThat(pair.zero.channel(1).sendEoi(1)).isFalse();
      pair.one.poll(LIMIT);
      assertThat(atOne.events).containsExactly("0 BYE 0 done");
      assertThat(pair.one.channel(0).sendLifecycle(LifecycleKind.BYE, 0, "me too")).isTrue();
      pair.zero.poll(LIMIT);
      assertThat(atZero.events).containsExactly("1 BYE 0 me too");
      pair.zero.close();
      pair.one.poll(LIMIT);
      pair.one.poll(LIMIT);
      assertThat(atOne.losses).isEmpty();
      assertThat(pair.one.channel(0).isOpen()).isFalse();
    }
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, atZero, atOne)) {
      pair.zero.close();
      pair.one.poll(LIMIT);
      pair.one.poll(LIMIT);
      assertThat(atOne.losses).containsExactly("0: node 0 closed its channels");
    }
  }

  @Test
  void nodesThatDontBelongTogetherRefuseEachOther() {
    VmKey key = VmKey.random();
    NodeIdentity self = new NodeIdentity(0, 2, 10, key, 1);
    assertThat(refusals(self, new NodeIdentity(1, 2, 10, VmKey.random(), 1)))
        .allSatisfy(text -> assertThat(text).contains("has another VM key"));
    assertThat(refusals(self, new NodeIdentity(1, 3, 10, key, 1)))
        .anySatisfy(text -> assertThat(text).contains("node 1 knows 3 nodes, this node 2"));
    assertThat(refusals(self, new NodeIdentity(1, 2, 10, key, 2)))
        .allSatisfy(text -> assertThat(text).contains("has another configuration"));
  }

  @Test
  void secondNodeOfOneIdIsRefused() {
    LoopbackCluster cluster = new LoopbackCluster(2);
    NodeIdentity identity = new NodeIdentity(1, 2, 10, VmKey.random(), 1);
    Transport first = LoopbackTransport.create(cluster, identity, TransportLimits.DEFAULT);
    assertThatThrownBy(() -> first.connect(atZero, Duration.ofMillis(20)))
        .isInstanceOf(TransportException.class)
        .hasMessage(
            "node 1: no answer from node 0 within 20 ms: start it, correct its address, or open"
                + " the firewall for it");
    Transport second = LoopbackTransport.create(cluster, identity, TransportLimits.DEFAULT);
    assertThatThrownBy(() -> second.connect(atZero, Duration.ofMillis(20)))
        .isInstanceOf(TransportException.class)
        .hasMessage("node 1 has joined already: give every node an id of its own");
  }

  @Test
  void whoWaitsForPeersCanBeToldThatOneWillNotCome() {
    NodeIdentity identity = new NodeIdentity(0, 2, 10, VmKey.random(), 1);
    Transport waiting =
        LoopbackTransport.create(new LoopbackCluster(2), identity, TransportLimits.DEFAULT);
    waiting.abandon("node 1 has ended");
    assertThatThrownBy(() -> waiting.connect(atZero, Duration.ofMinutes(10)))
        .isInstanceOf(TransportException.class)
        .hasMessage("node 1 has ended");
  }

  @Test
  void wrongIdsAndHandlersThatPollAreRefused() {
    Transport[] own = new Transport[1];
    RecordingHandler polling =
        new RecordingHandler() {
          @Override
          public void onEoi(int from, int vector) {
            own[0].poll(1);
          }
        };
    try (LoopbackPair pair = new LoopbackPair(TransportLimits.DEFAULT, polling, atOne)) {
      own[0] = pair.zero;
      assertThatThrownBy(() -> pair.zero.channel(0)).hasMessage("node 0 of 2 has no peer 0");
      assertThatThrownBy(() -> pair.zero.channel(2)).hasMessage("node 0 of 2 has no peer 2");
      pair.one.channel(0).sendEoi(1);
      assertThatThrownBy(() -> pair.zero.poll(LIMIT)).hasMessage("a handler must not poll");
    }
  }

  /** What two nodes say that should not connect. */
  private List<String> refusals(NodeIdentity zero, NodeIdentity one) {
    LoopbackCluster cluster = new LoopbackCluster(3);
    Transport first = LoopbackTransport.create(cluster, zero, TransportLimits.DEFAULT);
    Transport second = LoopbackTransport.create(cluster, one, TransportLimits.DEFAULT);
    CompletableFuture<Void> other =
        CompletableFuture.runAsync(
            () -> second.connect(atOne, LoopbackPair.PATIENCE),
            task -> Thread.ofPlatform().start(task));
    List<String> texts = new ArrayList<>();
    try {
      first.connect(atZero, LoopbackPair.PATIENCE);
    } catch (TransportException refused) {
      texts.add(refused.getMessage());
    }
    try {
      other.join();
    } catch (CompletionException refused) {
      texts.add(String.valueOf(refused.getMessage()));
    }
    assertThat(texts).hasSize(2);
    return texts;
  }
}
