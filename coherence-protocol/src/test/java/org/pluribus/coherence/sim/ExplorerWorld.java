package org.pluribus.coherence.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CacheState;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DirectoryController;
import org.pluribus.coherence.MessageType;
import org.pluribus.coherence.sim.ProtocolCells.Side;

/**
 * One state of an explored cluster, and what may happen next. Page content is the number of the
 * write that left it; without twins all that tells states apart is whether it was the last one, so
 * that they stay few.
 */
final class ExplorerWorld {
  static final int NONE = 0;
  static final int READ = 1;
  static final int WRITE = 2;
  private static final int LANES = 3;

  /** Messages of a channel that its queue has room for at first: more are rare. */
  private static final int SHORT_QUEUE = 2;

  static final long HOLD_NANOS = 1_000;
  private static final long LONG_AFTER = 10 * HOLD_NANOS;

  /** Kinds of events; an event's code is {@code kind << 16 | who << 8 | page << 1 | write}. */
  private enum Event {
    DELIVER,
    GIVEN_UP,
    HOLD_OVER,
    BEGIN,
    FAULT_ANYHOW,
    RETRY,
    UNPIN,
    EVICT,
    TAKE;

    private static final Event[] VALUES = values();

    int code(int who, int page, boolean write) {
      return ordinal() << 16 | who << 8 | page << 1 | (write ? 1 : 0);
    }
  }

  enum Doing {
    NOTHING,
    WAITING,
    WOKEN,
    PINNING
  }

  /** A vCPU or device. */
  static final class Agent {
    final ExplorerNode node;
    final boolean device;
    int left;
    Doing doing = Doing.NOTHING;
    int page;
    boolean write;

    Agent(ExplorerNode node, boolean device, int left) {
      this.node = node;
      this.device = device;
      this.left = left;
    }
  }

  /** A message under way, the bytes with it, and with which ones they were compared. */
  private record Packet(CoherenceMessage message, int content, int base) {}

  final Explorer.Scope scope;
  private final List<ExplorerNode> nodes;
  private final List<Agent> agents;
  private final List<Deque<Packet>> channels;

  /** Numbers of the last writes; 0 for pages never written, which are zero. */
  private final int[] lastWrite;

  private @Nullable ProtocolCells cells;

  ExplorerWorld(Explorer.Scope scope) {
    this.scope = scope;
    this.lastWrite = new int[scope.pages()];
    this.nodes = new ArrayList<>(scope.nodes());
    this.agents = new ArrayList<>(scope.nodes() * (scope.vcpusPerNode() + 1));
    this.channels = new ArrayList<>(scope.nodes() * scope.nodes() * LANES);
    for (int id = 0; id < scope.nodes(); id++) {
      ExplorerNode node = new ExplorerNode(this, id);
      nodes.add(node);
      for (int i = 0; i < scope.vcpusPerNode(); i++) {
        agents.add(new Agent(node, false, scope.accesses()));
      }
      if (id < scope.devices()) {
        agents.add(new Agent(node, true, 1));
      }
    }
    for (int i = 0; i < scope.nodes() * scope.nodes() * LANES; i++) {
      channels.add(new ArrayDeque<>(SHORT_QUEUE));
    }
  }

  /** From now on events are noted, if there is where. */
  void record(@Nullable ProtocolCells where) {
    cells = where;
  }

  @Nullable ProtocolCells cells() {
    return cells;
  }

  // ---- What may happen

