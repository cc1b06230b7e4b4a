package org.pluribus.vmm.node;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.hw.HostProfile;
import org.pluribus.posix.Mapping;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.wire.FramedTransport;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.node.ClusterShape.Mischief;

/** A real node of a {@link SimulatedCluster} with what it sees of the outside. */
final class SimulatedNode implements MessageHandler, AutoCloseable {
  static final TransportLimits LIMITS = TransportLimits.DEFAULT;
  static final HostProfile PROFILE = HostProfile.load("single-host");

  /** A node stands still at one message of so many. */
  private static final int MESSAGES_PER_PAUSE = 2_000;

  /** A vCPU that asks for a page may have waited for so long already. */
  private static final int LONGEST_STALL_NANOS = 20_000;

  /** Vectors that devices can have: below are exceptions. */
  private static final int FIRST_VECTOR = 32;

  private static final int VECTORS = 200;

  /** A page that bounces may stay for so many holds. */
  private static final int BOUNCE_HOLDS = 5;

  /** Room for so few pages' twins that they make way for each other. */
  private static final int TWINS = 3;

  private final SimulatedCluster cluster;
  private final int id;
  private final Mapping ram;
  private final Transport transport;
  private final NativeTwins twins;
  private final List<SimulatedAgent> agents = new ArrayList<>();
  private final int[] vectorsSent;
  private final int[] vectorsSeen;
  final SimulatedLanes lanes;
  final SoftMmuPageRights rights;
  final PluribusNode node;
  private long nextTurn = Long.MAX_VALUE;
  private long pausedUntil;
  private boolean gaveUp;

  SimulatedNode(SimulatedCluster cluster, int id, VmKey key) {
    ClusterShape shape = cluster.shape();
    GuestRamLayout layout = cluster.layout();
    this.cluster = cluster;
    this.id = id;
    vectorsSent = new int[shape.nodes()];
    vectorsSeen = new int[shape.nodes()];
    ram = Mapping.anonymous(layout.ramSize(), Mapping.PROT_READ | Mapping.PROT_WRITE);
    lanes = new SimulatedLanes(cluster.links(), id, shape.nodes());
    NodeIdentity identity = new NodeIdentity(id, shape.nodes(), layout.pageCount(), key, 1);
    transport = new FramedTransport(identity, LIMITS, lanes, cluster::now);
    rights =
        new SoftMmuPageRights(
            layout, cluster.machine().codeCache, BOUNCE_HOLDS * shape.hold(), cluster::now);
    PageRights enforced =
        new SimulatedRights(
            rights, shape.mischief() != Mischief.REVOKE_NOT_AWAITED, this::sinceSomeTime);
    twins = NativeTwins.of(ram.segment(), shape.deltas(), TWINS);
    node =
        new PluribusNode(
            id,
            layout,
            ram.address(),
            transport,
            enforced,
            new PluribusNode.Policy(shape.hold(), shape.deltas(), twins, null),
            cluster::now);
    for (int i = 0; i < shape.vcpus(); i++) {
      agents.add(new SimulatedVcpu(cluster, this));
    }
    for (int i = 0; i < shape.devices(); i++) {
      agents.add(new SimulatedDevice(cluster, this));
    }
  }

  /** Own thread. */
  void connect() {
    transport.connect(this, java.time.Duration.ofSeconds(1));
  }

  void start() {
    turnAt(0);
    agents.forEach(SimulatedAgent::next);
  }

  // ---- time

  /** Has a thread of this node do something later. */
  void after(long nanos, Runnable action) {
    cluster.at(
        this,
        cluster.now() + nanos,
        () -> {
          if (!gaveUp) {
            action.run();
            turnAt(node.nextDeadline());
          }
        });
  }

  /** The node's thread looks for what there is to do, at that time or a little later. */
  void turnAt(long nanos) {
    if (nanos >= nextTurn) {
      return;
    }
    long late = cluster.random().nextInt(cluster.shape().maxTurn());
    long scheduled = Math.max(nanos, cluster.now()) + late;
    if (scheduled >= nextTurn) {
      return;
    }
    nextTurn = scheduled;
    cluster.at(this, nextTurn, () -> turn(scheduled));
  }

  private void turn(long scheduled) {
    if (scheduled != nextTurn) {
      return; // there was an earlier one
    }
    nextTurn = Long.MAX_VALUE;
    int work = node.tryDuty();
    lookAtFailure();
    turnAt(
        work > 0
            ? cluster.now()
            : Math.min(node.nextDeadline(), cluster.now() + SimulatedCluster.IDLE_TURN));
  }

