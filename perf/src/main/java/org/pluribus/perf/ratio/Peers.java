package org.pluribus.perf.ratio;

import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.PagePayload;

/** A handler that wants coherence messages only, and remembers why a peer is gone. */
abstract class Peers implements MessageHandler {
  private volatile @Nullable String lost;

  /** Why a peer is gone, or null. */
  final @Nullable String lost() {
    return lost;
  }

  @Override
  public abstract void onCoherence(int from, CoherenceMessage message, PagePayload payload);

  @Override
  public final void onPeerLost(int peer, String reason) {
    lost = "node " + peer + " was lost: " + reason;
  }

  @Override
  public final void onMalformed(int peer, String reason) {
    lost = "node " + peer + " sent something malformed: " + reason;
  }

  // The guest has one vCPU and no devices but node 0's: nothing else is ever sent.

  @Override
  public final void onIpi(int from, IpiMessage ipi) {
    unexpected(from, "an IPI");
  }

  @Override
  public final void onEoi(int from, int vector) {
    unexpected(from, "an EOI");
  }

  @Override
  public final void onBusRequest(int from, BusRequest request) {
    unexpected(from, "a bus request");
  }

  @Override
  public final void onBusReply(int from, long id, long value, BusStatus status) {
    unexpected(from, "a bus reply");
  }

  @Override
  public final void onReport(int from, byte[] json) {
    unexpected(from, "a report");
  }

  @Override
  public final void onClockProbe(int from, ClockProbeKind kind, long t0, long t1, long t2) {
    unexpected(from, "a clock probe");
  }

  @Override
  public final void onLifecycle(int from, LifecycleKind kind, int code, String text) {
    // Signs of life, and a bye at the end.
  }

  private void unexpected(int from, String what) {
    lost = "node " + from + " sent " + what;
  }
}
