package org.pluribus.transport.udp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.Channel;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.RecordingHandler;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;

@Timeout(180)
class TwoProcessTest {
  private static final int LIMIT = 64;
  private static final int PAGES = 2000;

  private final RecordingHandler handler = new RecordingHandler();

  /** Of the other process: a killed one doesn't tidy up. */
  @TempDir private Path folder;

  @Test
  void pagesGoToAnotherProcessAndBack() throws IOException, InterruptedException {
    List<Endpoint> endpoints = AeronPair.freeEndpoints(2);
    VmKey key = VmKey.random();
    Process echo = EchoNode.start(endpoints, key, folder);
    try (Transport transport =
            EchoNode.transport(0, AeronSettings.of(endpoints), key, TransportLimits.DEFAULT);
        Arena arena = Arena.ofConfined()) {
      transport.connect(handler, Duration.ofSeconds(60));
      Channel channel = transport.channel(1);
      for (int i = 0; i < PAGES; i++) {
        MemorySegment page = RecordingHandler.markedPage(arena, i);
        channel.sendCoherence(
            new CoherenceMessage().set(MessageType.DATA, 1, 0, 1, 1, 0, i, 0), page.address());
        transport.poll(LIMIT);
      }
      while (handler.events.size() < PAGES && handler.losses.isEmpty()) {
        transport.poll(LIMIT);
      }
      channel.sendLifecycle(LifecycleKind.BYE, 0, "");
      while (!handler.events.contains("1 BYE 0 ") && handler.losses.isEmpty()) {
        transport.poll(LIMIT);
      }
      assertThat(handler.losses).isEmpty();
      assertThat(handler.events).hasSize(PAGES + 1);
      for (int i = 0; i < PAGES; i++) {
        assertThat(handler.events.get(i)).endsWith("bytes " + i);
      }
    } finally {
      assertThat(echo.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(echo.exitValue()).isZero();
  }

  @Test
  void killedProcessIsNoticed() throws IOException, InterruptedException {
    List<Endpoint> endpoints = AeronPair.freeEndpoints(2);
    VmKey key = VmKey.random();
    Process echo = EchoNode.start(endpoints, key, folder);
    TransportLimits limits = TransportLimits.DEFAULT.withPeerTimeout(Duration.ofSeconds(2));
    try (Transport transport = EchoNode.transport(0, AeronSettings.of(endpoints), key, limits)) {
      transport.connect(handler, Duration.ofSeconds(60));
      transport.channel(1).sendEoi(1);
      while (handler.events.isEmpty()) {
        transport.poll(LIMIT);
      }
      echo.destroyForcibly().waitFor();
      while (handler.losses.isEmpty()) {
        transport.poll(LIMIT);
        Thread.sleep(1);
      }
      assertThat(handler.losses.get(0)).contains("gave no sign of life for 2000 ms");
    } finally {
      echo.destroyForcibly();
    }
  }
}
