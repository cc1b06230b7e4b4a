package org.pluribus.transport.verbs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.udp.Endpoint;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneNetwork;
import org.pluribus.transport.wire.LaneSink;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lanes as reliable connections of an RDMA device, one queue pair each. Of two nodes the one with
 * the higher id calls. Each end of a connection introduces itself; to who did so rightly the other
 * end gives the keys of its RAM, and then frames flow.
 *
 * <p>When one of a peer's connections breaks, all are made anew, as at first, and their lanes go on
 * where they ended ({@link VerbsLane}): so both ends notice, as something is sent on the control
 * lane all the time. How long and how often {@link Breaks} says.
 */
final class VerbsNetwork implements LaneNetwork {
  private static final Logger LOG = LoggerFactory.getLogger(VerbsNetwork.class);
  private static final Lane[] LANES = Lane.values();

  /**
   * How often to look for connection events once all peers are there. A connection that breaks is
   * noticed by its own completions; and DiSNI allocates for each look.
   */
  private static final long EVENT_INTERVAL_NANOS = 10_000_000;

  private static final long CLOSE_PAUSE_NANOS = 200_000;

  private final NodeIdentity identity;
  private final TransportLimits limits;
  private final List<Endpoint> endpoints;
  private final VerbsLane[][] lanes;
  private final Breaks[] breaks;
  private final boolean[] disconnected;
  private final Greetings greetings;
  private long ramBase;
  private long ramBytes;
  private long nextEventsNanos;
  private long lastEventsNanos;
  private boolean allUp;
  private @Nullable VerbsDevice device;
  private @Nullable Connections connections;
  private @Nullable FrameReceiver receiver;

  VerbsNetwork(NodeIdentity identity, TransportLimits limits, List<Endpoint> endpoints) {
    this.identity = identity;
    this.limits = limits;
    this.endpoints = List.copyOf(endpoints);
    greetings = new Greetings(identity);
    int nodes = endpoints.size();
    disconnected = new boolean[nodes];
    breaks = new Breaks[nodes];
    lanes = new VerbsLane[nodes][LANES.length];
    for (int peer = 0; peer < nodes; peer++) {
      breaks[peer] = new Breaks(limits.peerTimeout().toNanos());
      for (Lane lane : LANES) {
        lanes[peer][lane.code()] = new VerbsLane(peer, lane);
      }
    }
  }

  @Override
  public void shareMemory(long address, long bytes) {
    ramBase = address;
    ramBytes = bytes;
  }