  /** Codes of the events that may come next. */
  int[] choices() {
    int[] codes = new int[channels.size() + 4 * (nodes.size() + agents.size()) * scope.pages()];
    int count = 0;
    for (int i = 0; i < channels.size(); i++) {
      if (!channels.get(i).isEmpty()) {
        codes[count++] = Event.DELIVER.code(i, 0, false);
      }
    }
    for (ExplorerNode node : nodes) {
      for (int page = 0; page < scope.pages(); page++) {
        if (node.leavingTo[page] >= 0) {
          codes[count++] = Event.GIVEN_UP.code(node.id, page, false);
        }
        if (node.evictionsLeft > 0 && node.cache.mayEvict(page)) {
          codes[count++] = Event.EVICT.code(node.id, page, false);
        }
        if (node.offered[page]) {
          codes[count++] = Event.TAKE.code(node.id, page, false);
        }
      }
      if (node.cache.nextDeadline() != Long.MAX_VALUE) {
        codes[count++] = Event.HOLD_OVER.code(node.id, 0, false);
      }
    }
    for (int i = 0; i < agents.size(); i++) {
      Agent agent = agents.get(i);
      switch (agent.doing) {
        case NOTHING -> {
          for (int page = 0; agent.left > 0 && page < scope.pages(); page++) {
            codes[count++] = Event.BEGIN.code(i, page, false);
            codes[count++] = Event.BEGIN.code(i, page, true);
            // A fault that raced with a grant, or one of a vCPU that is quick to see a right go.
            int rights = agent.device ? NONE : agent.node.rights[page];
            if (rights >= READ) {
              codes[count++] = Event.FAULT_ANYHOW.code(i, page, false);
            }
            if (rights >= WRITE) {
              codes[count++] = Event.FAULT_ANYHOW.code(i, page, true);
            }
          }
        }
        case WOKEN -> codes[count++] = Event.RETRY.code(i, 0, false);
        case PINNING -> codes[count++] = Event.UNPIN.code(i, 0, false);
        case WAITING -> {}
      }
    }
    return Arrays.copyOf(codes, count);
  }

  /** Executes an event. */
  void take(int code) {
    int who = code >>> 8 & 0xff;
    int page = (code & 0xff) >>> 1;
    switch (Event.VALUES[code >>> 16]) {
      case DELIVER -> deliver(channels.get(who).removeFirst());
      case GIVEN_UP -> nodes.get(who).givenUp(page);
      case HOLD_OVER -> nodes.get(who).holdOver(LONG_AFTER);
      case BEGIN -> {
        agents.get(who).page = page;
        agents.get(who).write = (code & 1) != 0;
        attempt(agents.get(who));
      }
      case FAULT_ANYHOW -> {
        agents.get(who).page = page;
        agents.get(who).write = (code & 1) != 0;
        fault(agents.get(who));
      }
      case RETRY -> attempt(agents.get(who));
      case UNPIN -> unpin(agents.get(who));
      case EVICT -> nodes.get(who).evict(page);
      case TAKE -> nodes.get(who).takeOffered(page);
    }
  }

  /** An event in words. Call only while it may come next. */
  String label(int code) {
    int who = code >>> 8 & 0xff;
    int page = (code & 0xff) >>> 1;
    return switch (Event.VALUES[code >>> 16]) {
      case DELIVER -> "deliver " + channels.get(who).getFirst().message;
      case GIVEN_UP -> "node " + who + " has given up rights to page " + page;
      case HOLD_OVER -> "holds are over at node " + who;
      case BEGIN -> name(who) + ((code & 1) != 0 ? " writes page " : " reads page ") + page;
      case FAULT_ANYHOW ->
          name(who)
              + " faults though it can "
              + ((code & 1) != 0 ? "write" : "read")
              + " page "
              + page;
      case RETRY -> name(who) + " tries again";
      case UNPIN -> name(who) + " unpins";
      case EVICT -> "node " + who + " offers page " + page;
      case TAKE -> "home " + who + " takes page " + page + " if it can";
    };
  }

  private String name(int agent) {
    return (agents.get(agent).device ? "device of node " : "vCPU of node ")
        + agents.get(agent).node.id;
  }

  // ---- Events

  private void deliver(Packet packet) {
    CoherenceMessage message = packet.message;
    ExplorerNode node = nodes.get(message.to);
    node.payload = packet.content;
    node.payloadType = message.type;
    node.payloadBase = packet.base;
    String name = ProtocolCells.name(message.type);
    if (message.forDirectory()) {
      node.begin(Side.HOME, message.page, name);
      node.directory.message(message, 0);
      node.end(Side.HOME, message.page);
    } else {
      node.begin(Side.CACHE, message.page, name);
      node.cache.message(message, 0);
      node.end(Side.CACHE, message.page);
    }
  }

  private void attempt(Agent agent) {
    ExplorerNode node = agent.node;
    int page = agent.page;
    boolean mayGo =
        agent.device
            ? node.cache.pin(page, agent.write)
            : node.rights[page] >= (agent.write ? WRITE : READ);
    if (!mayGo) {
      fault(agent);
      return;
    }
    agent.left--;
    access(node, page, agent.write);
    if (agent.device) {
      agent.doing = Doing.PINNING;
    } else {
      agent.doing = Doing.NOTHING;
      node.begin(Side.CACHE, page, "used");
      node.cache.used(page);
      node.end(Side.CACHE, page);
    }
  }

