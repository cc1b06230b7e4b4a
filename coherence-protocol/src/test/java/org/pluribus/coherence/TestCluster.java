package org.pluribus.coherence;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/** Controllers wired to each other, with revokes that complete at once; counts effects. */
final class TestCluster {
  static final int TWINS = 4;

  final List<Node> nodes = new ArrayList<>();
  final List<CoherenceMessage> refused = new ArrayList<>();
  private final Deque<CoherenceMessage> inFlight = new ArrayDeque<>();
  private final Deque<CoherenceMessage> spare = new ArrayDeque<>();
  private final int nodeCount;

  TestCluster(int nodeCount, long pages, long holdNanos) {
    this(nodeCount, pages, holdNanos, DeltaMode.OFF);
  }

  TestCluster(int nodeCount, long pages, long holdNanos, DeltaMode deltas) {
    this.nodeCount = nodeCount;
    for (int id = 0; id < nodeCount; id++) {
      nodes.add(new Node(id, pages, holdNanos, deltas));
    }
  }

  int homeOf(long page) {
    return (int) (page % nodeCount);
  }

  void fault(int node, long page, boolean write) {
    nodes.get(node).cache.fault(page, write, 0);
  }

  /** Delivers everything, oldest first. */
  void settle() {
    while (!inFlight.isEmpty()) {
      CoherenceMessage message = inFlight.removeFirst();
      nodes.get(message.to).receive(message);
      spare.addLast(message);
    }
  }

  /** Delivers a message from anywhere in the queue: lanes and pairs go at their own pace. */
  void deliverAny(Random random) {
    int skip = inFlight.isEmpty() ? 0 : random.nextInt(inFlight.size());
    for (int i = 0; i < skip; i++) {
      inFlight.addLast(inFlight.removeFirst());
    }
    if (!inFlight.isEmpty()) {
      CoherenceMessage message = inFlight.removeFirst();
      nodes.get(message.to).receive(message);
    }
  }

  /** All that can be seen of the controllers. */
  String snapshot(long pages) {
    StringBuilder text = new StringBuilder();
    for (Node node : nodes) {
      text.append(node.cache.pagesInTransit()).append(' ').append(node.cache.nextDeadline());
      for (long page = 0; page < pages; page++) {
        text.append(' ').append(node.cache.describe(page)).append(node.cache.version(page));
        text.append(node.directory.describe(page));
      }
    }
    return text.toString();
  }

  final class Node implements CacheEffects, DirectoryEffects, TwinStore {
    final int id;
    final CoherenceCounters counters = new CoherenceCounters();
    final CacheController cache;
    final DirectoryController directory;
    int effects;
    int wakes;

    /** What the node answers when a hold is over. */
    long longerNanos;

    /** What it was asked with, last. */
    long askedFor;

    /** What it says when asked who waits. */
    long since;

    /** Twins made. */
    int kept;

    /** Whom this node, as a home, told to hurry. */
    final List<String> hurried = new ArrayList<>();

    /** What a comparison with a twin finds. */
    long changed = 1;

    /** What a comparison with zeros finds. */
    long nonZero = -1L;

    Node(int id, long pages, long holdNanos, DeltaMode deltas) {
      this.id = id;
      cache =
          new CacheController(
              id,
              nodeCount,
              pages,
              holdNanos,
              TestCluster.this::homeOf,
              this,
              counters,
              deltas,
              this);
      directory =
          new DirectoryController(id, nodeCount, pages, TestCluster.this::homeOf, this, counters);
    }

    void receive(CoherenceMessage message) {
      if (message.forDirectory()) {
        directory.message(message, 0);
      } else {
        cache.message(message, 0);
      }
    }

    @Override
    public void send(CoherenceMessage message) {
      effects++;
      CoherenceMessage copy = spare.pollFirst();
      inFlight.addLast((copy == null ? new CoherenceMessage() : copy).copyFrom(message));
    }

    @Override
    public void install(long page) {
      effects++;
    }

    @Override
    public void installZero(long page) {
      effects++;
    }

    @Override
    public void installDelta(long page, long blocks) {
      effects++;
    }

    @Override
    public void installSparse(long page, long blocks) {
      effects++;
    }

    @Override
    public int slots() {
      return TWINS;
    }

    @Override
    public void keep(long page, int slot) {
      kept++;
    }

    @Override
    public long changedBlocks(long page, int slot) {
      return changed;
    }

    @Override
    public long nonZeroBlocks(long page) {
      return nonZero;
    }

    @Override
    public void grantShared(long page) {
      effects++;
    }

    @Override
    public void grantExclusive(long page) {
      effects++;
    }

    @Override
    public void downgrade(long page) {
      effects++;
      cache.downgraded(page, 0);
    }

    @Override
    public void revoke(long page) {
      effects++;
      cache.revoked(page, 0);
    }

    @Override
    public void wake(long page) {
      effects++;
      wakes++;
    }

    @Override
    public void take(long page) {
      cache.take(page);
    }

    @Override
    public void hurry(int node, long page, long waitingSince) {
      hurried.add("n" + node + " p" + page + " since " + waitingSince);
      nodes.get(node).cache.hurry(page, waitingSince, 0);
    }

    @Override
    public long waitingSince(long page) {
      return since;
    }

    @Override
    public long holdLonger(long page, int requester, long waitingSince, long nowNanos) {
      askedFor = waitingSince;
      return longerNanos;
    }

    @Override
    public void protocolError(ProtocolError reason, CoherenceMessage message) {
      refused.add(new CoherenceMessage().copyFrom(message));
    }
  }
}