  @Override
  public long placedPages() {
    long all = 0;
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        all += lane.placedPages();
      }
    }
    return all;
  }

  @Override
  public long placedAddress(long page) {
    VerbsDevice own = device;
    return own != null && own.localKeys().holds(page) ? own.localKeys().address(page) : 0;
  }

  @Override
  public void open(FrameReceiver target) {
    receiver = target;
    Endpoint here = endpoints.get(identity.nodeId());
    try {
      // Each lane's pair, and for each the one that may take its place.
      VerbsDevice opened = VerbsDevice.listen(here, 2 * (lanes.length - 1) * LANES.length);
      device = opened;
      opened.register(ramBase, ramBytes);
      connections = new Connections(identity.nodeId(), endpoints, lanes, breaks, greetings, opened);
    } catch (IOException refused) {
      throw new TransportException(
          "node " + identity.nodeId() + " cannot use RDMA at " + here + ": " + refused.getMessage(),
          refused);
    }
    lastEventsNanos = System.nanoTime();
  }

  @Override
  public LaneSink sink(int peer, Lane lane) {
    return lanes[peer][lane.code()];
  }

  @Override
  public boolean isLinked(int peer) {
    boolean up = true;
    for (VerbsLane lane : lanes[peer]) {
      up &= lane.isUp();
    }
    return up;
  }

  @Override
  public int drive() {
    return drive(false);
  }

  @Override
  public int drivePatiently() {
    return drive(true);
  }

  @Override
  public long nextDeadline() {
    long first = Long.MAX_VALUE;
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        first = Math.min(first, lane.nextDeadline());
      }
    }
    return first;
  }

  private int drive(boolean patiently) {
    VerbsDevice own = device;
    Connections all = connections;
    if (own == null || all == null) {
      return 0;
    }
    long now = System.nanoTime();
    int work = patiently ? flushDue(now) : flush();
    if (allUp && now - nextEventsNanos < 0) {
      return work;
    }
    nextEventsNanos = now + EVENT_INTERVAL_NANOS;
    long pause = now - lastEventsNanos;
    lastEventsNanos = now;
    work += all.takeEvents();
    if (all.deviceLoss() != null) {
      failAll(all.deviceLoss());
    }
    allUp &= !all.hasStrangers();
    if (!allUp) {
      work += all.callAgain(now, disconnected) + greet(own, all, now);
      allUp = watchBreaks(now, pause) && !all.hasStrangers();
    }
    return work;
  }

  private int flush() {
    int messages = 0;
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        messages += lane.flush();
      }
    }
    return messages;
  }

  private int flushDue(long now) {
    int messages = 0;
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        messages += lane.flushDue(now);
      }
    }
    return messages;
  }

  @Override
  public int poll(int peer, Lane lane, int limit) {
    FrameReceiver target = receiver;
    if (target == null || disconnected[peer]) {
      return 0;
    }
    VerbsLane from = lanes[peer][lane.code()];
    int delivered = from.poll(limit, target);
    if (lane == Lane.CONTROL && delivered == 0) {
      reportFailures(peer);
    }
    return delivered;
  }

  @Override
  public int[] descriptors() {
    VerbsDevice own = device;
    return own == null ? new int[0] : own.channels.descriptors();
  }

  @Override
  public String name(int peer) {
    return "node " + peer + " (" + endpoints.get(peer) + " by RDMA)";
  }

  @Override
  public void disconnect(int peer) {
    disconnected[peer] = true;
  }

  @Override
  public void close(long lingerNanos) {
    VerbsDevice own = device;
    if (own == null) {
      return;
    }
    device = null;
    Connections all = connections;
    if (all != null) {
      linger(all, lingerNanos);
      all.close();
    }
    try {
      own.close();
    } catch (IOException e) {
      LOG.debug("node {}: closing its RDMA device: {}", identity.nodeId(), e.getMessage());
    }
  }

  /** Waits until the peers' devices have all that was sent, as far as time and peers allow. */
  private void linger(Connections all, long lingerNanos) {
    flush();
    List<QueuePair> waiting = new ArrayList<>();
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        QueuePair pair = lane.pair();
        if (pair != null && lane.isUp() && !disconnected[lane.peer] && pair.canSendOther()) {
          pair.sendOther(QueuePair.CREDITS, 0); // it is signalled, so all before it is done with it
          waiting.add(pair);
        }
      }
    }
    long start = System.nanoTime();
    waiting.removeIf(QueuePair::isAllSent);
    while (!waiting.isEmpty() && System.nanoTime() - start < lingerNanos) {
      LockSupport.parkNanos(CLOSE_PAUSE_NANOS);
      all.takeEvents(); // of peers that close, too
      waiting.removeIf(QueuePair::isAllSent);
    }
  }

  // ---- connecting

  /** Reads introductions and keys on connections that are not up yet. */
  private int greet(VerbsDevice own, Connections all, long now) {
    int work = 0;
    for (Connections.Stranger stranger : all.strangers()) {
      work += greetStranger(own, all, stranger, now);
    }
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        QueuePair pair = lane.pair();
        if (pair != null && !lane.isUp() && !all.isCalling(lane)) {
          work += greetings.answer(own, lane, pair);
          if (lane.isUp()) {
            isUp(all, lane);
          } else if (pair.failure() != null) {
            fails(all, lane, pair, now);
          }
        }
      }
    }
    return work;
  }

  private void isUp(Connections all, VerbsLane lane) {
    all.forgetOld(lane);
    if (breaks[lane.peer].isDown()) {
      LOG.info(
          "node {}: the {} lane of {} goes on, {} messages are sent again",
          identity.nodeId(),
          lane.lane,
          name(lane.peer),
          lane.sendsAgain());
    }
  }

  private int greetStranger(
      VerbsDevice own, Connections all, Connections.Stranger stranger, long now) {
    QueuePair pair = stranger.pair();
    int slot = pair.take();
    if (slot < 0) {
      boolean silent = now - stranger.sinceNanos() > limits.peerTimeout().toNanos();
      if (pair.failure() != null || silent) {
        all.remove(stranger);
        all.discard(pair);
      }
      return 0;
    }
    all.remove(stranger);
    Introduction said = Greetings.introduction(pair, slot);
    pair.release(slot, false);
    String objection = said == null ? "is no node of this version" : said.objection(identity);
    VerbsLane lane = said == null || objection != null ? null : lanes[said.node()][said.lane()];
    if (said != null && lane != null) {
      objection = objection(all, lane, said, now);
    }
    if (lane == null || objection != null) {
      LOG.warn("node {}: refused a connection: who calls {}", identity.nodeId(), objection);
      all.discard(pair);
      return 1;
    }
    lane.bind(pair, own.localKeys());
    greetings.introduce(pair, lane);
    greetings.giveKeys(own, pair, lane.lane);
    return 1;
  }

  /**
   * Why who has introduced itself as a peer may not have its lane, or null if it may; then nothing
   * comes by an older connection any more.
   */
  private @Nullable String objection(Connections all, VerbsLane lane, Introduction said, long now) {
    if (all.calls(lane.peer) || disconnected[lane.peer]) {
      return "is " + name(lane.peer) + ", which is not to call";
    }
    String objection = greetings.sessionObjection(lane, said);
    if (objection != null) {
      // As long as the one that was there before is heard of, it is the right one.
      if (breaks[lane.peer].isDown()) {
        lane.lose(objection);
      }
      return "is " + name(lane.peer) + ", which has called before, but " + objection;
    }
    if (lane.wasUp() && !breaks[lane.peer].isDown()) {
      breaks(lane, "connects anew", now);
      retireAll(all, lane.peer); // as the peer has done
    } else {
      retire(all, lane);
    }
    if (lane.lost() != null) {
      return "is " + name(lane.peer) + ", which is lost";
    }
    objection = greetings.agree(lane, said);
    if (objection != null) {
      lane.lose(objection);
    }
    return objection;
  }

  // ---- ends

  /** Whether no peer is being waited for. */
  private boolean watchBreaks(long now, long pause) {
    boolean all = true;
    for (int peer = 0; peer < lanes.length; peer++) {
      if (peer == identity.nodeId() || disconnected[peer]) {
        continue;
      }
      if (isLinked(peer)) {
        breaks[peer].healed();
        continue;
      }
      all = false;
      if (pause > limits.heartbeatInterval().toNanos()) {
        breaks[peer].pause(pause); // we did not look, so it may have called
      }
      String end = breaks[peer].expired(now);
      if (end != null) {
        lanes[peer][Lane.CONTROL.code()].lose(end);
      }
    }
    return all;
  }

  /** Looks after a peer whose control lane has nothing to deliver. */
  private void reportFailures(int peer) {
    Connections all = connections;
    for (VerbsLane lane : lanes[peer]) {
      QueuePair pair = lane.pair();
      if (pair != null && lane.isUp() && all != null) {
        pair.reap();
        if (pair.failure() != null) {
          fails(all, lane, pair, System.nanoTime());
        }
      }
      if (lane.lost() != null) {
        reportDown(peer, lane.lost());
        return;
      }
    }
  }

  /** A lane's connection has failed: it is made anew, with the peer's others, or that was all. */
  private void fails(Connections all, VerbsLane lane, QueuePair pair, long now) {
    String reason = pair.failure();
    boolean gone = lane.isUp() && pair.isDisconnected() && !all.calls(lane.peer);
    if (reason == null || disconnected[lane.peer]) {
      return;
    }
    if (!lane.wasUp()) {
      reportDown(lane.peer, reason);
      return;
    }
    if (gone || !pair.isBroken()) {
      lane.lose(reason);
      return;
    }
    breaks(lane, reason, now);
    retireAll(all, lane.peer);
  }

  private void retireAll(Connections all, int peer) {
    for (VerbsLane lane : lanes[peer]) {
      retire(all, lane);
    }
  }

  private static void retire(Connections all, VerbsLane lane) {
    try {
      all.retire(lane);
    } catch (IOException e) {
      lane.lose("cannot be connected anew: " + e.getMessage());
    }
  }

  private void breaks(VerbsLane lane, String reason, long now) {
    allUp = false;
    String end = breaks[lane.peer].broke(reason, now);
    if (end != null) {
      lane.lose(end);
    } else {
      LOG.warn(
          "node {}: a connection of the {} lane broke, it is made anew: {} {}",
          identity.nodeId(),
          lane.lane,
          name(lane.peer),
          reason);
    }
  }

  private void failAll(@Nullable String reason) {
    for (int peer = 0; peer < lanes.length; peer++) {
      if (peer != identity.nodeId()) {
        reportDown(peer, reason);
      }
    }
  }

  private void reportDown(int peer, @Nullable String reason) {
    FrameReceiver target = receiver;
    if (target != null && !disconnected[peer] && reason != null) {
      disconnected[peer] = true;
      target.onLinkDown(peer, reason);
    }
  }
}
