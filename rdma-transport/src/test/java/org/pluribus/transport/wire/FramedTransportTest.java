package org.pluribus.transport.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.RecordingHandler;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.TransportLimits;

/** Time is the test's: nothing here waits. */
@Timeout(60)
class FramedTransportTest {
  private static final long PAGE = BufferUtil.address(ByteBuffer.allocateDirect(4096));
  private static final long MILLI = 1_000_000;
  private static final TransportLimits LIMITS =
      new TransportLimits(
          Duration.ofMillis(100), Duration.ofSeconds(1), 1 << 20, Duration.ofMillis(1));

  private final FakeNetwork network = new FakeNetwork();
  private final RecordingHandler handler = new RecordingHandler();
  private long step = 1000;
  private long now = Long.MAX_VALUE - 5 * MILLI;
  private final FramedTransport transport =
      new FramedTransport(Frames.ZERO, LIMITS, network, () -> now += step);

  @Test
  void heartbeatsGoOutAtTheirInterval() {
    connect();
    for (int i = 0; i < 1000; i++) {
      network.deliver(Lane.CONTROL, Frames.heartbeat());
      now += MILLI;
      transport.poll(10);
    }
    // One second in intervals of 100 ms; the hello is the first frame.
    assertThat(network.sent(Lane.CONTROL)).hasSizeBetween(10, 12);
    assertThat(network.sent(Lane.CONTROL).get(1)).isEqualTo(heartbeatFromZero());
    assertThat(handler.losses).isEmpty();
    assertThat(handler.events).isEmpty();
  }

  @Test
  void silentPeerIsLostOnceAfterTheTimeout() {
    connect();
    int polls = 0;
    while (handler.losses.isEmpty()) {
      now += 10 * MILLI;
      transport.poll(10);
      polls++;
    }
    assertThat(polls).isBetween(98, 102);
    assertThat(handler.losses).containsExactly("1: node 1 gave no sign of life for 1000 ms");
    assertThat(network.disconnected).isTrue();
    now += 5000 * MILLI;
    transport.poll(10);
    assertThat(handler.losses).hasSize(1);
    assertThat(transport.channel(1).sendEoi(3)).isFalse();
  }

  @Test
  void timeInWhichThisNodeStoodStillDoesNotCount() {
    connect();
    for (int i = 0; i < 50; i++) {
      now += 10 * MILLI;
      transport.poll(10);
      now += 20_000 * MILLI;
    }
    assertThat(handler.losses).isEmpty();
    network.deliver(Lane.INTERRUPT, Frames.eoi(9));
    transport.poll(10);
    assertThat(handler.events).containsExactly("1 EOI 9");
  }

  @Test
  void anyFrameIsASignOfLife() {
    connect();
    for (int i = 0; i < 300; i++) {
      now += 10 * MILLI;
      network.deliver(Lane.INTERRUPT, Frames.eoi(9));
      transport.poll(10);
    }
    assertThat(handler.losses).isEmpty();
  }

  @Test
  void onlyUnblockMayWaitForCompany() {
    connect();
    for (MessageType type : MessageType.values()) {
      CoherenceMessage message = new CoherenceMessage().set(type, 5, 0, 1, 0, 0, 0, 0);
      assertThat(transport.channel(1).sendCoherence(message, message.carriesBytes() ? PAGE : 0))
          .isTrue();
      assertThat(network.patient).hasSize(type.code() < MessageType.UNBLOCK.code() ? 0 : 1);
    }
  }

  @Test
  void onlyWhoSaysSoLetsFramesWait() {
    connect();
    transport.poll(10); // the first heartbeat
    network.otherTurns = 0;
    transport.pollPatiently(10);
    assertThat(network.otherTurns).isZero();
    assertThat(network.patientTurns).isEqualTo(1);
    transport.poll(10);
    assertThat(network.otherTurns).isEqualTo(1);
    assertThat(network.patientTurns).isEqualTo(1);
    network.nextDeadline = 77;
    assertThat(transport.nextDeadline()).isEqualTo(77);
  }

  @Test
  void interruptsOvertakePagesAndControl() {
    connect();
    network.deliver(Lane.CONTROL, Frames.lifecycle(LifecycleKind.START, "go"));
    network.deliver(Lane.INTERRUPT, Frames.eoi(1));
    network.deliver(Lane.INTERRUPT, Frames.eoi(2));
    assertThat(transport.poll(2)).isPositive();
    assertThat(handler.events).containsExactly("1 EOI 1", "1 EOI 2");
    transport.poll(2);
    assertThat(handler.events).endsWith("1 START 3 go");
  }

  @Test
  void secondHelloLosesThePeer() {
    connect();
    network.deliver(Lane.CONTROL, Frames.hello(Hello.of(Frames.ONE, 6)));
    transport.poll(10);
    assertThat(handler.losses)
        .containsExactly("1: node 1 said hello twice: two nodes may have its id");
  }

