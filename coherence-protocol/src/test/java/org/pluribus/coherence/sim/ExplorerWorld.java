package org.pluribus.coherence.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.CacheEffects;
import org.pluribus.coherence.CoherenceCounters;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DirectoryController;
import org.pluribus.coherence.DirectoryEffects;
import org.pluribus.coherence.ProtocolError;

/**
 * One state of an explored cluster: a page (home: node 0), and what may happen next. Page content
 * is only ever fresh or stale, so that states stay few.
 */
final class ExplorerWorld {
  private static final int NONE = 0;
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final long PAGE = 0;
  private static final int LANES = 3;
  private static final long HOLD_NANOS = 1_000;
  private static final long LONG_AFTER = 10 * HOLD_NANOS;

  private enum Doing {
    NOTHING,
    WAITING,
    WOKEN,
    PINNING
  }

  private static final class Agent {
    final Node node;
    final boolean device;
    int left;
    Doing doing = Doing.NOTHING;
    boolean write;

    Agent(Node node, boolean device, int left) {
      this.node = node;
      this.device = device;
      this.left = left;
    }
  }

  private static final class Packet {
    final CoherenceMessage message;
    boolean fresh;

    Packet(CoherenceMessage message, boolean fresh) {
      this.message = message;
      this.fresh = fresh;
    }
  }

  private record Choice(String label, Runnable action) {}

  private final Explorer.Scope scope;
  private final List<Node> nodes = new ArrayList<>();
  private final List<Agent> agents = new ArrayList<>();
  private final List<Deque<Packet>> channels = new ArrayList<>();
  private boolean everWritten;

  ExplorerWorld(Explorer.Scope scope) {
    this.scope = scope;
    for (int id = 0; id < scope.nodes(); id++) {
      Node node = new Node(id);
      nodes.add(node);
      for (int i = 0; i < scope.vcpusPerNode(); i++) {
        agents.add(new Agent(node, false, scope.accesses()));
      }
      if (id < scope.devices()) {
        agents.add(new Agent(node, true, 1));
      }
    }
    for (int i = 0; i < scope.nodes() * scope.nodes() * LANES; i++) {
      channels.add(new ArrayDeque<>());
    }
  }

  int choices() {
    return enabled().size();
  }

  void take(int choice) {
    enabled().get(choice).action.run();
  }

  String label(int choice) {
    return enabled().get(choice).label;
  }

  private List<Choice> enabled() {
    List<Choice> choices = new ArrayList<>();
    for (Deque<Packet> channel : channels) {
      if (!channel.isEmpty()) {
        Packet packet = channel.getFirst();
        choices.add(new Choice(packet.message.toString(), () -> deliver(channel)));
      }
    }
    for (Node node : nodes) {
      if (node.leavingTo >= 0) {
        choices.add(new Choice("node " + node.id + " has given up rights", node::left));
      }
      if (node.cache.nextDeadline() != Long.MAX_VALUE) {
        choices.add(new Choice("hold over at " + node.id, () -> node.cache.tick(LONG_AFTER)));
      }
    }
    for (Agent agent : agents) {
      addChoices(agent, choices);
    }
    return choices;
  }

  private void addChoices(Agent agent, List<Choice> choices) {
    String who = (agent.device ? "device of node " : "vCPU of node ") + agent.node.id;
    switch (agent.doing) {
      case NOTHING -> {
        if (agent.left > 0) {
          choices.add(new Choice(who + " reads", () -> begin(agent, false)));
          choices.add(new Choice(who + " writes", () -> begin(agent, true)));
        }
      }
      case WOKEN -> choices.add(new Choice(who + " retries", () -> attempt(agent)));
      case PINNING -> choices.add(new Choice(who + " unpins", () -> unpin(agent)));
      case WAITING -> {}
    }
  }

  // ---- Events

  private void deliver(Deque<Packet> channel) {
    Packet packet = channel.removeFirst();
    Node node = nodes.get(packet.message.to);
    node.payloadFresh = packet.fresh;
    if (packet.message.forDirectory()) {
      node.directory.message(packet.message, 0);
    } else {
      node.cache.message(packet.message, 0);
    }
  }

  private void begin(Agent agent, boolean write) {
    agent.write = write;
    attempt(agent);
  }

  private void attempt(Agent agent) {
    Node node = agent.node;
    boolean mayGo =
        agent.device
            ? node.cache.pin(PAGE, agent.write)
            : node.rights >= (agent.write ? WRITE : READ);
    if (!mayGo) {
      agent.doing = Doing.WAITING;
      node.cache.fault(PAGE, agent.write, 0);
      return;
    }
    agent.left--;
    access(node, agent.write);
    if (agent.device) {
      agent.doing = Doing.PINNING;
    } else {
      agent.doing = Doing.NOTHING;
      node.cache.used(PAGE);
    }
  }

  private void unpin(Agent agent) {
    if (agent.node.rights < (agent.write ? WRITE : READ)) {
      throw new CheckFailure("node " + agent.node.id + " lost its pinned page");
    }
    access(agent.node, agent.write);
    agent.doing = Doing.NOTHING;
    agent.node.cache.unpin(PAGE);
  }

