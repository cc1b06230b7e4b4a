package org.pluribus.coherence.scenario;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.CacheEffects;
import org.pluribus.coherence.CoherenceCounters;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.coherence.DirectoryController;
import org.pluribus.coherence.DirectoryEffects;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.coherence.ProtocolError;
import org.pluribus.coherence.TwinStore;
import org.pluribus.coherence.sim.ProtocolCells;
import org.pluribus.coherence.sim.ProtocolCells.Side;

/**
 * A cluster that moves only as a script says, and writes down every effect. The home of page p is
 * node p modulo the number of nodes.
 */
final class ScenarioCluster {
  /** Messages a "settle" may deliver before the script counts as endless. */
  private static final int SETTLE_LIMIT = 1_000;

  private record Channel(int from, int to, Lane lane) {}

  private final List<Node> nodes = new ArrayList<>();
  private final Deque<Channel> sendOrder = new ArrayDeque<>();
  private final Map<Channel, Deque<CoherenceMessage>> channels = new HashMap<>();
  private final StringBuilder log = new StringBuilder();
  private final ProtocolCells cells;
  private boolean revokesWait;
  private long changed = 1;
  private long nonZero = -1L;
  private long now;

  /** Makes a cluster that notes in {@code cells} what its controllers do. */
  ScenarioCluster(int nodeCount, int pages, long holdNanos, int twins, ProtocolCells cells) {
    this.cells = cells;
    for (int id = 0; id < nodeCount; id++) {
      nodes.add(new Node(id, nodeCount, pages, holdNanos, twins));
    }
  }

  /** Executes one command line and returns what happened. */
  String execute(String line) {
    log.setLength(0);
    String[] words = line.trim().split("\\s+");
    switch (words[0]) {
      case "read" -> node(words[1]).fault(page(words[2]), false);
      case "write" -> node(words[1]).fault(page(words[2]), true);
      case "deliver" -> deliver(words);
      case "settle" -> settle();
      case "revokes" -> revokesWait = words[1].equals("wait");
      case "revoked" -> node(words[1]).revoked(page(words[2]));
      case "downgraded" -> node(words[1]).downgraded(page(words[2]));
      case "used" -> node(words[1]).used(page(words[2]));
      case "pin" -> pin(words);
      case "evict" -> node(words[1]).evict(page(words[2]));
      case "take" -> node(words[1]).takeOffered(page(words[2]));
      case "unpin" -> node(words[1]).unpin(page(words[2]));
      case "time" -> advance(Long.parseLong(words[1]));
      case "changed" -> changed = blocks(words[1]);
      case "nonzero" -> nonZero = blocks(words[1]);
      case "forge" -> forge(words);
      case "state" -> state(page(words[1]));
      default -> throw new IllegalArgumentException("unknown command: " + line);
    }
    return log.isEmpty() ? "nothing\n" : log.toString();
  }

  private Node node(String word) {
    return nodes.get(Integer.parseInt(word.substring(1)));
  }

  private static long page(String word) {
    return Long.parseLong(word.substring(1));
  }

  private static long blocks(String word) {
    return word.equals("all") ? -1L : Long.decode(word);
  }

  /** {@code deliver n0->n1 control}: the oldest message of that channel. */
  private void deliver(String[] words) {
    String[] ends = words[1].split("->");
    Lane lane = words.length > 2 ? Lane.valueOf(words[2].toUpperCase(Locale.ROOT)) : Lane.CONTROL;
    Channel channel = new Channel(node(ends[0]).id, node(ends[1]).id, lane);
    if (!sendOrder.removeFirstOccurrence(channel)) {
      throw new IllegalArgumentException("nothing to deliver on " + channel);
    }
    hand(channel);
  }

  /** Delivers all messages in the order sent until none is left. */
  private void settle() {
    for (int delivered = 0; !sendOrder.isEmpty(); delivered++) {
      if (delivered == SETTLE_LIMIT) {
        throw new IllegalStateException("no end of messages");
      }
      hand(sendOrder.removeFirst());
    }
  }

  private void hand(Channel channel) {
    CoherenceMessage message = Objects.requireNonNull(channels.get(channel)).removeFirst();
    log.append("deliver ").append(message).append('\n');
    nodes.get(channel.to).receive(message);
  }

  private void pin(String[] words) {
    boolean write = words[3].equals("write");
    boolean pinned = node(words[1]).cache.pin(page(words[2]), write);
    log.append(pinned ? "pinned\n" : "refused\n");
  }

  private void advance(long nanos) {
    now += nanos;
    for (Node node : nodes) {
      node.tick();
    }
  }

  /** {@code forge DATA p0 n2->n1 req n1 acks 0 base 0}: delivers a message nobody sent. */
  private void forge(String[] words) {
    String[] ends = words[3].split("->");
    CoherenceMessage message = new CoherenceMessage();
    message.set(
        MessageType.valueOf(words[1]),
        page(words[2]),
        Integer.parseInt(ends[0].substring(1)),
        node(ends[1]).id,
        Integer.parseInt(words[5].substring(1)),
        words.length > 7 ? Integer.parseInt(words[7]) : 0,
        0,
        0);
    message.base(words.length > 9 ? Long.parseLong(words[9]) : 0);
    node(ends[1]).take(message);
  }

