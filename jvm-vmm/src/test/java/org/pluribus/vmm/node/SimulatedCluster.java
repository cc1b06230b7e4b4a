package org.pluribus.vmm.node;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.transport.VmKey;
import org.pluribus.vmm.emulator.Cpu;
import org.pluribus.vmm.emulator.PlainMachine;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * A cluster of real nodes on a virtual clock, in one thread: {@link PluribusNode} with its duty
 * cycle and token, controllers, transport, wire format, shoot-downs and mirrors of RAM as they
 * ship. Only links, time, and the programs that vCPUs run are made up, by a seed: the same shape
 * gives the same run, event by event.
 */
final class SimulatedCluster implements AutoCloseable {
  /** Words of each page that are used, spread over it: nodes meet in pages rather than words. */
  static final int WORDS = 8;

  /** How often a node that has nothing to do takes a turn, as its own thread does. */
  static final long IDLE_TURN = 100_000_000;

  /** A cluster in which nothing is done for so long hangs; outages are shorter by far. */
  private static final long STUCK = 3_000_000_000L;

  /** How long frames and holds may be under way when all is done. */
  private static final long REST = 1_000_000_000L;

  private static final long NODE_RAM = 4L << 20;
  private static final int PAGE_BYTES = 4096;
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(30);

  /** What happens at a node; later if it stands still. */
  private record Event(long nanos, long number, SimulatedNode node, Runnable action) {}

  /**
   * What a run did.
   *
   * @param complaints of nodes that lost a peer or refused what it sent
   */
  record Result(
      long events,
      long frames,
      long virtualNanos,
      Map<CoherenceCounter, Long> counters,
      List<String> complaints) {}

  private final ClusterShape shape;
  private final Random random;
  private final GuestRamLayout layout;
  private final PlainMachine machine = new PlainMachine();
  private final MemoryHistory history = new MemoryHistory();
  private final SimulatedLinks links;
  private final List<SimulatedNode> nodes = new ArrayList<>();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>((a, b) ->
          a.nanos != b.nanos ? Long.compare(a.nanos, b.nanos) : Long.compare(a.number, b.number));
  private final List<String> complaints = new ArrayList<>();
  private final TreeSet<Integer> mustComplain = new TreeSet<>();
  private final Deque<String> trace = new ArrayDeque<>();
  private final int traceLines;
  private volatile boolean connecting = true;
  private volatile long now;
  private long number;
  private long lastProgress;
  private long operationsDone;

  private SimulatedCluster(ClusterShape shape, int traceLines) {
    this.shape = shape;
    this.traceLines = traceLines;
    random = new Random(shape.seed());
    layout = GuestRamLayout.of(shape.nodes() * NODE_RAM, shape.nodes());
    links = new SimulatedLinks(this);
    VmKey key = VmKey.random();
    for (int id = 0; id < shape.nodes(); id++) {
      nodes.add(new SimulatedNode(this, id, key));
    }
  }

  /**
   * Runs a cluster until all is done and nothing moves, or until its nodes have given up.
   *
   * @throws SimulationFailure if something came out wrong, or never
   */
  static Result run(ClusterShape shape) {
    try (SimulatedCluster cluster = new SimulatedCluster(shape, 0)) {
      return cluster.run();
    } catch (SimulationFailure | RuntimeException failure) {
      throw explained(shape, failure);
    }
  }

  /** All that happens in a run. */
  static String transcript(ClusterShape shape) {
    try (SimulatedCluster cluster = new SimulatedCluster(shape, Integer.MAX_VALUE)) {
      cluster.run();
      return String.join("\n", cluster.trace);
    }
  }

  /** Runs again, the same way, noting what happens last. */
  private static SimulationFailure explained(ClusterShape shape, Throwable failure) {
    String what = "it fails only sometimes: " + failure;
    SimulatedCluster cluster = new SimulatedCluster(shape, 100);
    try (cluster) {
      cluster.run();
    } catch (SimulationFailure | RuntimeException same) {
      what = same + "\n" + shape + "\n" + String.join("\n", cluster.trace);
    }
    SimulationFailure explained = new SimulationFailure(what);
    explained.initCause(failure);
    return explained;
  }

  // ---- the run

  private Result run() {
    connect();
    nodes.forEach(SimulatedNode::start);
    long done = 0;
    while (!isOver()) {
      Event event = events.remove(); // each node always has a turn ahead
      now = Math.max(now, event.nanos);
      if (event.node.pausedUntil() > now) {
        // With its old number: what comes behind it stays behind it.
        events.add(new Event(event.node.pausedUntil(), event.number, event.node, event.action));
        continue;
      }
      event.action.run();
      done++;
    }
    if (complaints.isEmpty()) {
      checkRest();
    }
    Map<CoherenceCounter, Long> totals = new EnumMap<>(CoherenceCounter.class);
    for (CoherenceCounter c : CoherenceCounter.values()) {
      totals.put(c, nodes.stream().mapToLong(n -> n.node.counters().get(c)).sum());
    }
    return new Result(done, links.frames(), now, totals, complaints);
  }