  private void fault(Agent agent) {
    agent.doing = Doing.WAITING; // First: the wake may come during the call.
    agent.node.begin(Side.CACHE, agent.page, agent.write ? "write fault" : "read fault");
    agent.node.cache.fault(agent.page, agent.write, 0);
    agent.node.end(Side.CACHE, agent.page);
  }

  private void unpin(Agent agent) {
    ExplorerNode node = agent.node;
    if (node.rights[agent.page] < (agent.write ? WRITE : READ)) {
      throw new CheckFailure("node " + node.id + " lost its pinned page");
    }
    access(node, agent.page, agent.write);
    agent.doing = Doing.NOTHING;
    node.begin(Side.CACHE, agent.page, "unpin");
    node.cache.unpin(agent.page);
    node.end(Side.CACHE, agent.page);
  }

  private void access(ExplorerNode node, int page, boolean write) {
    if (!node.isFresh(page)) {
      throw new CheckFailure("node " + node.id + " reads stale bytes");
    }
    if (write) {
      node.content[page] = ++lastWrite[page];
    }
  }

  // ---- What nodes do to the world

  void send(ExplorerNode from, CoherenceMessage message) {
    int channel = (from.id * scope.nodes() + message.to) * LANES + message.lane().code();
    int content = message.carriesBytes() ? from.content[(int) message.page] : 0;
    int base = message.type == MessageType.DATA_DELTA ? from.compared : 0;
    CoherenceMessage copy = new CoherenceMessage().copyFrom(message);
    channels.get(channel).addLast(new Packet(copy, content, base));
  }

  void wake(ExplorerNode node, long page) {
    for (Agent agent : agents) {
      if (agent.node == node && agent.doing == Doing.WAITING && agent.page == page) {
        agent.doing = Doing.WOKEN;
      }
    }
  }

  int lastWrite(long page) {
    return lastWrite[(int) page];
  }

  int homeOf(long page) {
    return (int) (page % scope.nodes());
  }

  ExplorerNode node(int id) {
    return nodes.get(id);
  }

  // ---- Checks

  /** What must hold in every state. */
  void check() {
    for (int page = 0; page < scope.pages(); page++) {
      rightsAreCoherent(page);
      versionsNameBytes(page);
      DirectoryController home = nodes.get(homeOf(page)).directory;
      if (home.waiting(page) >= scope.nodes()) {
        throw new CheckFailure(home.waiting(page) + " requests wait for page " + page);
      }
      if (!home.busy(page)) {
        directoryTellsTheTruth(home, page);
      }
    }
    for (Deque<Packet> channel : channels) {
      channel.forEach(packet -> promiseHolds(packet.message));
    }
  }

  private void rightsAreCoherent(int page) {
    int holders = 0;
    int writers = 0;
    for (ExplorerNode node : nodes) {
      holders += node.rights[page] == NONE ? 0 : 1;
      writers += node.rights[page] == WRITE ? 1 : 0;
      if (node.rights[page] != NONE && !node.isFresh(page)) {
        throw new CheckFailure("node " + node.id + " has a right to stale bytes of page " + page);
      }
    }
    if (writers > 0 && holders > 1) {
      throw new CheckFailure(
          "page " + page + " has " + writers + " writers and " + holders + " nodes with rights");
    }
  }

  /** Who has bytes of the same version has the same bytes, but for who may write new ones. */
  private void versionsNameBytes(int page) {
    Map<Long, Integer> bytes = new HashMap<>();
    for (ExplorerNode node : nodes) {
      if (scope.twins() > 0 && node.rights[page] != WRITE) {
        nameBytes(bytes, page, node.cache.version(page), node.content[page]);
      }
      if (node.cache.twinVersion(page) != 0) {
        nameBytes(bytes, page, node.cache.twinVersion(page), node.twinBytes(page));
      }
    }
  }

  private static void nameBytes(Map<Long, Integer> bytes, int page, long version, int content) {
    @Nullable Integer known = version == 0 ? null : bytes.putIfAbsent(version, content);
    if (known != null && known != content) {
      throw new CheckFailure("version " + version + " of page " + page + " is not always the same");
    }
  }

