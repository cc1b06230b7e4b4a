package org.pluribus.vmm.control;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.PagePayload;
import org.pluribus.vmm.node.NodeMachine;
import org.pluribus.vmm.node.PluribusNode;
import org.pluribus.vmm.time.ClockComparison;
import org.pluribus.vmm.time.HostClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What peers say to this node, sorted to whom it concerns; and the cluster's life as this node sees
 * it: who is ready, whether the machine has started, who has reported, whose clock is how far
 * ahead.
 *
 * <p>Handler methods run under the duty token. The flags they set are read by the node's thread.
 */
final class NodePeers implements MessageHandler {
  private static final Logger LOG = LoggerFactory.getLogger(NodePeers.class);

  /** Probes before the start, if they do not take too long: the first ones are slow. */
  private static final int START_PROBES = 200;

  private static final long START_PROBES_NANOS = 500_000_000L;

  /** How often the clock is compared with node 0's while the machine runs. */
  private static final long PROBE_INTERVAL_NANOS = 100_000_000L;

  private static final long PROBE_TIMEOUT_NANOS = 2_000_000_000L;

  private final PluribusNode node;
  private final NodeMachine machine;
  private final int count;
  private final MachineEnd end;
  private final BitSet ready = new BitSet();
  private final BitSet reported = new BitSet();
  private final BitSet gone = new BitSet();
  private final AtomicReferenceArray<byte @Nullable []> reports;
  private volatile boolean started;

  /** Its own monitor keeps the start and a late answer apart. */
  private final ClockComparison toNode0 = new ClockComparison();

  private volatile int replies;
  private long nextProbeNanos;
  private volatile boolean running;

  NodePeers(PluribusNode node, NodeMachine machine, int count, MachineEnd end) {
    this.node = node;
    this.machine = machine;
    this.count = count;
    this.end = end;
    reports = new AtomicReferenceArray<>(count);
  }

  // ---- messages; duty token

  @Override
  public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
    node.onCoherence(message, payload);
  }

  @Override
  public void onHurry(int from, long page, long waitingSince) {
    node.onHurry(page, waitingSince);
  }

  @Override
  public void onIpi(int from, IpiMessage ipi) {
    machine.onIpi(ipi);
  }

  @Override
  public void onEoi(int from, int vector) {
    machine.onEoi(vector);
  }

  @Override
  public void onBusRequest(int from, BusRequest request) {
    machine.onBusRequest(from, request);
  }

  @Override
  public void onBusReply(int from, long id, long value, BusStatus status) {
    machine.onBusReply(id, value, status);
  }

  @Override
  public void onLifecycle(int from, LifecycleKind kind, int code, String text) {
    switch (kind) {
      case READY -> set(ready, from);
      case START -> {
        if (from == 0) {
          started = true;
        }
      }
      case STOP -> end.end(code, text);
      case BYE -> set(gone, from);
      case HEARTBEAT, TRANSPORT -> {} // a vote that came after the decision
    }
  }

  @Override
  public void onClockProbe(int from, ClockProbeKind kind, long t0, long t1, long t2) {
    long now = machine.clock().nanos();
    if (kind == ClockProbeKind.REQUEST) {
      node.messages().sendClockReply(from, t0, now, machine.clock().nanos());
      return;
    }
    synchronized (toNode0) {
      toNode0.add(t0, t1, t2, now);
      long ahead = toNode0.correction();
      if (running && ahead != 0) {
        machine.adjustClock(ahead);
        toNode0.corrected(ahead, now);
      }
    }
    replies++;
  }

  @Override
  public void onReport(int from, byte[] json) {
    reports.set(from, json);
    set(reported, from);
  }

  @Override
  public void onPeerLost(int peer, String reason) {
    set(gone, peer);
    end.end(Outcome.NODE_FAILURE, "node " + peer + " was lost: " + reason);
  }

  @Override
  public void onMalformed(int peer, String reason) {
    LOG.warn("node {} sent something malformed: {}", peer, reason);
  }

  // ---- the node's thread

  boolean allReady() {
    return all(ready);
  }

  boolean started() {
    return started;
  }

  boolean allReported() {
    return all(reported);
  }

  boolean byeFrom(int peer) {
    synchronized (gone) {
      return gone.get(peer);
    }
  }

  /** Nothing comes from this peer any more. Any thread. */
  void gone(int peer) {
    set(gone, peer);
  }

  AtomicReferenceArray<byte @Nullable []> reports() {
    return reports;
  }

  private boolean all(BitSet set) {
    synchronized (gone) {
      for (int i = 0; i < count; i++) {
        if (i != node.id() && !set.get(i) && !gone.get(i)) {
          return false;
        }
      }
      return true;
    }
  }

  private void set(BitSet set, int bit) {
    synchronized (gone) {
      set.set(bit);
    }
  }

  void sendReady() {
    node.messages().sendLifecycle(0, LifecycleKind.READY, 0, "");
  }

  void broadcast(LifecycleKind kind, int code, String text) {
    running |= kind == LifecycleKind.START;
    for (int i = 0; i < count; i++) {
      if (i != node.id()) {
        node.messages().sendLifecycle(i, kind, code, text);
      }
    }
  }

  void sendReport(byte[] json) {
    node.messages().sendReport(0, json);
  }

  /** Sets this node's clock to node 0's, before the machine starts. */
  void synchroniseClock(HostClock clock) throws InterruptedException {
    long start = System.nanoTime();
    for (int i = 0; i < START_PROBES && end.outcome() == null; i++) {
      int before = replies;
      long sent = System.nanoTime();
      if (i > 0 && sent - start > START_PROBES_NANOS) {
        break;
      }
      node.messages().sendClockRequest(0, clock.nanos());
      while (replies == before
          && System.nanoTime() - sent < PROBE_TIMEOUT_NANOS
          && end.outcome() == null) {
        if (node.tryDuty() == 0) {
          Thread.yield();
        }
      }
    }
    synchronized (toNode0) {
      long ahead = toNode0.ahead();
      clock.startAt(clock.nanos() + ahead);
      toNode0.stepped(ahead);
      LOG.debug("clock moved by {} ns, known to within {}", ahead, toNode0.uncertainty());
      running = true;
    }
  }

  /** Compares clocks now and then. */
  void tickClock(HostClock clock) {
    long now = System.nanoTime();
    if (node.id() != 0 && now - nextProbeNanos > 0) {
      nextProbeNanos = now + PROBE_INTERVAL_NANOS;
      node.messages().sendClockRequest(0, clock.nanos());
    }
  }
}
