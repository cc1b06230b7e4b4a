package org.pluribus.transport.udp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.RecordingHandler;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;

/**
 * Prints round trips between two processes over 127.0.0.1, what an idle poll costs, and what is
 * allocated on the way. Says nothing about right or wrong; run it by hand.
 */
final class RoundTripMeasurement {
  private static final int WARM_UP = 20_000;
  private static final int ROUND_TRIPS = 50_000;
  private static final int IDLE_POLLS = 200_000;
  private static final int LIMIT = 64;

  private RoundTripMeasurement() {}

  /** Takes no arguments. */
  public static void main(String[] args) throws IOException, InterruptedException {
    List<Endpoint> endpoints = AeronPair.freeEndpoints(2);
    VmKey key = VmKey.random();
    Process echo = EchoNode.start(endpoints, key, null);
    Counting handler = new Counting();
    try (Transport transport =
            EchoNode.transport(0, AeronSettings.of(endpoints), key, TransportLimits.DEFAULT);
        Arena arena = Arena.ofConfined()) {
      transport.connect(handler, Duration.ofSeconds(60));
      MemorySegment page = RecordingHandler.markedPage(arena, 1);
      CoherenceMessage data = new CoherenceMessage().set(MessageType.DATA, 1, 0, 1, 1, 0, 0, 0);
      Runnable interrupt = () -> transport.channel(1).sendEoi(1);
      Runnable pages = () -> transport.channel(1).sendCoherence(data, page.address());
      measure("interrupt", transport, handler, interrupt, WARM_UP);
      measure("interrupt", transport, handler, interrupt, ROUND_TRIPS);
      measure("page", transport, handler, pages, WARM_UP);
      measure("page", transport, handler, pages, ROUND_TRIPS);
      idle(transport);
      transport.channel(1).sendLifecycle(LifecycleKind.BYE, 0, "");
    }
    echo.waitFor(10, TimeUnit.SECONDS);
    echo.destroyForcibly();
  }

  private static void measure(
      String what, Transport transport, Counting handler, Runnable send, int count) {
    long[] nanos = new long[count];
    long allocated = allocatedBytes();
    for (int i = 0; i < count; i++) {
      long before = handler.received;
      long start = System.nanoTime();
      send.run();
      while (handler.received == before) {
        if (transport.poll(LIMIT) == 0) {
          Thread.yield();
        }
      }
      nanos[i] = System.nanoTime() - start;
    }
    allocated = allocatedBytes() - allocated;
    Arrays.sort(nanos);
    System.out.printf(
        "%-9s n=%d min=%.1f p50=%.1f p90=%.1f p99=%.1f max=%.1f us, %d bytes allocated%n",
        what,
        count,
        nanos[0] / 1e3,
        nanos[count / 2] / 1e3,
        nanos[(int) (count * 0.9)] / 1e3,
        nanos[(int) (count * 0.99)] / 1e3,
        nanos[count - 1] / 1e3,
        allocated);
  }

  private static void idle(Transport transport) {
    long allocated = allocatedBytes();
    long busy = 0;
    long start = System.nanoTime();
    for (int i = 0; i < IDLE_POLLS; i++) {
      busy += transport.poll(LIMIT) == 0 ? 0 : 1;
    }
    long nanos = System.nanoTime() - start;
    System.out.printf(
        "idle poll %d ns, %.2f%% of them had work, %d bytes allocated%n",
        nanos / IDLE_POLLS, 100.0 * busy / IDLE_POLLS, allocatedBytes() - allocated);
  }

  private static long allocatedBytes() {
    return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
        .getCurrentThreadAllocatedBytes();
  }

  private static final class Counting extends RecordingHandler {
    private final MemorySegment page = Arena.global().allocate(PagePayload.PAGE_BYTES, Long.BYTES);
    private long received;

    @Override
    public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
      payload.copyTo(page.address());
      received++;
    }

    @Override
    public void onEoi(int from, int vector) {
      received++;
    }
  }
}