  private void state(long page) {
    int home = (int) (page % nodes.size());
    DirectoryController directory = nodes.get(home).directory;
    for (Node node : nodes) {
      log.append('n').append(node.id).append(' ').append(node.cache.state(page)).append(", ");
    }
    log.append("home n").append(home);
    if (!directory.touched(page)) {
      log.append(" untouched");
    }
    if (directory.owner(page) >= 0) {
      log.append(" owner n").append(directory.owner(page));
    }
    long sharers = directory.sharers(page);
    if (sharers != 0) {
      log.append(" sharers");
      for (long rest = sharers; rest != 0; rest &= rest - 1) {
        log.append(" n").append(Long.numberOfTrailingZeros(rest));
      }
    }
    if (directory.busy(page)) {
      log.append(" busy, ").append(directory.waiting(page)).append(" waiting");
    }
    log.append('\n');
  }

  private final class Node implements CacheEffects, DirectoryEffects, TwinStore {
    final int id;
    final CacheController cache;
    final DirectoryController directory;
    private final int twins;

    Node(int id, int nodeCount, int pages, long holdNanos, int twins) {
      this.id = id;
      this.twins = twins;
      CoherenceCounters counters = new CoherenceCounters();
      cache =
          new CacheController(
              id,
              nodeCount,
              pages,
              holdNanos,
              p -> (int) (p % nodeCount),
              this,
              counters,
              twins > 0 ? DeltaMode.ON : DeltaMode.OFF,
              this);
      directory =
          new DirectoryController(id, nodeCount, pages, p -> (int) (p % nodeCount), this, counters);
    }

    // ---- Events. Forged messages alone are no cells of the protocol table.

    void fault(long page, boolean write) {
      begin(page, write ? "write fault" : "read fault");
      cache.fault(page, write, now);
      end(page);
    }

    void receive(CoherenceMessage message) {
      boolean home = message.forDirectory();
      String row = home ? ProtocolCells.row(directory, message.page) : row(message.page);
      cells.begin(home ? Side.HOME : Side.CACHE, row, ProtocolCells.name(message.type));
      take(message);
      cells.end(home ? ProtocolCells.row(directory, message.page) : row(message.page));
    }

    void take(CoherenceMessage message) {
      if (message.forDirectory()) {
        directory.message(message, now);
      } else {
        cache.message(message, now);
      }
    }

    void revoked(long page) {
      begin(page, "revoked");
      cache.revoked(page, now);
      end(page);
    }

    void downgraded(long page) {
      begin(page, "downgraded");
      cache.downgraded(page, now);
      end(page);
    }

    void used(long page) {
      begin(page, "used");
      cache.used(page);
      end(page);
    }

    void unpin(long page) {
      begin(page, "unpin");
      cache.unpin(page);
      end(page);
    }

    void evict(long page) {
      if (!cache.mayEvict(page)) {
        log.append("refused\n");
        return;
      }
      begin(page, "evict");
      cache.evict(page);
      end(page);
    }

    void takeOffered(long page) {
      if (!cache.mayTake(page)) {
        log.append("refused\n");
        return;
      }
      begin(page, "take");
      cache.take(page);
      end(page);
    }

    void tick() {
      if (cache.nextDeadline() > now) {
        return;
      }
      begin(0, "hold over"); // Scenarios with holds have one page.
      cache.tick(now);
      end(0);
    }

    private void begin(long page, String event) {
      cells.begin(Side.CACHE, row(page), event);
    }

    private void end(long page) {
      cells.end(row(page));
    }

    private String row(long page) {
      return ProtocolCells.row(cache, page);
    }

    private void note(String effect, long page) {
      log.append("  n")
          .append(id)
          .append(' ')
          .append(effect)
          .append(" p")
          .append(page)
          .append('\n');
    }

    @Override
    public void send(CoherenceMessage message) {
      Channel channel = new Channel(id, message.to, message.lane());
      channels
          .computeIfAbsent(channel, c -> new ArrayDeque<>())
          .addLast(new CoherenceMessage().copyFrom(message));
      sendOrder.addLast(channel);
      log.append("  n").append(id).append(" send ").append(message).append('\n');
    }

    @Override
    public void install(long page) {
      note("install", page);
    }

    @Override
    public void installDelta(long page, long blocks) {
      note("installDelta", page);
    }

    @Override
    public void installSparse(long page, long blocks) {
      note("installSparse", page);
    }

    @Override
    public int slots() {
      return twins;
    }

    @Override
    public void keep(long page, int slot) {
      note("keeps a twin in slot " + slot + " of", page);
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
    public void installZero(long page) {
      note("installZero", page);
    }

    @Override
    public void grantShared(long page) {
      note("grantShared", page);
    }

    @Override
    public void grantExclusive(long page) {
      note("grantExclusive", page);
    }

    @Override
    public void downgrade(long page) {
      note("downgrade", page);
      if (!revokesWait) {
        downgraded(page);
      }
    }

    @Override
    public void revoke(long page) {
      note("revoke", page);
      if (!revokesWait) {
        revoked(page);
      }
    }

    @Override
    public void wake(long page) {
      note("wake", page);
    }

    @Override
    public void take(long page) {
      cells.effect("take");
      note("take", page);
    }

    @Override
    public void protocolError(ProtocolError reason, CoherenceMessage message) {
      log.append("  n").append(id).append(" refuses ").append(message).append(": ");
      log.append(reason).append('\n');
    }
  }
}
