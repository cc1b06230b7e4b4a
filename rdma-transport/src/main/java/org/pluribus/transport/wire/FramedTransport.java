package org.pluribus.transport.wire;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.Channel;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.TransportLimits;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A transport over any {@link LaneNetwork}: hello, heartbeats, delivery, loss of peers. */
public final class FramedTransport implements Transport {
  private static final Logger LOG = LoggerFactory.getLogger(FramedTransport.class);

  /** Lanes in the order in which they are served. */
  private static final Lane[] LANES = {Lane.INTERRUPT, Lane.CONTROL, Lane.PAGE};

  /** How long to sleep between looks while connecting and closing. */
  private static final long LOOK_PAUSE_NANOS = 200_000;

  /** Most posted frames to put on lanes in one turn. */
  private static final int POST_LIMIT = 256;

  private final NodeIdentity identity;
  private final TransportLimits limits;
  private final LaneNetwork network;
  private final NanoClock clock;
  private final Hello ownHello;
  private final Greeting greeting;
  private final Mailbox mailbox;
  private final PeerSession[] sessions;
  private final Inbound inbound = new Inbound();

  private boolean connectCalled;
  private boolean closed;
  private boolean polling;
  private int firstPeer;
  private long lastPollNanos;
  private long nextHeartbeatNanos;
  private @Nullable MessageHandler handler;
  private @Nullable RuntimeException handlerFailure;

  /** A transport that uses the system's clock. */
  public FramedTransport(NodeIdentity identity, TransportLimits limits, LaneNetwork network) {
    this(identity, limits, network, System::nanoTime);
  }

  /**
   * A transport with a clock of its own.
   *
   * @param clock tells heartbeats, silence and timeouts; used by the duty token's holder
   */
  public FramedTransport(
      NodeIdentity identity, TransportLimits limits, LaneNetwork network, NanoClock clock) {
    this.identity = identity;
    this.limits = limits;
    this.network = network;
    this.clock = clock;
    ownHello = Hello.of(identity, new SecureRandom().nextLong());
    FrameEncoder encoder = new FrameEncoder();
    sessions = new PeerSession[identity.nodeCount() - 1];
    mailbox = new Mailbox(peer -> session(peer).channel);
    for (int i = 0; i < sessions.length; i++) {
      int peer = i < identity.nodeId() ? i : i + 1;
      sessions[i] =
          new PeerSession(
              peer,
              new FramedChannel(peer, network, limits.outboundQueueBytes(), encoder, mailbox));
    }
    greeting = new Greeting(identity, network, clock, sessions, ownHello);
  }

  @Override
  public int nodeId() {
    return identity.nodeId();
  }

  @Override
  public int nodeCount() {
    return identity.nodeCount();
  }

  @Override
  public Channel channel(int peer) {
    if (peer < 0 || peer >= identity.nodeCount() || peer == identity.nodeId()) {
      throw new IllegalArgumentException(
          "node " + identity.nodeId() + " of " + identity.nodeCount() + " has no peer " + peer);
    }
    return session(peer).channel;
  }

  @Override
  public void connect(MessageHandler messageHandler, Duration timeout) {
    if (connectCalled) {
      throw new IllegalStateException("a transport connects once");
    }
    connectCalled = true;
    if (handler == null) {
      meet(messageHandler, timeout);
    } else {
      deliverTo(messageHandler);
    }
  }

  /**
   * The first part of {@link #connect}, for nodes that have something to settle before they use
   * this transport: opens this node's end and exchanges hellos. Then {@link #listen} delivers to
   * the handler given here, and {@link #connect}, which no longer waits, replaces it.
   *
   * @throws TransportException as {@link #connect}
   */
  public void meet(MessageHandler first, Duration timeout) {
    deliverTo(first);
    try {
      network.open(inbound);
      greeting.await(timeout);
    } catch (RuntimeException failed) {
      close();
      throw failed;
    }
    lastPollNanos = clock.nanoTime();
    nextHeartbeatNanos = lastPollNanos;
    for (PeerSession session : sessions) {
      session.state = PeerSession.State.OPEN;
      session.lastHeardNanos = lastPollNanos;
      session.channel.open();
    }
  }

  private void deliverTo(MessageHandler target) {
    handler = target;
    for (PeerSession session : sessions) {
      session.decoder =
          new FrameDecoder(identity, session.peer, target, inbound, network::placedAddress);
    }
  }

