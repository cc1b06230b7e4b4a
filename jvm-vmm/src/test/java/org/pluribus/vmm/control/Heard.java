package org.pluribus.vmm.control;

import java.util.ArrayList;
import java.util.List;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.PagePayload;

/** Writes down steps of the machine's life and EOIs, which stand for all interrupts. */
final class Heard implements MessageHandler {
  final List<String> events = new ArrayList<>();
  final List<String> losses = new ArrayList<>();

  long count(String word) {
    return events.stream().filter(e -> e.contains(word)).count();
  }

  @Override
  public void onLifecycle(int from, LifecycleKind kind, int code, String text) {
    events.add(from + " " + kind + " " + code + " " + text);
  }

  @Override
  public void onEoi(int from, int vector) {
    events.add(from + " EOI " + vector);
  }

  @Override
  public void onPeerLost(int peer, String reason) {
    losses.add(peer + ": " + reason);
  }

  @Override
  public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
    losses.add(from + " sent " + message);
  }

  @Override
  public void onIpi(int from, IpiMessage ipi) {
    losses.add(from + " sent an IPI");
  }

  @Override
  public void onBusRequest(int from, BusRequest request) {
    losses.add(from + " sent a bus request");
  }

  @Override
  public void onBusReply(int from, long id, long value, BusStatus status) {
    losses.add(from + " sent a bus reply");
  }

  @Override
  public void onClockProbe(int from, ClockProbeKind kind, long t0, long t1, long t2) {
    losses.add(from + " sent a clock probe");
  }

  @Override
  public void onReport(int from, byte[] json) {
    losses.add(from + " sent a report");
  }

  @Override
  public void onMalformed(int peer, String reason) {
    losses.add(peer + ": malformed: " + reason);
  }
}
