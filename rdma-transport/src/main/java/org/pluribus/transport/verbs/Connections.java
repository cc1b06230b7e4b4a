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
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.udp.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes and ends connections by librdmacm: calls those that this node has to call, takes calls, and
 * knows which identifiers are still about. One thread at a time.
 *
 * <p>Whoever destroys the identifier of a connection thereby tells its peer that it ended. So the
 * caller keeps the old identifier of a lane that it connects anew until the new connection is up:
 * to the peer an end that comes before means that the caller is gone. The other way round, an end
 * asks the caller to call again; if the peer is gone, its host turns the call down.
 */
final class Connections {
  private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

  /** Pause before a call that failed is made again; the transport's timeout ends it. */
  private static final long CALL_PAUSE_NANOS = 20_000_000;

  /**
   * How long a call to a peer that was there before may take. librdmacm repeats a request that got
   * lost after 4 s only (CMA_CM_RESPONSE_TIMEOUT of the kernel's cma.c); a new call is faster.
   */
  private static final long CALL_LIMIT_NANOS = 1_500_000_000;

  private static final int RESOLVE_MILLIS = 2_000;
  private static final int MAX_EVENTS = 64;

  /** Retransmissions by the device; 7 is the most (InfiniBand Architecture, 9.9.2.4.1). */
  private static final byte RETRIES = 7;

  /** Tries while the peer has no receive posted; one more would be without end. */
  private static final byte NOT_READY_RETRIES = 6;

  /** A call under way. */
  private record Call(VerbsLane lane, long sinceNanos) {}

  /** A connection whose caller has not introduced itself yet. */
  record Stranger(QueuePair pair, long sinceNanos) {}

  /** An identifier whose connection is over, but not told so. */
  private record Old(VerbsLane lane, RdmaCmId id) {}

  private final int self;
  private final List<Endpoint> endpoints;
  private final VerbsLane[][] lanes;
  private final Breaks[] breaks;
  private final Greetings greetings;
  private final VerbsDevice device;
  private final int mostStrangers;
  private final Map<RdmaCmId, Call> calls = new IdentityHashMap<>();
  private final Map<VerbsLane, Long> nextCallNanos = new HashMap<>();

  /** Oldest first. */
  private final List<Stranger> strangers = new ArrayList<>();

  private final List<Old> old = new ArrayList<>();
  private @Nullable String deviceLoss;

