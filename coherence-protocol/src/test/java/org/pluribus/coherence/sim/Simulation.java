package org.pluribus.coherence.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import org.pluribus.coherence.CacheState;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;

/** One run of a simulated cluster: same configuration, same run. */
public final class Simulation {
  /** Events one operation may cost before the run counts as livelocked. */
  private static final long EVENTS_PER_OPERATION = 400;

  private static final int TRACE_LINES = 200;

  /** What a run did: evidence that it exercised what it should. */
  public record Result(
      long events,
      Map<CoherenceCounter, Long> counters,
      Map<CacheState, Set<MessageType>> metInState,
      int inFlightHighWater) {}

  /** An event of a node: it comes later if the node stands still. */
  private record Event(long nanos, long sequence, SimNode node, Runnable action) {}

  private final SimConfig config;
  private final Random random;
  private final SimNetwork network;
  private final Checker checker;
  private final List<SimNode> nodes = new ArrayList<>();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>((a, b) ->
          a.nanos != b.nanos
              ? Long.compare(a.nanos, b.nanos)
              : Long.compare(a.sequence, b.sequence));
  private final Map<CacheState, Set<MessageType>> metInState = new EnumMap<>(CacheState.class);
  private final Deque<String> trace = new ArrayDeque<>();
  private final int traceLines;
  private long now;
  private long sequence;

  private Simulation(SimConfig config, int traceLines) {
    this.config = config;
    this.traceLines = traceLines;
    this.random = new Random(config.seed());
    this.network = new SimNetwork(this);
    this.checker = new Checker(this);
    for (int id = 0; id < config.nodes(); id++) {
      nodes.add(new SimNode(this, id));
    }
  }

  /**
   * Runs a cluster until it has done all its operations and come to rest.
   *
   * @throws CheckFailure if a checker finds fault; its message has the seed and the last events
   */
  public static Result run(SimConfig config) {
    try {
      return new Simulation(config, 0).run();
    } catch (CheckFailure | RuntimeException failure) {
      throw explain(config, failure);
    }
  }

  /** All that happens in a run, event by event. */
  public static String transcript(SimConfig config) {
    Simulation simulation = new Simulation(config, Integer.MAX_VALUE);
    simulation.run();
    return String.join("\n", simulation.trace);
  }

  /** Runs again, the same way, this time noting what happens. */
  private static CheckFailure explain(SimConfig config, Throwable failure) {
    Simulation again = new Simulation(config, TRACE_LINES);
    try {
      again.run();
    } catch (CheckFailure | RuntimeException same) {
      CheckFailure explained =
          new CheckFailure(
              same.getMessage() + "\n" + config + "\n" + String.join("\n", again.trace));
      explained.initCause(same);
      return explained;
    }
    return new CheckFailure("not reproducible: " + failure + "\n" + config);
  }

  private Result run() {
    nodes.forEach(SimNode::start);
    long agents = (long) config.nodes() * (config.vcpusPerNode() + config.devicesPerNode());
    long limit = agents * config.operations() * EVENTS_PER_OPERATION;
    long done = 0;
    for (Event event = events.poll(); event != null; event = events.poll()) {
      now = event.nanos;
      if (event.node.pausedUntil() > now) {
        // With its old number: it stays behind what it was behind on its lane.
        events.add(new Event(event.node.pausedUntil(), event.sequence, event.node, event.action));
        continue;
      }
      event.action.run();
      if (++done > limit) {
        throw checker.fail("no end after " + done + " events: livelock");
      }
    }
    checker.atRest();
    Map<CoherenceCounter, Long> totals = new EnumMap<>(CoherenceCounter.class);
    for (CoherenceCounter counter : CoherenceCounter.values()) {
      totals.put(counter, nodes.stream().mapToLong(n -> n.counters().get(counter)).sum());
    }
    return new Result(done, totals, metInState, network.inFlightHighWater());
  }

  void at(SimNode node, long nanos, Runnable action) {
    events.add(new Event(Math.max(nanos, now), sequence++, node, action));
  }

  void probe(CacheState state, MessageType type) {
    metInState.computeIfAbsent(state, s -> EnumSet.noneOf(MessageType.class)).add(type);
  }

  void trace(CoherenceMessage message, CacheState state) {
    if (traceLines > 0) {
      note(message + " (receiver in " + state + ")");
    }
  }

  void trace(int node, String what, long page) {
    if (traceLines > 0) {
      note("node " + node + " " + what + " page " + page);
    }
  }

  private void note(String line) {
    if (trace.size() == traceLines) {
      trace.removeFirst();
    }
    trace.addLast(now + " " + line);
  }

  int homeOf(long page) {
    return (int) (page % config.nodes());
  }

  long now() {
    return now;
  }

  SimConfig config() {
    return config;
  }

  Random random() {
    return random;
  }

  SimNetwork network() {
    return network;
  }

  Checker checker() {
    return checker;
  }

  SimNode node(int id) {
    return nodes.get(id);
  }

  List<SimNode> nodes() {
    return nodes;
  }
}
