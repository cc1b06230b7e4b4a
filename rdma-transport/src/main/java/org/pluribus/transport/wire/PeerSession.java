package org.pluribus.transport.wire;

import org.jspecify.annotations.Nullable;

/** What a transport knows of one peer. */
final class PeerSession {
  /** How far we are with a peer. */
  enum State {
    /** Its hello has not come. */
    GREETING,
    /** Its hello has come and is right; others' may be missing. */
    GREETED,
    /** Messages flow. */
    OPEN,
    /** It has said bye: nothing comes any more, but it still listens, to hear our bye. */
    LEAVING,
    /** Lost, thrown out, or closed after its bye. */
    GONE
  }

  final int peer;
  final FramedChannel channel;

  State state = State.GREETING;
  boolean helloSent;
  long lastHeardNanos;

  /** Set when messages may come. */
  @Nullable FrameDecoder decoder;

  /** Why the peer is about to count as lost; told at the end of the poll that found it. */
  @Nullable String lossReason;

  /** What was wrong with the message for which the peer is thrown out. */
  @Nullable String malformed;

  PeerSession(int peer, FramedChannel channel) {
    this.peer = peer;
    this.channel = channel;
  }

  /** Whether what it sends still counts. */
  boolean isHeard() {
    return state != State.GONE && state != State.LEAVING && lossReason == null;
  }

  /** Whether there is something to send or to receive. */
  boolean isConnected() {
    return state == State.OPEN || state == State.LEAVING;
  }
}
