package org.pluribus.transport.udp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.Channel;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.RecordingHandler;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;

@Timeout(120)
class AeronTransportTest {
  private static final int LIMIT = 1000;

  private final RecordingHandler atZero = new RecordingHandler();
  private final RecordingHandler atOne = new RecordingHandler();

  @Test
  void messagesOfAllLanesArriveBothWays() throws IOException {
    try (AeronPair pair = new AeronPair(TransportLimits.DEFAULT, atZero, atOne);
        Arena arena = Arena.ofConfined()) {
      MemorySegment page = RecordingHandler.markedPage(arena, 42);
      CoherenceMessage there = new CoherenceMessage().set(MessageType.DATA, 3, 0, 1, 1, 0, 9, 0);
      CoherenceMessage back = new CoherenceMessage().set(MessageType.INV_ACK, 3, 1, 0, 0, 0, 0, 0);
      pair.zero.channel(1).sendCoherence(there, page.address());
      pair.zero.channel(1).sendEoi(33);
      pair.one.channel(0).sendCoherence(back, Channel.NO_PAYLOAD);
      pair.one.channel(0).sendLifecycle(LifecycleKind.READY, 0, "");
      pollUntil(pair, () -> atOne.events.size() == 2 && atZero.events.size() == 2);
      assertThat(atOne.events).containsExactlyInAnyOrder("0 EOI 33", there + " bytes 42");
      assertThat(atZero.events).containsExactly(back.toString(), "1 READY 0 ");
    }
  }

  /** With 1440 bytes each page goes in several datagrams, and over the ends of terms. */
  @ParameterizedTest
  @ValueSource(ints = {AeronSettings.DEFAULT_MTU_BYTES, 1440})
  void floodWithASlowReceiverLosesNothing(int mtuBytes) throws IOException {
    int pages = 50_000;
    OrderCheck check = new OrderCheck();
    try (AeronPair pair = new AeronPair(TransportLimits.DEFAULT, atZero, check, mtuBytes);
        Arena arena = Arena.ofConfined()) {
      Channel channel = pair.zero.channel(1);
      MemorySegment page = arena.allocate(PagePayload.PAGE_BYTES, Long.BYTES);
      CoherenceMessage message = new CoherenceMessage();
      boolean queued = false;
      for (int i = 0; i < pages; i++) {
        RecordingHandler.mark(page, i);
        message.set(MessageType.DATA, i % AeronPair.PAGES, 0, 1, 1, 0, i, 0);
        assertThat(channel.sendCoherence(message, page.address())).isTrue();
        while (channel.queuedBytes(Lane.PAGE) > 8 << 20) {
          queued = true;
          pair.zero.poll(LIMIT);
          pair.one.poll(5);
        }
      }
      pollUntil(pair, () -> check.received == pages);
      assertThat(queued).as("the test made the lane back up").isTrue();
      assertThat(atZero.losses).isEmpty();
    }
  }

