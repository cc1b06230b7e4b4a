package org.pluribus.transport;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.pluribus.coherence.CoherenceMessage;

/** Writes down what is delivered, one line each, in order. */
public class RecordingHandler implements MessageHandler {
  public final List<String> events = new ArrayList<>();
  public final List<String> losses = new ArrayList<>();
  public final List<String> malformed = new ArrayList<>();
  private final MemorySegment page = Arena.ofAuto().allocate(PagePayload.PAGE_BYTES);

  @Override
  public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
    String bytes = "";
    if (!payload.isEmpty()) {
      payload.copyTo(page, 0);
      bytes = " bytes " + pageMark(page);
    }
    events.add(message + bytes);
  }

  @Override
  public void onHurry(int from, long page, long waitingSince) {
    events.add(from + " hurry " + page + " since " + waitingSince);
  }

  @Override
  public void onIpi(int from, IpiMessage ipi) {
    events.add(from + " " + ipi);
  }

  @Override
  public void onEoi(int from, int vector) {
    events.add(from + " EOI " + vector);
  }

  @Override
  public void onBusRequest(int from, BusRequest request) {
    events.add(from + " #" + request.id + " " + request);
  }

  @Override
  public void onBusReply(int from, long id, long value, BusStatus status) {
    events.add(from + " reply #" + id + " " + Long.toHexString(value) + " " + status);
  }

  @Override
  public void onLifecycle(int from, LifecycleKind kind, int code, String text) {
    events.add(from + " " + kind + " " + code + " " + text);
  }

  @Override
  public void onClockProbe(
      int from, ClockProbeKind kind, long t0Nanos, long t1Nanos, long t2Nanos) {
    events.add(from + " clock " + kind + " " + t0Nanos + " " + t1Nanos + " " + t2Nanos);
  }

  @Override
  public void onReport(int from, byte[] json) {
    events.add(from + " report " + new String(json, StandardCharsets.UTF_8));
  }

  @Override
  public void onPeerLost(int peer, String reason) {
    losses.add(peer + ": " + reason);
  }

  @Override
  public void onMalformed(int peer, String reason) {
    malformed.add(peer + ": " + reason);
  }

  /** A page filled with one 64-bit mark. */
  public static MemorySegment markedPage(Arena arena, long mark) {
    MemorySegment filled = arena.allocate(PagePayload.PAGE_BYTES, Long.BYTES);
    mark(filled, mark);
    return filled;
  }

  public static void mark(MemorySegment page, long mark) {
    for (long at = 0; at < PagePayload.PAGE_BYTES; at += Long.BYTES) {
      page.set(ValueLayout.JAVA_LONG, at, mark);
    }
  }

  /** The mark of a page; fails if it is not the same all over. */
  public static long pageMark(MemorySegment page) {
    long mark = page.get(ValueLayout.JAVA_LONG, 0);
    for (long at = 0; at < PagePayload.PAGE_BYTES; at += Long.BYTES) {
      if (page.get(ValueLayout.JAVA_LONG, at) != mark) {
        throw new AssertionError("page torn at " + at);
      }
    }
    return mark;
  }
}
