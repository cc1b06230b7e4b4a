package org.pluribus.transport.verbs;

import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.TransportException;
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
 */
final class VerbsNetwork implements LaneNetwork {
  private static final Logger LOG = LoggerFactory.getLogger(VerbsNetwork.class);
  private static final Lane[] LANES = Lane.values();

  /** How often to look for connection events once all peers are there. */
  private static final long EVENT_INTERVAL_NANOS = 1_000_000;

  /** Pause before a call that failed is made again; the transport's timeout ends it. */
  private static final long CALL_PAUSE_NANOS = 20_000_000;

  private static final int RESOLVE_MILLIS = 2_000;
  private static final int MAX_EVENTS = 64;
  private static final long CLOSE_PAUSE_NANOS = 200_000;

  /** Retransmissions by the device; 7 is the most (InfiniBand Architecture, 9.9.2.4.1). */
  private static final byte RETRIES = 7;

  /** Tries while the peer has no receive posted; one more would be without end. */
  private static final byte NOT_READY_RETRIES = 6;

  private final NodeIdentity identity;
  private final List<Endpoint> endpoints;
  private final VerbsLane[][] lanes;
  private final boolean[] disconnected;

  /** Calls under way, by their identifier. */
  private final Map<RdmaCmId, VerbsLane> calls = new IdentityHashMap<>();

  private final Map<VerbsLane, Long> nextCallNanos = new HashMap<>();

  /** Connections whose caller has not introduced itself yet, oldest first. */
  private final List<QueuePair> strangers = new ArrayList<>();

  private final Greetings greetings;
  private long ramBase;
  private long ramBytes;
  private long nextEventsNanos;
  private boolean allUp;
  private @Nullable VerbsDevice device;
  private @Nullable FrameReceiver receiver;