  /**
   * One turn of the duty cycle between {@link #meet} and {@link #connect}: delivers at most one
   * message of each of some peers, from the control lane. All else waits, so that what a peer sends
   * after the last word of this conversation reaches the handler that {@link #connect} gets. Peers
   * that are not listened to are not missed.
   */
  public void listen(IntPredicate peers) {
    MessageHandler target = startTurn();
    try {
      flushAll();
      network.drive();
      for (PeerSession session : sessions) {
        if (session.isConnected() && peers.test(session.peer)) {
          network.poll(session.peer, Lane.CONTROL, 1);
        } else {
          session.lastHeardNanos = clock.nanoTime();
        }
      }
      watch(target);
    } finally {
      polling = false;
    }
    throwHandlerFailure();
  }

  @Override
  public void shareMemory(long address, long bytes) {
    network.shareMemory(address, bytes);
  }

  @Override
  public long placedPages() {
    return network.placedPages();
  }

  @Override
  public long copiedPages() {
    long all = 0;
    for (PeerSession session : sessions) {
      FrameDecoder decoder = session.decoder;
      all += session.channel.copiedPages() + (decoder == null ? 0 : decoder.copiedPages());
    }
    return all;
  }

  @Override
  public void abandon(String reason) {
    greeting.abandon(reason);
  }

  @Override
  public int[] descriptors() {
    return network.descriptors();
  }

  @Override
  public int poll(int limit) {
    return poll(limit, false);
  }

  @Override
  public int pollPatiently(int limit) {
    return poll(limit, true);
  }

  @Override
  public long nextDeadline() {
    return network.nextDeadline();
  }

  private int poll(int limit, boolean patiently) {
    MessageHandler target = startTurn();
    int work;
    try {
      work = mailbox.drain(POST_LIMIT) + flushAll();
      work += drive(patiently);
      int delivered = deliver(limit);
      int last = delivered;
      while (last > 0) {
        // Answers given by handlers leave now, not at the next poll. What came meanwhile is
        // delivered, too: whoever sleeps on descriptors() would not be told of it again.
        work += drive(patiently);
        last = deliver(limit - delivered);
        delivered += last;
      }
      work += delivered;
      watch(target);
    } finally {
      polling = false;
    }
    throwHandlerFailure();
    return work;
  }

  private int drive(boolean patiently) {
    return patiently ? network.drivePatiently() : network.drive();
  }

  private MessageHandler startTurn() {
    MessageHandler target = handler;
    if (polling || closed || target == null) {
      throw new IllegalStateException(
          polling ? "a handler must not poll" : "this transport is not connected");
    }
    polling = true;
    return target;
  }