  @Test
  void whatComesWithTheHelloWaitsForPoll() {
    network.deliver(Lane.CONTROL, Frames.hello(Hello.of(Frames.ONE, 5)));
    network.deliver(Lane.CONTROL, Frames.lifecycle(LifecycleKind.READY, ""));
    transport.connect(handler, Duration.ofSeconds(1));
    assertThat(handler.events).isEmpty();
    transport.poll(10);
    assertThat(handler.events).containsExactly("1 READY 3 ");
  }

  @Test
  void betweenMeetingAndConnectingOnlyControlIsHeardAndOneMessageAtATime() {
    RecordingHandler first = new RecordingHandler();
    network.deliver(Lane.CONTROL, Frames.hello(Hello.of(Frames.ONE, 5)));
    transport.meet(first, Duration.ofSeconds(1));
    network.deliver(Lane.INTERRUPT, Frames.eoi(1));
    network.deliver(Lane.CONTROL, Frames.lifecycle(LifecycleKind.TRANSPORT, "aeron"));
    network.deliver(Lane.CONTROL, Frames.lifecycle(LifecycleKind.START, "go"));
    transport.listen(peer -> true);
    assertThat(first.events).containsExactly("1 TRANSPORT 3 aeron");
    transport.connect(handler, Duration.ofSeconds(1));
    assertThat(handler.events).isEmpty();
    transport.poll(10);
    assertThat(first.events).hasSize(1);
    assertThat(handler.events).containsExactly("1 EOI 1", "1 START 3 go");
  }

  @Test
  void whoIsNotListenedToIsNotMissed() {
    network.deliver(Lane.CONTROL, Frames.hello(Hello.of(Frames.ONE, 5)));
    transport.meet(handler, Duration.ofSeconds(1));
    for (int i = 0; i < 300; i++) {
      now += 10 * MILLI;
      transport.listen(peer -> false);
    }
    assertThat(handler.losses).isEmpty();
    // Signs of life go out meanwhile.
    assertThat(network.sent(Lane.CONTROL)).hasSizeBetween(29, 33);
    while (handler.losses.isEmpty()) {
      now += 10 * MILLI;
      transport.listen(peer -> true);
    }
    assertThat(handler.losses).containsExactly("1: node 1 gave no sign of life for 1000 ms");
  }

  @Test
  void peerThatSaysSomethingBeforeHelloIsRefused() {
    step = 50 * MILLI;
    network.deliver(Lane.CONTROL, Frames.heartbeat());
    assertThatThrownBy(() -> transport.connect(handler, Duration.ofSeconds(9)))
        .isInstanceOf(TransportException.class)
        .hasMessage("node 0: node 1 sent a malformed message: message kind 7 before hello");
    assertThat(network.closed).isTrue();
  }

  @Test
  void peerThatCallsItselfAsWeDoIsRefused() {
    step = 50 * MILLI;
    network.deliver(Lane.CONTROL, Frames.hello(Hello.of(Frames.ZERO, 5)));
    assertThatThrownBy(() -> transport.connect(handler, Duration.ofSeconds(9)))
        .isInstanceOf(TransportException.class)
        .hasMessage(
            "node 0: node 1 calls itself node 0 as this node does: give every node an id of its"
                + " own");
    // It has our hello, so that it can say the same.
    assertThat(network.sent(Lane.CONTROL)).hasSize(1);
  }

  @Test
  void queuedFramesGoOutInOrderWhenTheNetworkTakesThemAgain() {
    connect();
    network.accepting = false;
    for (int vector = 1; vector <= 50; vector++) {
      assertThat(transport.channel(1).sendEoi(vector)).isTrue();
    }
    assertThat(transport.channel(1).queuedBytes(Lane.INTERRUPT)).isPositive();
    network.accepting = true;
    assertThat(transport.channel(1).sendEoi(51)).isTrue();
    assertThat(network.sent(Lane.INTERRUPT)).isEmpty();
    transport.poll(1);
    assertThat(network.sent(Lane.INTERRUPT)).hasSize(51);
    for (int vector = 1; vector <= 51; vector++) {
      assertThat(network.sent(Lane.INTERRUPT).get(vector - 1)).isEqualTo(Frames.eoi(vector));
    }
    assertThat(transport.channel(1).queuedBytes(Lane.INTERRUPT)).isZero();
  }

  private void connect() {
    network.deliver(Lane.CONTROL, Frames.hello(Hello.of(Frames.ONE, 5)));
    transport.connect(handler, Duration.ofSeconds(1));
  }

  private static byte[] heartbeatFromZero() {
    byte[] expected = Frames.heartbeat();
    // Frames says exit code 3, a transport 0; the code follows the 8-byte header.
    expected[8] = 0;
    return expected;
  }
}
