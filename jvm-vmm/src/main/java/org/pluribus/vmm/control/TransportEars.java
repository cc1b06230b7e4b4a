package org.pluribus.vmm.control;

import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.PagePayload;

/**
 * What peers say while the nodes choose a transport. Anything but a {@link TransportChoice.Word} is
 * out of place then, and so is a peer that leaves. The thread that listens.
 */
final class TransportEars implements MessageHandler {
  /**
   * A word of a peer.
   *
   * @param text why
   */
  record Said(int from, TransportChoice.Word word, String text) {}

  private static final TransportChoice.Word[] WORDS = TransportChoice.Word.values();

  private final Queue<Said> said;
  private @Nullable String failure;

  /**
   * @param said where words go
   */
  TransportEars(Queue<Said> said) {
    this.said = said;
  }

  /** Why the nodes can't come to a choice, or null. */
  @Nullable String failure() {
    return failure;
  }

  @Override
  public void onLifecycle(int from, LifecycleKind kind, int code, String text) {
    if (kind == LifecycleKind.STOP) {
      fail(text);
    } else if (kind != LifecycleKind.TRANSPORT) {
      outOfPlace(from, kind.toString());
    } else if (code < 0 || code >= WORDS.length) {
      outOfPlace(from, "word " + code + " about transports");
    } else {
      said.add(new Said(from, WORDS[code], text));
    }
  }

  @Override
  public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
    outOfPlace(from, message.type.toString());
  }

  @Override
  public void onIpi(int from, IpiMessage ipi) {
    outOfPlace(from, "an IPI");
  }

  @Override
  public void onEoi(int from, int vector) {
    outOfPlace(from, "an EOI");
  }

  @Override
  public void onBusRequest(int from, BusRequest request) {
    outOfPlace(from, "a bus request");
  }

  @Override
  public void onBusReply(int from, long id, long value, BusStatus status) {
    outOfPlace(from, "a bus reply");
  }

  @Override
  public void onClockProbe(int from, ClockProbeKind kind, long t0, long t1, long t2) {
    outOfPlace(from, "a clock probe");
  }

  @Override
  public void onReport(int from, byte[] json) {
    outOfPlace(from, "a report");
  }

  @Override
  public void onPeerLost(int peer, String reason) {
    fail("node " + peer + " was lost while the transport was chosen: " + reason);
  }

  @Override
  public void onMalformed(int peer, String reason) {
    // onPeerLost follows, and says it
  }

  private void outOfPlace(int from, String what) {
    fail(
        "node %d sent %s while the transport was chosen: run the same release on all nodes"
            .formatted(from, what));
  }

  private void fail(String why) {
    failure = failure == null ? why : failure;
  }
}