  /** Nodes wait for each other when they connect: this once each has a thread. */
  private void connect() {
    List<Thread> threads = new ArrayList<>();
    for (SimulatedNode node : nodes) {
      threads.add(Thread.ofPlatform().daemon().start(node::connect));
    }
    for (Thread thread : threads) {
      try {
        if (!thread.join(CONNECT_LIMIT)) {
          throw new SimulationFailure("the nodes do not find each other");
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    connecting = false;
  }

  private boolean isOver() {
    if (!complaints.isEmpty() && mustComplain.isEmpty()) {
      return true;
    }
    long idle = now - lastProgress;
    if (!mustComplain.isEmpty()) {
      if (idle > STUCK + SimulatedNode.LIMITS.peerTimeout().toNanos()) {
        throw new SimulationFailure("nodes " + mustComplain + " do not notice what is wrong");
      }
      return false;
    }
    if (operationsDone == shape.allOperations()) {
      return idle > REST;
    }
    if (idle > STUCK) {
      StringBuilder all = new StringBuilder("nothing is done any more:");
      nodes.forEach(n -> all.append(" ").append(n.describe()));
      throw new SimulationFailure(all.toString());
    }
    return false;
  }

  /** All is done: nothing is on its way, and whoever has a right has the right bytes. */
  private void checkRest() {
    for (SimulatedNode node : nodes) {
      if (node.lanes.hasFrom(now - REST / 2)) {
        throw new SimulationFailure("node %d left frames unread".formatted(node.id()));
      }
    }
    for (long address : history.addresses()) {
      long page = address / PAGE_BYTES;
      long writers = nodes.stream().filter(n -> n.node.suffices(page, true)).count();
      long readers = nodes.stream().filter(n -> n.node.suffices(page, false)).count();
      if (readers < 1 || writers > 1 || (writers == 1 && readers != 1)) {
        throw new SimulationFailure(
            "page %d has %d writers among %d readers".formatted(page, writers, readers));
      }
      for (SimulatedNode node : nodes) {
        if (node.node.suffices(page, false)) {
          history.read(node.id(), address, node.load(address), now);
        }
      }
    }
  }

  // ---- what its parts use

  ClusterShape shape() {
    return shape;
  }

  Random random() {
    return random;
  }

  GuestRamLayout layout() {
    return layout;
  }

  MemoryHistory history() {
    return history;
  }

  SimulatedLinks links() {
    return links;
  }

  SimulatedNode node(int id) {
    return nodes.get(id);
  }

  SimulatedLanes lanes(int id) {
    return nodes.get(id).lanes;
  }

  /** What soft TLBs belong to; nothing of it is looked at. */
  Cpu cpu() {
    return machine.cpu;
  }

  PlainMachine machine() {
    return machine;
  }

  boolean isConnecting() {
    return connecting;
  }

  long now() {
    return now;
  }

  /** One of the pages that are used. */
  long randomPage() {
    long home = random.nextInt(shape.nodes());
    return home * (NODE_RAM / PAGE_BYTES) + random.nextInt(shape.pages());
  }

  /** Where in a page a word is. */
  static int offsetOfWord(int word) {
    return word * (PAGE_BYTES / WORDS);
  }

  void at(SimulatedNode node, long nanos, Runnable action) {
    events.add(new Event(Math.max(nanos, now), number++, node, action));
  }

  void turnAt(int node, long nanos) {
    nodes.get(node).turnAt(nanos);
  }

  void turnSoon(int node) {
    nodes.get(node).turnAt(now + 1);
  }

  void operationDone() {
    operationsDone++;
    lastProgress = now;
  }

  /** Both ends of a link have to notice that it is lost. */
  void linkLost(int a, int b) {
    mustComplain.add(a);
    mustComplain.add(b);
  }

  /** A node has given up, for this reason. */
  void complain(int node, String reason) {
    trace(() -> "node " + node + " gives up: " + reason);
    complaints.add("node " + node + ": " + reason);
    mustComplain.remove(node);
    if (!shape.mischief().ends()) {
      throw new SimulationFailure("node " + node + " gives up: " + reason);
    }
  }

  void trace(Supplier<String> line) {
    if (traceLines == 0) {
      return;
    }
    if (trace.size() == traceLines) {
      trace.removeFirst();
    }
    trace.addLast(now + " " + line.get());
  }

  @Override
  public void close() {
    nodes.forEach(SimulatedNode::close);
    machine.close();
  }
}
