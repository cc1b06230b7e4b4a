package org.pluribus.transport.udp;

import io.aeron.exceptions.AeronEvent;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;

/**
 * Passes on what a driver or client of Aeron complains of, each complaint at most once per
 * interval. A driver complains of every single datagram that it cannot send: while a network
 * interface is gone, those are tens of thousands per second, and writing each down would take the
 * thread that has to wait for the interface's return.
 *
 * <p>Safe for all threads of a driver.
 */
final class AeronComplaints implements ErrorHandler {
  /** How long the same complaint is only counted. */
  static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Texts told from each other; all beyond these count as one. */
  static final int MAX_KINDS = 64;

  /** Stands for the texts beyond. */
  private static final String OTHERS = "";

  private final Listener listener;
  private final NanoClock clock;
  private final Map<String, Kind> kinds = new HashMap<>();

  AeronComplaints(Listener listener, NanoClock clock) {
    this.listener = listener;
    this.clock = clock;
  }

  @Override
  public synchronized void onError(Throwable error) {
    String text = String.valueOf(error.getMessage());
    long now = clock.nanoTime();
    Kind kind = kinds.get(text);
    if (kind == null) {
      String key = kinds.size() < MAX_KINDS ? text : OTHERS;
      kind = kinds.computeIfAbsent(key, k -> new Kind(now));
    }
    if (now - kind.nextNanos < 0) {
      kind.untold++;
      return;
    }
    String more = kind.untold == 0 ? "" : " (and " + kind.untold + " times more since then)";
    kind.untold = 0;
    kind.nextNanos = now + INTERVAL_NANOS;
    // Events are what Aeron foresees: where in its code they come from, says nothing.
    listener.onComplaint(text + more, error instanceof AeronEvent ? null : error);
  }

  /** Who is told. */
  interface Listener {
    /**
     * @param text what Aeron said, and how often it has said so without our passing it on
     * @param cause where its stack trace is of use, else null
     */
    void onComplaint(String text, @Nullable Throwable cause);
  }

  private static final class Kind {
    long nextNanos;
    long untold;

    Kind(long now) {
      nextNanos = now;
    }
  }
}