  @Test
  void dutyTokenMayMoveBetweenThreads() throws Exception {
    try (AeronPair pair = new AeronPair(TransportLimits.DEFAULT, atZero, atOne);
        ExecutorService first = Executors.newSingleThreadExecutor();
        ExecutorService second = Executors.newSingleThreadExecutor()) {
      for (int i = 0; i < 100; i++) {
        ExecutorService holder = i % 2 == 0 ? first : second;
        int vector = i;
        holder
            .submit(() -> {
              pair.zero.channel(1).sendEoi(vector);
              pollUntil(pair, () -> atOne.events.size() == vector + 1);
            })
            .get();
      }
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        expected.add("0 EOI " + i);
      }
      assertThat(atOne.events).isEqualTo(expected);
    }
  }

  @Test
  void lastWordsArriveBeforeTheEnd() throws IOException {
    AeronPair pair = new AeronPair(TransportLimits.DEFAULT, atZero, atOne);
    String json = "[" + "1234567,".repeat(50_000) + "0]";
    pair.zero.channel(1).sendReport(json.getBytes(StandardCharsets.UTF_8));
    pair.zero.channel(1).sendLifecycle(LifecycleKind.BYE, 0, "end");
    CompletableFuture<Void> closing = AeronPair.async(pair.zero::close);
    while (atOne.events.size() < 2) {
      pair.one.poll(LIMIT);
      Thread.onSpinWait();
    }
    assertThat(atOne.events).containsExactly("0 report " + json, "0 BYE 0 end");
    pair.one.poll(LIMIT);
    assertThat(atOne.losses).isEmpty();
    pair.one.close();
    closing.join();
  }

  @Test
  void peerThatClosesWithoutByeIsLost() throws IOException {
    AeronPair pair = new AeronPair(TransportLimits.DEFAULT, atZero, atOne);
    CompletableFuture<Void> closing = AeronPair.async(pair.zero::close);
    while (atOne.losses.isEmpty()) {
      pair.one.poll(LIMIT);
      Thread.onSpinWait();
    }
    assertThat(atOne.losses.get(0))
        .startsWith("0: node 0 (127.0.0.1:")
        .endsWith("closed its channels");
    assertThat(pair.one.channel(0).isOpen()).isFalse();
    closing.join();
    pair.one.close();
  }

  @Test
  void silentPeerIsLost() throws IOException {
    TransportLimits impatient =
        new TransportLimits(
            Duration.ofMillis(20), Duration.ofMillis(200), 1 << 20, Duration.ofMillis(100));
    try (AeronPair pair = new AeronPair(impatient, atZero, atOne)) {
      while (atOne.losses.isEmpty()) {
        // Often enough that the silence is not our own.
        pair.one.poll(LIMIT);
        Thread.onSpinWait();
      }
      assertThat(atOne.losses.get(0)).contains("gave no sign of life for 200 ms");
    }
  }

  @Test
  void foreignKeyOtherConfigurationAndOtherCountAreRefused() throws IOException {
    List<Endpoint> endpoints = AeronPair.freeEndpoints(2);
    VmKey key = VmKey.random();
    NodeIdentity self = new NodeIdentity(0, 2, 10, key, 1);
    assertThat(refusals(endpoints, self, new NodeIdentity(1, 2, 10, VmKey.random(), 1)))
        .allSatisfy(text -> assertThat(text).contains("has another VM key"));
    assertThat(refusals(endpoints, self, new NodeIdentity(1, 2, 10, key, 2)))
        .allSatisfy(text -> assertThat(text).contains("has another configuration"));
  }

  @Test
  void absentPeerIsNamed() throws IOException {
    List<Endpoint> endpoints = new ArrayList<>(AeronPair.freeEndpoints(2));
    endpoints.add(new Endpoint("no-such-host.invalid", 40_000));
    Transport lonely =
        AeronTransport.create(
            new NodeIdentity(0, 3, 10, VmKey.random(), 1),
            TransportLimits.DEFAULT,
            AeronSettings.of(endpoints));
    assertThatThrownBy(() -> lonely.connect(atZero, Duration.ofMillis(300)))
        .isInstanceOf(TransportException.class)
        .hasMessage(
            "node 0: no answer from node 1 ("
                + endpoints.get(1)
                + "), node 2 (no-such-host.invalid:40000, a host name that nobody knows) within"
                + " 300 ms: start it, correct its address, or open the firewall for it");
  }

  @Test
  void takenPortAndForeignAddressAreNamed(@TempDir Path folder) throws IOException {
    List<Endpoint> endpoints = AeronPair.freeEndpoints(2);
    NodeIdentity identity = new NodeIdentity(0, 2, 10, VmKey.random(), 1);
    Endpoint own = endpoints.get(0);
    try (DatagramSocket taken = new DatagramSocket(new InetSocketAddress(own.host(), own.port()))) {
      Transport late =
          AeronTransport.create(
              identity, TransportLimits.DEFAULT, AeronSettings.of(endpoints).withDirectory(folder));
      assertThatThrownBy(() -> late.connect(atZero, Duration.ofSeconds(1)))
          .isInstanceOf(TransportException.class)
          .hasMessageContaining("node 0 cannot listen on " + own)
          .hasMessageContaining("is node 0 running already");
      assertThat(taken.isBound()).isTrue();
    }
    Endpoint elsewhere = new Endpoint("192.0.2.1", own.port());
    Transport astray =
        AeronTransport.create(
            identity,
            TransportLimits.DEFAULT,
            AeronSettings.of(List.of(elsewhere, endpoints.get(1))).withDirectory(folder));
    assertThatThrownBy(() -> astray.connect(atZero, Duration.ofSeconds(1)))
        .hasMessageContaining("is this not an address of this host?");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void twoNodesOfOneIdAreNoticed() throws IOException {
    List<Endpoint> endpoints = AeronPair.freeEndpoints(3);
    VmKey key = VmKey.random();
    // Both send to node 0 as node 1, each from an address of its own.
    AeronSettings forFirst = AeronSettings.of(endpoints.subList(0, 2));
    AeronSettings forSecond = AeronSettings.of(List.of(endpoints.get(0), endpoints.get(2)));
    NodeIdentity second = new NodeIdentity(1, 2, 10, key, 1);
    Transport zero =
        AeronTransport.create(
            new NodeIdentity(0, 2, 10, key, 1), TransportLimits.DEFAULT, forFirst);
    Transport one = AeronTransport.create(second, TransportLimits.DEFAULT, forFirst);
    Transport other = AeronTransport.create(second, TransportLimits.DEFAULT, forSecond);
    AeronPair.connect(zero, atZero, one, atOne);
    CompletableFuture<Void> intruding =
        AeronPair.async(() -> other.connect(new RecordingHandler(), Duration.ofSeconds(2)));
    while (atZero.losses.isEmpty()) {
      zero.poll(LIMIT);
      one.poll(LIMIT);
    }
    assertThat(atZero.losses.get(0)).contains("node 1", "runs twice");
    assertThatThrownBy(intruding::join).hasCauseInstanceOf(TransportException.class);
    zero.close();
    one.close();
  }

  @Test
  void filesAreRemovedOnClose(@TempDir Path folder) throws IOException {
    Transport lonely =
        AeronTransport.create(
            new NodeIdentity(0, 2, 10, VmKey.random(), 1),
            TransportLimits.DEFAULT,
            AeronSettings.of(AeronPair.freeEndpoints(2)).withDirectory(folder));
    assertThatThrownBy(() -> lonely.connect(atZero, Duration.ofMillis(50)))
        .isInstanceOf(TransportException.class);
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void everyThreadingModeWorks() throws IOException {
    VmKey key = VmKey.random();
    AeronSettings settings =
        AeronSettings.of(AeronPair.freeEndpoints(2))
            .withThreading(DriverThreading.SHARED, DriverIdle.BACKOFF);
    Transport zero =
        AeronTransport.create(
            new NodeIdentity(0, 2, 10, key, 1), TransportLimits.DEFAULT, settings);
    Transport one =
        AeronTransport.create(
            new NodeIdentity(1, 2, 10, key, 1),
            TransportLimits.DEFAULT,
            settings.withThreading(DriverThreading.DEDICATED, DriverIdle.YIELD));
    AeronPair.connect(zero, atZero, one, atOne);
    zero.channel(1).sendEoi(5);
    while (atOne.events.isEmpty()) {
      zero.poll(LIMIT);
      one.poll(LIMIT);
      Thread.onSpinWait();
    }
    assertThat(atOne.events).containsExactly("0 EOI 5");
    CompletableFuture<Void> closing = AeronPair.async(one::close);
    zero.close();
    closing.join();
  }

  private static void pollUntil(AeronPair pair, BooleanSupplier done) {
    while (!done.getAsBoolean()) {
      int work = pair.zero.poll(LIMIT) + pair.one.poll(LIMIT);
      if (work == 0) {
        Thread.yield();
      }
    }
  }

  /** What two nodes say that should not connect. */
  private List<String> refusals(List<Endpoint> endpoints, NodeIdentity zero, NodeIdentity one) {
    AeronSettings settings = AeronSettings.of(endpoints);
    Transport first = AeronTransport.create(zero, TransportLimits.DEFAULT, settings);
    Transport second = AeronTransport.create(one, TransportLimits.DEFAULT, settings);
    CompletableFuture<Void> other =
        AeronPair.async(() -> second.connect(atOne, AeronPair.PATIENCE));
    List<String> texts = new ArrayList<>();
    try {
      first.connect(atZero, AeronPair.PATIENCE);
    } catch (TransportException refused) {
      texts.add(String.valueOf(refused.getMessage()));
    }
    try {
      other.join();
    } catch (CompletionException refused) {
      texts.add(String.valueOf(refused.getMessage()));
    }
    assertThat(texts).hasSize(2);
    return texts;
  }

  /** Expects pages marked 0, 1, 2, ... with versions to match. */
  private static final class OrderCheck extends RecordingHandler {
    private final MemorySegment page = Arena.ofAuto().allocate(PagePayload.PAGE_BYTES);
    private long received;

    @Override
    public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
      payload.copyTo(page.address());
      assertThat(message.version).isEqualTo(received);
      assertThat(RecordingHandler.pageMark(page)).isEqualTo(received);
      received++;
    }
  }
}