  VerbsNetwork(NodeIdentity identity, List<Endpoint> endpoints) {
    this.identity = identity;
    this.endpoints = List.copyOf(endpoints);
    greetings = new Greetings(identity);
    int nodes = endpoints.size();
    disconnected = new boolean[nodes];
    lanes = new VerbsLane[nodes][LANES.length];
    for (int peer = 0; peer < nodes; peer++) {
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
      VerbsDevice opened = VerbsDevice.listen(here);
      device = opened;
      opened.register(ramBase, ramBytes);
    } catch (IOException refused) {
      throw new TransportException(
          "node " + identity.nodeId() + " cannot use RDMA at " + here + ": " + refused.getMessage(),
          refused);
    }
    long now = System.nanoTime();
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        if (lane.peer < identity.nodeId()) {
          nextCallNanos.put(lane, now);
        }
      }
    }
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
    VerbsDevice own = device;
    if (own == null) {
      return 0;
    }
    int work = flush();
    long now = System.nanoTime();
    if (allUp && now - nextEventsNanos < 0) {
      return work;
    }
    nextEventsNanos = now + EVENT_INTERVAL_NANOS;
    work += takeEvents(own);
    if (!allUp) {
      work += callAgain(own, now) + greet(own);
      allUp = true;
      for (int peer = 0; peer < lanes.length; peer++) {
        allUp &= peer == identity.nodeId() || disconnected[peer] || isLinked(peer);
      }
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
    List<Integer> all = new ArrayList<>();
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        QueuePair pair = lane.pair();
        if (pair != null) {
          all.add(pair.descriptor());
        }
      }
    }
    return all.stream().mapToInt(Integer::intValue).toArray();
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
    linger(own, lingerNanos);
    List<QueuePair> pairs = new ArrayList<>(strangers);
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        QueuePair pair = lane.pair();
        if (pair != null) {
          pairs.add(pair);
          lane.bind(null, Slabs.NONE);
        }
      }
    }
    for (QueuePair pair : pairs) {
      discard(pair);
    }
    for (RdmaCmId id : List.copyOf(calls.keySet())) {
      discard(id);
    }
    calls.clear();
    try {
      own.close();
    } catch (IOException e) {
      LOG.debug("node {}: closing its RDMA device: {}", identity.nodeId(), e.getMessage());
    }
  }

  /** Waits until the peers' devices have all that was sent, as far as time and peers allow. */
  private void linger(VerbsDevice own, long lingerNanos) {
    flush();
    List<QueuePair> waiting = new ArrayList<>();
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        QueuePair pair = lane.pair();
        if (pair != null && lane.isUp() && !disconnected[lane.peer] && pair.canSend()) {
          pair.send(QueuePair.CREDITS, 0); // it is signalled, so all before it is done with it
          waiting.add(pair);
        }
      }
    }
    long start = System.nanoTime();
    waiting.removeIf(QueuePair::isAllSent);
    while (!waiting.isEmpty() && System.nanoTime() - start < lingerNanos) {
      LockSupport.parkNanos(CLOSE_PAUSE_NANOS);
      takeEvents(own); // of peers that close, too
      waiting.removeIf(QueuePair::isAllSent);
    }
  }

  // ---- connecting

  private int callAgain(VerbsDevice own, long now) {
    int made = 0;
    for (Map.Entry<VerbsLane, Long> due : nextCallNanos.entrySet()) {
      VerbsLane lane = due.getKey();
      if (now - due.getValue() < 0 || calls.containsValue(lane) || lane.pair() != null) {
        continue;
      }
      due.setValue(now + CALL_PAUSE_NANOS);
      InetSocketAddress address = VerbsDevice.address(endpoints.get(lane.peer));
      if (address == null) {
        continue; // its host may come up later
      }
      try {
        RdmaCmId id = own.events.createId(RdmaCm.RDMA_PS_TCP);
        calls.put(id, lane);
        id.resolveAddr(null, address, RESOLVE_MILLIS);
        made++;
      } catch (IOException e) {
        LOG.debug("node {}: {}: {}", identity.nodeId(), name(lane.peer), e.getMessage());
      }
    }
    return made;
  }

  private int takeEvents(VerbsDevice own) {
    int taken = 0;
    try {
      RdmaCmEvent event = own.events.getCmEvent(0);
      while (event != null && taken < MAX_EVENTS) {
        taken++;
        event.ackEvent();
        onEvent(own, RdmaCmEvent.EventType.values()[event.getEvent()], event.getConnIdPriv());
        event = own.events.getCmEvent(0);
      }
    } catch (IOException e) {
      failAll("cannot be reached any more: " + e.getMessage());
    }
    return taken;
  }

  private void onEvent(VerbsDevice own, RdmaCmEvent.EventType type, @Nullable RdmaCmId id) {
    LOG.debug("node {}: {}", identity.nodeId(), type);
    if (id == null) {
      return; // was destroyed meanwhile
    }
    try {
      switch (type) {
        case RDMA_CM_EVENT_CONNECT_REQUEST -> accept(own, id);
        case RDMA_CM_EVENT_ADDR_RESOLVED -> id.resolveRoute(RESOLVE_MILLIS);
        case RDMA_CM_EVENT_ROUTE_RESOLVED -> call(own, id);
        case RDMA_CM_EVENT_ESTABLISHED -> established(id);
        case RDMA_CM_EVENT_DISCONNECTED -> id.disconnect(); // flushes the pair
        case RDMA_CM_EVENT_DEVICE_REMOVAL ->
            failAll("cannot be reached any more: this node's RDMA device is gone");
        case RDMA_CM_EVENT_ADDR_ERROR,
            RDMA_CM_EVENT_ROUTE_ERROR,
            RDMA_CM_EVENT_CONNECT_ERROR,
            RDMA_CM_EVENT_UNREACHABLE,
            RDMA_CM_EVENT_REJECTED ->
            giveUp(id);
        default -> {}
      }
    } catch (IOException e) {
      LOG.debug("node {}: {}: {}", identity.nodeId(), type, e.getMessage());
      giveUp(id);
    }
  }

  private void call(VerbsDevice own, RdmaCmId id) throws IOException {
    VerbsLane lane = calls.get(id);
    if (lane == null) {
      return;
    }
    lane.bind(new QueuePair(id, own.domain), own.localKeys());
    id.connect(parameters());
  }

  /** The caller speaks first. */
  private void established(RdmaCmId id) {
    VerbsLane lane = calls.remove(id);
    QueuePair pair = lane == null ? null : lane.pair();
    if (lane != null && pair != null) {
      greetings.introduce(pair, lane.lane);
    }
  }

  private void accept(VerbsDevice own, RdmaCmId id) throws IOException {
    if (strangers.size() >= LANES.length * lanes.length) {
      discard(strangers.removeFirst());
    }
    QueuePair pair = new QueuePair(id, own.domain);
    strangers.add(pair);
    id.accept(parameters());
  }

  private static RdmaConnParam parameters() throws IOException {
    RdmaConnParam parameters = new RdmaConnParam();
    parameters.setRetry_count(RETRIES);
    parameters.setRnr_retry_count(NOT_READY_RETRIES);
    return parameters;
  }

  /** A connection did not come about; it is tried again, or its caller does so. */
  private void giveUp(RdmaCmId id) {
    VerbsLane lane = calls.remove(id);
    QueuePair pair = lane == null ? null : lane.pair();
    if (lane != null && pair != null && pair.id == id) {
      lane.bind(null, Slabs.NONE);
      discard(pair);
    } else if (lane != null) {
      discard(id);
    } else {
      QueuePair stranger = strangers.stream().filter(p -> p.id == id).findFirst().orElse(null);
      if (stranger != null) {
        strangers.remove(stranger);
        discard(stranger);
      }
    }
  }

  /** Reads introductions and keys on connections that are not up yet. */
  private int greet(VerbsDevice own) {
    int work = 0;
    for (QueuePair stranger : List.copyOf(strangers)) {
      work += greetStranger(own, stranger);
    }
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        QueuePair pair = lane.pair();
        if (pair != null && !lane.isUp() && !calls.containsValue(lane)) {
          work += greetings.answer(own, lane, pair);
          reportDown(lane.peer, pair.failure());
        }
      }
    }
    return work;
  }

  private int greetStranger(VerbsDevice own, QueuePair stranger) {
    int slot = stranger.take();
    if (slot < 0) {
      if (stranger.failure() != null) {
        strangers.remove(stranger);
        discard(stranger);
      }
      return 0;
    }
    strangers.remove(stranger);
    Introduction said = Greetings.introduction(stranger, slot);
    stranger.release(slot, false);
    String objection = said == null ? "is no node of this version" : said.objection(identity);
    VerbsLane lane = said == null || objection != null ? null : lanes[said.node()][said.lane()];
    if (lane != null && lane.isUp()) {
      objection = "is " + name(lane.peer) + ", which has called before";
    }
    if (lane == null || objection != null) {
      LOG.warn("node {}: refused a connection: who calls {}", identity.nodeId(), objection);
      discard(stranger);
      return 1;
    }
    QueuePair broken = lane.pair();
    lane.bind(stranger, own.localKeys());
    if (broken != null) {
      discard(broken); // its caller has given it up
    }
    greetings.introduce(stranger, lane.lane);
    greetings.giveKeys(own, stranger, lane.lane);
    return 1;
  }

  // ---- ends

  private void reportFailures(int peer) {
    for (VerbsLane lane : lanes[peer]) {
      QueuePair pair = lane.pair();
      if (pair != null) {
        pair.reap();
        String failure = pair.failure();
        if (failure != null) {
          reportDown(peer, failure);
          return;
        }
      }
    }
  }

  private void failAll(String reason) {
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

  private void discard(QueuePair pair) {
    try {
      pair.id.disconnect();
    } catch (IOException e) {
      LOG.debug("node {}: {}", identity.nodeId(), e.getMessage()); // was not connected
    }
    try {
      pair.close();
    } catch (IOException e) {
      LOG.debug("node {}: {}", identity.nodeId(), e.getMessage());
    }
  }

  private void discard(RdmaCmId id) {
    try {
      id.destroyId();
    } catch (IOException e) {
      LOG.debug("node {}: {}", identity.nodeId(), e.getMessage());
    }
  }
}