  Connections(
      int self,
      List<Endpoint> endpoints,
      VerbsLane[][] lanes,
      Breaks[] breaks,
      Greetings greetings,
      VerbsDevice device) {
    this.self = self;
    this.endpoints = endpoints;
    this.lanes = lanes;
    this.breaks = breaks;
    this.greetings = greetings;
    this.device = device;
    mostStrangers = Lane.values().length * lanes.length;
    long now = System.nanoTime();
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        if (calls(lane.peer)) {
          nextCallNanos.put(lane, now);
        }
      }
    }
  }

  /** Whether this node calls a peer, not the other way round. */
  boolean calls(int peer) {
    return peer < self;
  }

  /** Whether a lane's connection is only just being made. */
  boolean isCalling(VerbsLane lane) {
    return calls.values().stream().anyMatch(call -> call.lane == lane);
  }

  boolean hasStrangers() {
    return !strangers.isEmpty();
  }

  /** Callers that have not introduced themselves yet. */
  List<Stranger> strangers() {
    return List.copyOf(strangers);
  }

  /** A stranger is one no more, or was refused. */
  void remove(Stranger stranger) {
    strangers.remove(stranger);
  }

  /** Why nothing goes any more, or null. */
  @Nullable String deviceLoss() {
    return deviceLoss;
  }

  // ---- calling

  /**
   * Calls what has no connection.
   *
   * @param given peers that are not wanted any more
   * @return number of calls made
   */
  int callAgain(long now, boolean[] given) {
    expireCalls(now, given);
    int made = 0;
    for (Map.Entry<VerbsLane, Long> due : nextCallNanos.entrySet()) {
      VerbsLane lane = due.getKey();
      if (now - due.getValue() < 0
          || given[lane.peer]
          || lane.lost() != null
          || isCalling(lane)
          || lane.pair() != null) {
        continue;
      }
      due.setValue(now + CALL_PAUSE_NANOS);
      InetSocketAddress address = VerbsDevice.address(endpoints.get(lane.peer));
      if (address == null) {
        continue; // its host may come up later
      }
      try {
        RdmaCmId id = device.events.createId(RdmaCm.RDMA_PS_TCP);
        calls.put(id, new Call(lane, now));
        id.resolveAddr(null, address, RESOLVE_MILLIS);
        made++;
      } catch (IOException e) {
        LOG.debug("node {}: node {}: {}", self, lane.peer, e.getMessage());
      }
    }
    return made;
  }

  private void expireCalls(long now, boolean[] given) {
    for (Map.Entry<RdmaCmId, Call> entry : List.copyOf(calls.entrySet())) {
      Call call = entry.getValue();
      boolean late = call.lane.wasUp() && now - call.sinceNanos > CALL_LIMIT_NANOS;
      if (late || given[call.lane.peer]) {
        giveUp(entry.getKey());
      }
    }
  }

  // ---- events

  /** Does what the events ask for. Returns how many there were. */
  int takeEvents() {
    int taken = 0;
    try {
      RdmaCmEvent event = device.events.getCmEvent(0);
      while (event != null && taken < MAX_EVENTS) {
        taken++;
        event.ackEvent();
        onEvent(RdmaCmEvent.EventType.values()[event.getEvent()], event.getConnIdPriv());
        event = device.events.getCmEvent(0);
      }
    } catch (IOException e) {
      deviceLoss = "cannot be reached any more: " + e.getMessage();
    }
    return taken;
  }

  private void onEvent(RdmaCmEvent.EventType type, @Nullable RdmaCmId id) {
    LOG.debug("node {}: {}", self, type);
    if (id == null) {
      return; // was destroyed meanwhile
    }
    try {
      switch (type) {
        case RDMA_CM_EVENT_CONNECT_REQUEST -> accept(id);
        case RDMA_CM_EVENT_ADDR_RESOLVED -> id.resolveRoute(RESOLVE_MILLIS);
        case RDMA_CM_EVENT_ROUTE_RESOLVED -> call(id);
        case RDMA_CM_EVENT_ESTABLISHED -> established(id);
        case RDMA_CM_EVENT_DISCONNECTED -> disconnected(id);
        case RDMA_CM_EVENT_DEVICE_REMOVAL ->
            deviceLoss = "cannot be reached any more: this node's RDMA device is gone";
        case RDMA_CM_EVENT_REJECTED -> refused(id);
        case RDMA_CM_EVENT_ADDR_ERROR,
            RDMA_CM_EVENT_ROUTE_ERROR,
            RDMA_CM_EVENT_CONNECT_ERROR,
            RDMA_CM_EVENT_UNREACHABLE ->
            giveUp(id);
        default -> {}
      }
    } catch (IOException e) {
      LOG.debug("node {}: {}: {}", self, type, e.getMessage());
      giveUp(id);
    }
  }

  private void call(RdmaCmId id) throws IOException {
    Call call = calls.get(id);
    if (call != null) {
      call.lane.bind(new QueuePair(id, device.domain, device.channels), device.localKeys());
      id.connect(parameters());
    }
  }

  /** The caller speaks first. */
  private void established(RdmaCmId id) {
    Call call = calls.remove(id);
    QueuePair pair = call == null ? null : call.lane.pair();
    if (call != null && pair != null) {
      greetings.introduce(pair, call.lane);
    }
  }

  private void accept(RdmaCmId id) throws IOException {
    if (strangers.size() >= mostStrangers) {
      discard(strangers.removeFirst().pair());
    }
    QueuePair pair;
    try {
      pair = new QueuePair(id, device.domain, device.channels);
    } catch (IOException e) {
      discard(id);
      throw e;
    }
    strangers.add(new Stranger(pair, System.nanoTime()));
    id.accept(parameters());
  }

  private static RdmaConnParam parameters() throws IOException {
    RdmaConnParam parameters = new RdmaConnParam();
    parameters.setRetry_count(RETRIES);
    parameters.setRnr_retry_count(NOT_READY_RETRIES);
    return parameters;
  }

  /** The peer has ended a connection. What came by it before is still there. */
  private void disconnected(RdmaCmId id) throws IOException {
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        QueuePair pair = lane.pair();
        if (pair != null && pair.id == id) {
          pair.disconnected();
        }
      }
    }
    id.disconnect(); // flushes the pair
  }

  /** Nobody took the call. */
  private void refused(RdmaCmId id) {
    Call call = calls.get(id);
    if (call != null && call.lane.wasUp()) {
      String end = breaks[call.lane.peer].refused();
      if (end != null) {
        call.lane.lose(end);
      }
    }
    giveUp(id);
  }

  /** A connection did not come about; it is tried again, or its caller does so. */
  private void giveUp(RdmaCmId id) {
    Call call = calls.remove(id);
    QueuePair pair = call == null ? null : call.lane.pair();
    if (call != null && pair != null && pair.id == id) {
      call.lane.bind(null, Slabs.NONE);
      discard(pair);
    } else if (call != null) {
      discard(id);
    } else {
      Stranger stranger =
          strangers.stream().filter(s -> s.pair().id == id).findFirst().orElse(null);
      if (stranger != null) {
        strangers.remove(stranger);
        discard(stranger.pair());
      }
    }
  }

  // ---- ends

  /**
   * Stops a lane's connection, for another one to be made. When this returns, nothing comes by it
   * any more.
   */
  void retire(VerbsLane lane) throws IOException {
    QueuePair pair = lane.retire();
    if (pair == null) {
      return;
    }
    boolean underWay = calls.remove(pair.id) != null;
    if (calls(lane.peer) && !underWay) {
      old.add(new Old(lane, pair.id));
      close(pair);
    } else {
      discard(pair);
    }
  }

  /** A lane is up again: its peer has heard of it. */
  void forgetOld(VerbsLane lane) {
    for (Old one : List.copyOf(old)) {
      if (one.lane == lane) {
        old.remove(one);
        discard(one.id);
      }
    }
  }

  /** Ends a connection and tells the peer. */
  void discard(QueuePair pair) {
    try {
      pair.id.disconnect();
    } catch (IOException e) {
      LOG.debug("node {}: {}", self, e.getMessage()); // was not connected
    }
    close(pair);
    discard(pair.id);
  }

  private void close(QueuePair pair) {
    try {
      pair.close();
    } catch (IOException e) {
      LOG.debug("node {}: {}", self, e.getMessage());
    }
  }

  private void discard(RdmaCmId id) {
    try {
      id.destroyId();
    } catch (IOException e) {
      LOG.debug("node {}: {}", self, e.getMessage());
    }
  }

  /** Ends all connections. */
  void close() {
    for (VerbsLane[] ofPeer : lanes) {
      for (VerbsLane lane : ofPeer) {
        QueuePair pair = lane.pair();
        if (pair != null) {
          calls.remove(pair.id);
          lane.bind(null, Slabs.NONE);
          discard(pair);
        }
      }
    }
    strangers.forEach(stranger -> discard(stranger.pair()));
    strangers.clear();
    calls.keySet().forEach(this::discard);
    calls.clear();
    old.forEach(one -> discard(one.id));
    old.clear();
  }
}