  private void directoryTellsTheTruth(DirectoryController home, int page) {
    for (ExplorerNode node : nodes) {
      CacheState state = node.cache.state(page);
      boolean owns = home.owner(page) == node.id;
      boolean shares = (home.sharers(page) & (1L << node.id)) != 0;
      boolean hasCopy = state == CacheState.S || state == CacheState.SM_AD;
      if (owns != (state == CacheState.M) || shares != hasCopy) {
        throw new CheckFailure(
            "page "
                + page
                + " is "
                + state
                + " at node "
                + node.id
                + ", its home says "
                + home.describe(page));
      }
    }
  }

  /** As long as an InvAck or Data is under way, what it promises is true of its sender. */
  private void promiseHolds(CoherenceMessage m) {
    int rights = nodes.get(m.from).rights[(int) m.page];
    boolean gone =
        m.type == MessageType.INV_ACK || (m.carriesBytes() && m.has(CoherenceMessage.EXCLUSIVE));
    if ((gone && rights != NONE) || (m.carriesBytes() && rights == WRITE)) {
      throw new CheckFailure(
          m + " is under way while its sender can " + (rights == WRITE ? "write" : "read"));
    }
  }

  /** What must hold besides when nothing can happen any more. */
  void checkAtRest() {
    for (Agent agent : agents) {
      if (agent.left > 0 || agent.doing != Doing.NOTHING) {
        throw new CheckFailure(
            name(agents.indexOf(agent)) + " waits for page " + agent.page + " for ever");
      }
    }
    for (ExplorerNode node : nodes) {
      if (node.cache.pagesInTransit() != 0 || node.directory.busyPages() != 0) {
        throw new CheckFailure("node " + node.id + " rests in " + node.describe());
      }
    }
  }

  /** The versions of each page that decide anything. */
  private VersionRanks[] ranks() {
    VersionRanks[] ranks = new VersionRanks[scope.pages()];
    for (int page = 0; page < ranks.length; page++) {
      VersionRanks of = new VersionRanks();
      if (scope.twins() > 0) {
        for (ExplorerNode node : nodes) {
          of.add(node.cache.version(page));
          of.add(node.cache.twinVersion(page));
          of.addAll(node.cache.describe(page));
        }
        of.addAll(nodes.get(homeOf(page)).directory.describe(page));
      }
      ranks[page] = of;
    }
    if (scope.twins() > 0) {
      for (Deque<Packet> channel : channels) {
        for (Packet packet : channel) {
          ranks[(int) packet.message.page].add(packet.message.version);
          ranks[(int) packet.message.page].add(packet.message.base);
        }
      }
    }
    for (VersionRanks of : ranks) {
      of.close();
    }
    return ranks;
  }

  /** All that decides what can happen from here on. */
  CharSequence key() {
    StringBuilder key = new StringBuilder(256);
    VersionRanks[] ranks = ranks();
    for (ExplorerNode node : nodes) {
      node.appendTo(key, ranks);
    }
    for (int page = 0; page < scope.pages(); page++) {
      String entry = nodes.get(homeOf(page)).directory.describe(page);
      key.append(ranks[page].in(entry)).append(lastWrite[page] > 0);
      key.append(scope.twins() > 0 ? lastWrite[page] : 0);
    }
    for (Agent agent : agents) {
      boolean idle = agent.doing == Doing.NOTHING;
      key.append('|').append(agent.left).append((char) ('a' + agent.doing.ordinal()));
      key.append(idle ? 0 : agent.page).append(!idle && agent.write);
    }
    for (int i = 0; i < channels.size(); i++) {
      for (Packet packet : channels.get(i)) {
        CoherenceMessage m = packet.message;
        key.append('|').append(i).append(' ').append(m.type.code()).append(' ').append(m.page);
        key.append(' ').append(m.requester).append(' ').append(m.ackCount).append(' ');
        key.append(m.flags).append(m.carriesBytes() && packet.content == lastWrite[(int) m.page]);
        if (scope.twins() > 0) {
          VersionRanks of = ranks[(int) m.page];
          key.append(' ').append(of.of(m.version)).append(' ').append(of.of(m.base)).append(' ');
          key.append(m.blocks).append(' ').append(packet.content).append(' ').append(packet.base);
        }
      }
    }
    return key;
  }
}