  private void access(Node node, boolean write) {
    if (!node.fresh) {
      throw new CheckFailure("node " + node.id + " reads stale bytes");
    }
    if (write) {
      everWritten = true;
      nodes.forEach(other -> other.fresh = other == node);
      channels.forEach(channel -> channel.forEach(packet -> packet.fresh = false));
    }
  }

  // ---- Checks

  void checkAtRest() {
    for (Agent agent : agents) {
      if (agent.left > 0 || agent.doing != Doing.NOTHING) {
        throw new CheckFailure("node " + agent.node.id + " waits for ever");
      }
    }
    for (Node node : nodes) {
      boolean owns = nodes.get(0).directory.owner(PAGE) == node.id;
      boolean shares = (nodes.get(0).directory.sharers(PAGE) & (1L << node.id)) != 0;
      int recorded = owns ? WRITE : shares ? READ : NONE;
      if (node.cache.pagesInTransit() != 0
          || node.directory.busyPages() != 0
          || node.rights != recorded) {
        throw new CheckFailure("node " + node.id + " rests in " + node.cache.describe(PAGE));
      }
    }
  }

  /** All that decides what can happen from here on. */
  String key() {
    StringBuilder key = new StringBuilder(nodes.get(0).directory.describe(PAGE));
    for (Node node : nodes) {
      key.append('|').append(node.cache.describe(PAGE)).append(node.rights).append(node.fresh);
      key.append(node.leavingTo);
    }
    for (Agent agent : agents) {
      key.append('|').append(agent.left).append(agent.doing).append(agent.write);
    }
    for (int i = 0; i < channels.size(); i++) {
      for (Packet packet : channels.get(i)) {
        CoherenceMessage m = packet.message;
        key.append('|').append(i).append(m.type).append(m.requester).append(' ');
        key.append(m.ackCount).append(m.flags).append(packet.fresh);
      }
    }
    return key.append(everWritten).toString();
  }

  private final class Node implements CacheEffects, DirectoryEffects {
    final int id;
    final CacheController cache;
    final DirectoryController directory;
    int rights = NONE;
    boolean fresh = true;
    boolean payloadFresh;

    /** Rights left after the revoke or downgrade under way, or -1. */
    int leavingTo = -1;

    Node(int id) {
      this.id = id;
      CoherenceCounters counters = new CoherenceCounters();
      long hold = scope.holds() ? HOLD_NANOS : 0;
      cache = new CacheController(id, scope.nodes(), 1, hold, page -> 0, this, counters);
      directory = new DirectoryController(id, scope.nodes(), 1, page -> 0, this, counters);
    }

    @Override
    public void send(CoherenceMessage message) {
      if (message.carriesData() && (rights == WRITE || message.to == id)) {
        throw new CheckFailure("node " + id + " must not send " + message);
      }
      int channel = (id * scope.nodes() + message.to) * LANES + message.lane().code();
      CoherenceMessage copy = new CoherenceMessage().copyFrom(message);
      channels.get(channel).addLast(new Packet(copy, message.carriesData() && fresh));
    }

    @Override
    public void install(long page) {
      if (rights != NONE) {
        throw new CheckFailure("node " + id + " installs under readers");
      }
      fresh = payloadFresh;
    }

    @Override
    public void installZero(long page) {
      if (rights != NONE) {
        throw new CheckFailure("node " + id + " clears under readers");
      }
      fresh = !everWritten;
    }

    @Override
    public void grantShared(long page) {
      granted(READ);
    }

    @Override
    public void grantExclusive(long page) {
      granted(WRITE);
    }

    private void granted(int right) {
      rights = right;
      for (Node other : nodes) {
        boolean conflict = other.rights == WRITE || (right == WRITE && other.rights != NONE);
        if (other != this && conflict) {
          throw new CheckFailure("nodes " + id + " and " + other.id + " both have rights");
        }
      }
      if (!fresh) {
        throw new CheckFailure("node " + id + " is granted stale bytes");
      }
    }

    @Override
    public void downgrade(long page) {
      leavingTo = READ;
      if (!scope.slowRevokes()) {
        left();
      }
    }

    @Override
    public void revoke(long page) {
      leavingTo = NONE;
      if (!scope.slowRevokes()) {
        left();
      }
    }

    void left() {
      rights = leavingTo;
      leavingTo = -1;
      if (rights == READ) {
        cache.downgraded(PAGE, 0);
      } else {
        cache.revoked(PAGE, 0);
      }
    }

    @Override
    public void wake(long page) {
      for (Agent agent : agents) {
        if (agent.node == this && agent.doing == Doing.WAITING) {
          agent.doing = Doing.WOKEN;
        }
      }
    }

    @Override
    public void protocolError(ProtocolError reason, CoherenceMessage message) {
      throw new CheckFailure("node " + id + " refuses " + message + ": " + reason);
    }
  }
}
