package org.pluribus.transport.wire;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.TransportException;

/** The exchange of hellos with which a transport begins. One thread, but for {@link #abandon}. */
final class Greeting {
  /** How long to sleep between looks. */
  private static final long LOOK_PAUSE_NANOS = 200_000;

  /** After an objection: how long to go on, so that the peers get our hello and object too. */
  private static final long OBJECTION_LINGER_NANOS = 500_000_000;

  private final NodeIdentity identity;
  private final LaneNetwork network;
  private final NanoClock clock;
  private final PeerSession[] sessions;
  private final Hello ownHello;
  private volatile @Nullable String abandoned;

  Greeting(
      NodeIdentity identity,
      LaneNetwork network,
      NanoClock clock,
      PeerSession[] sessions,
      Hello ownHello) {
    this.identity = identity;
    this.network = network;
    this.clock = clock;
    this.sessions = sessions;
    this.ownHello = ownHello;
  }

  /** Makes an {@link #await} that still waits fail. Any thread. */
  void abandon(String reason) {
    abandoned = reason;
  }

  /**
   * Says hello to everybody until everybody has answered.
   *
   * @throws TransportException if somebody has not in time, or is not who it should be
   */
  void await(Duration timeout) {
    long deadlineNanos = clock.nanoTime() + timeout.toNanos();
    while (true) {
      network.drive();
      boolean complete = true;
      for (PeerSession session : sessions) {
        greet(session);
        complete &= session.state == PeerSession.State.GREETED && !session.channel.hasQueued();
      }
      if (complete) {
        // Our last hello may still be in the driver.
        network.drive();
        return;
      }
      String objection = firstObjection();
      if (objection != null) {
        lingerAfterObjection();
        throw new TransportException("node " + identity.nodeId() + ": " + objection);
      }
      String whyAbandoned = abandoned;
      if (whyAbandoned != null) {
        throw new TransportException(whyAbandoned);
      }
      if (clock.nanoTime() - deadlineNanos > 0) {
        throw new TransportException(missing(timeout));
      }
      LockSupport.parkNanos(LOOK_PAUSE_NANOS);
    }
  }

  private void greet(PeerSession session) {
    if (!session.helloSent && network.isLinked(session.peer)) {
      session.channel.sendHello(ownHello);
      session.helloSent = true;
    }
    session.channel.flush();
    if (session.helloSent && session.state == PeerSession.State.GREETING) {
      // One frame, the hello: what comes after it waits for poll().
      network.poll(session.peer, Lane.CONTROL, 1);
    }
  }

  private @Nullable String firstObjection() {
    for (PeerSession session : sessions) {
      if (session.lossReason != null) {
        return session.lossReason;
      }
    }
    return null;
  }

  private void lingerAfterObjection() {
    long start = clock.nanoTime();
    while (clock.nanoTime() - start < OBJECTION_LINGER_NANOS) {
      network.drive();
      for (PeerSession session : sessions) {
        greet(session);
      }
      LockSupport.parkNanos(LOOK_PAUSE_NANOS);
    }
  }

  private String missing(Duration timeout) {
    StringBuilder names = new StringBuilder();
    for (PeerSession session : sessions) {
      if (session.state != PeerSession.State.GREETED) {
        names.append(names.isEmpty() ? "" : ", ").append(network.name(session.peer));
      }
    }
    return "node "
        + identity.nodeId()
        + ": no answer from "
        + names
        + " within "
        + timeout.toMillis()
        + " ms: start it, correct its address, or open the firewall for it";
  }
}