  /** Until when the whole node stands still: a collection of garbage, a stopped process. */
  long pausedUntil() {
    return pausedUntil;
  }

  private void pauseNowAndThen() {
    Random random = cluster.random();
    int most = cluster.shape().maxPause();
    if (most > 0 && random.nextInt(MESSAGES_PER_PAUSE) == 0) {
      pausedUntil = cluster.now() + 1 + random.nextInt(most);
    }
  }

  private long sinceSomeTime() {
    return cluster.now() - cluster.random().nextInt(LONGEST_STALL_NANOS);
  }

  // ---- the end, as NodePeers and NodeRuntime bring it

  private void lookAtFailure() {
    String failure = node.failureReason();
    if (failure != null) {
      giveUp(failure);
    }
  }

  private void giveUp(String reason) {
    if (!gaveUp) {
      gaveUp = true;
      node.stop();
      cluster.complain(id, reason);
    }
  }

  // ---- what agents use

  int id() {
    return id;
  }

  long load(long address) {
    return ram.segment().get(ValueLayout.JAVA_LONG, address);
  }

  /** Reads or writes a word by the right there is, or was until a moment ago. */
  void access(long page, boolean write) {
    long address =
        page * PagePayload.PAGE_BYTES
            + SimulatedCluster.offsetOfWord(cluster.random().nextInt(SimulatedCluster.WORDS));
    cluster.history().read(id, address, load(address), cluster.now());
    if (write) {
      long value = cluster.history().write(id, address, cluster.now());
      ram.segment().set(ValueLayout.JAVA_LONG, address, value);
    }
    cluster.trace(() -> "node %d %s %x".formatted(id, write ? "writes" : "reads", address));
  }

  /** Tells another node of the end of an interrupt: goes by the mailbox and the interrupt lane. */
  void sendEoi() {
    int peer = cluster.random().nextInt(cluster.shape().nodes());
    if (peer != id) {
      vectorsSent[peer] = (vectorsSent[peer] + 1) % VECTORS;
      node.messages().sendEoi(peer, FIRST_VECTOR + vectorsSent[peer]);
    }
  }

  String describe() {
    return agents.stream()
        .map(SimulatedAgent::toString)
        .collect(Collectors.joining(", ", "node " + id + " (", ")"));
  }

  // ---- messages

  @Override
  public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
    pauseNowAndThen();
    cluster.trace(() -> "node " + id + " gets " + message);
    node.onCoherence(message, payload);
  }

  @Override
  public void onHurry(int from, long page, long waitingSince) {
    node.onHurry(page, waitingSince);
  }

  @Override
  public void onEoi(int from, int vector) {
    vectorsSeen[from] = (vectorsSeen[from] + 1) % VECTORS;
    if (vector != FIRST_VECTOR + vectorsSeen[from]) {
      throw new SimulationFailure(
          "node %d gets EOI %d from node %d, not %d"
              .formatted(id, vector, from, FIRST_VECTOR + vectorsSeen[from]));
    }
  }

  @Override
  public void onPeerLost(int peer, String reason) {
    giveUp("node " + peer + " was lost: " + reason);
  }

  @Override
  public void onMalformed(int peer, String reason) {
    cluster.trace(() -> "node " + peer + " sent something malformed: " + reason);
  }

  @Override
  public void onIpi(int from, IpiMessage ipi) {
    throw unexpected("an IPI", from);
  }

  @Override
  public void onBusRequest(int from, BusRequest request) {
    throw unexpected("a bus request", from);
  }

  @Override
  public void onBusReply(int from, long requestId, long value, BusStatus status) {
    throw unexpected("a bus reply", from);
  }

  @Override
  public void onLifecycle(int from, LifecycleKind kind, int code, String text) {
    if (kind != LifecycleKind.HEARTBEAT) {
      throw unexpected(kind.toString(), from);
    }
  }

  @Override
  public void onClockProbe(int from, ClockProbeKind kind, long t0, long t1, long t2) {
    throw unexpected("a clock probe", from);
  }

  @Override
  public void onReport(int from, byte[] json) {
    throw unexpected("a report", from);
  }

  private SimulationFailure unexpected(String what, int from) {
    return new SimulationFailure("node %d gets %s from node %d".formatted(id, what, from));
  }

  @Override
  public void close() {
    twins.close();
    ram.close();
  }
}