  private void throwHandlerFailure() {
    RuntimeException failure = handlerFailure;
    if (failure != null) {
      handlerFailure = null;
      throw failure;
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    long lingerNanos = limits.lingerTime().toNanos();
    long start = clock.nanoTime();
    mailbox.drain(POST_LIMIT);
    while (clock.nanoTime() - start < lingerNanos && anyQueued()) {
      network.drive();
      flushAll();
      discardAll();
      LockSupport.parkNanos(LOOK_PAUSE_NANOS);
    }
    for (PeerSession session : sessions) {
      session.channel.close();
    }
    network.close(Math.max(0, lingerNanos - (clock.nanoTime() - start)));
  }

  private PeerSession session(int peer) {
    return sessions[peer < identity.nodeId() ? peer : peer - 1];
  }

  private int flushAll() {
    int moved = 0;
    for (PeerSession session : sessions) {
      moved += session.channel.flush();
    }
    return moved;
  }

  private boolean anyQueued() {
    for (PeerSession session : sessions) {
      if (session.isConnected() && session.channel.hasQueued()) {
        return true;
      }
    }
    return false;
  }

  /** While closing: takes what peers send, so that they can get rid of it and close too. */
  private void discardAll() {
    for (PeerSession session : sessions) {
      for (Lane lane : LANES) {
        network.poll(session.peer, lane, POST_LIMIT);
      }
    }
  }

  private int deliver(int limit) {
    int delivered = 0;
    for (Lane lane : LANES) {
      for (int i = 0; i < sessions.length && delivered < limit; i++) {
        PeerSession session = sessions[(firstPeer + i) % sessions.length];
        if (session.isConnected()) {
          delivered += network.poll(session.peer, lane, limit - delivered);
        }
      }
    }
    // Another peer is first next time, so that none starves behind a busy one.
    firstPeer = sessions.length == 0 ? 0 : (firstPeer + 1) % sessions.length;
    return delivered;
  }

  /** Heartbeats out, silence noticed, losses told. */
  private void watch(MessageHandler target) {
    long now = clock.nanoTime();
    long interval = limits.heartbeatInterval().toNanos();
    long pause = now - lastPollNanos;
    lastPollNanos = now;
    boolean beat = now - nextHeartbeatNanos >= 0;
    if (beat) {
      nextHeartbeatNanos = now + interval;
    }
    if (beat) {
      beat();
    }
    for (PeerSession session : sessions) {
      if (pause > interval) {
        // We did not listen, so the peer was not silent.
        session.lastHeardNanos += pause;
      }
      if (session.state == PeerSession.State.OPEN) {
        if (session.lossReason == null) {
          session.lossReason = silence(session, now);
        }
        if (session.lossReason != null) {
          lose(session, session.lossReason, target);
        }
      }
    }
  }

  /** Signs of life, which leave now: whoever sleeps after this may be long in coming back. */
  private void beat() {
    for (PeerSession session : sessions) {
      if (session.isConnected()) {
        session.channel.heartbeat();
      }
    }
    network.drive();
  }

  private @Nullable String silence(PeerSession session, long now) {
    String overflow = session.channel.overflow();
    if (overflow != null) {
      return network.name(session.peer) + " " + overflow;
    }
    if (now - session.lastHeardNanos > limits.peerTimeout().toNanos()) {
      return network.name(session.peer)
          + " gave no sign of life for "
          + limits.peerTimeout().toMillis()
          + " ms";
    }
    return null;
  }

  private void lose(PeerSession session, String reason, MessageHandler target) {
    session.state = PeerSession.State.GONE;
    session.channel.close();
    network.disconnect(session.peer);
    LOG.warn("node {}: lost: {}", identity.nodeId(), reason);
    if (session.malformed != null) {
      target.onMalformed(session.peer, session.malformed);
    }
    target.onPeerLost(session.peer, reason);
  }

  /** What comes from the network and the decoders. */
  private final class Inbound implements FrameReceiver, SessionListener {

    @Override
    public void onFrame(int peer, Lane lane, DirectBuffer buffer, int offset, int length) {
      PeerSession session = session(peer);
      FrameDecoder decoder = session.decoder;
      if (closed || !session.isHeard() || decoder == null) {
        return;
      }
      session.lastHeardNanos = lastPollNanos;
      session.channel.countReceived(length);
      String fault;
      try {
        fault =
            session.state == PeerSession.State.OPEN
                ? decoder.decode(lane, buffer, offset, length)
                : decoder.decodeFirst(lane, buffer, offset, length);
      } catch (RuntimeException failure) {
        // The handler's, not the decoder's. The lane goes on; poll() throws it.
        handlerFailure = handlerFailure == null ? failure : handlerFailure;
        return;
      }
      if (fault != null && session.lossReason == null) {
        session.malformed = fault;
        session.lossReason = network.name(peer) + " sent a malformed message: " + fault;
      }
    }

    @Override
    public void onLinkDown(int peer, String reason) {
      PeerSession session = session(peer);
      if (session.state == PeerSession.State.LEAVING) {
        session.state = PeerSession.State.GONE;
        session.channel.close();
      } else if (session.isHeard()) {
        session.lossReason = network.name(peer) + " " + reason;
      }
    }

    @Override
    public void onHello(int peer, Hello hello) {
      PeerSession session = session(peer);
      if (session.state == PeerSession.State.GREETING) {
        session.lossReason = ownHello.objection(hello, peer, network.name(peer));
        if (session.lossReason == null) {
          session.state = PeerSession.State.GREETED;
        }
      } else {
        session.lossReason = network.name(peer) + " said hello twice: two nodes may have its id";
      }
    }

    @Override
    public void onHeartbeat(int peer) {
      // Any frame is a sign of life; onFrame has noted it.
    }

    @Override
    public void onBye(int peer) {
      session(peer).state = PeerSession.State.LEAVING;
    }
  }
}
