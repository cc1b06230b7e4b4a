package org.pluribus.transport;

import org.pluribus.coherence.CoherenceMessage;

/**
 * Where a transport delivers. Called from {@link Transport#poll} only, by the thread that polls.
 *
 * <p>Every field has been range-checked: {@code from} is a peer, a page is below the page count, a
 * requester is a node of the VM, and so on. Message objects and payloads are reused: they are valid
 * until the method returns. Methods may send on any channel; they may not poll.
 */
public interface MessageHandler {

  /**
   * A coherence message; {@code from} and {@code to} in it are filled in.
   *
   * @param payload the page's bytes, or the message's blocks of them, if {@code
   *     message.carriesBytes()}, else empty
   */
  void onCoherence(int from, CoherenceMessage message, PagePayload payload);

  /**
   * One who waits for a page that this node was asked to give up has waited for longer than the one
   * for whom it was asked; see {@link org.pluribus.coherence.CacheController#hurry}.
   */
  default void onHurry(int from, long page, long waitingSince) {}

  /** An inter-processor interrupt. */
  void onIpi(int from, IpiMessage ipi);

  /** A level-triggered interrupt's handler is done on some vCPU. */
  void onEoi(int from, int vector);

  /** An access to a device of this node; answer with {@link Channel#sendBusReply}. */
  void onBusRequest(int from, BusRequest request);

  /** The answer to an earlier {@link BusRequest}. */
  void onBusReply(int from, long id, long value, BusStatus status);

  /** A step of the machine's life. */
  void onLifecycle(int from, LifecycleKind kind, int code, String text);

  /** A clock probe; times in nanoseconds. */
  void onClockProbe(int from, ClockProbeKind kind, long t0Nanos, long t1Nanos, long t2Nanos);

  /** A peer's whole final report. The array belongs to the handler. */
  void onReport(int from, byte[] json);

  /**
   * A peer is gone without having said bye, or doesn't keep up, or misbehaved. Its channel is
   * closed; nothing more comes from it. Called once per peer.
   *
   * @param reason one line for people
   */
  void onPeerLost(int peer, String reason);

  /**
   * A peer sent something that is no valid message. {@link #onPeerLost} follows.
   *
   * @param reason one line for people
   */
  void onMalformed(int peer, String reason);
}
