package org.pluribus.coherence.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.CacheEffects;
import org.pluribus.coherence.CoherenceCounters;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DirectoryController;
import org.pluribus.coherence.DirectoryEffects;
import org.pluribus.coherence.MessageRing;
import org.pluribus.coherence.ProtocolError;
import org.pluribus.coherence.TwinStore;

/** A node: controllers as shipped, rights in force, a mirror, vCPUs and devices. */
final class SimNode implements CacheEffects, DirectoryEffects, TwinStore {
  static final int NONE = 0;
  static final int READ = 1;
  static final int WRITE = 2;

  /** Words of a page; each stands for one of its blocks. */
  static final int WORDS = 8;

  /** So many changed words stand for too much of the page. */
  private static final int MOST_WORDS = 5;

  private static final long[] NO_BYTES = {};

  /** A node stands still at one message of so many. */
  private static final int MESSAGES_PER_PAUSE = 2_000;

  /** What is in a page whose memory was given back: nobody may ever see it. */
  private static final long FORGOTTEN = -2;

  /** How many times as long a slow node takes. */
  private static final int SLOWNESS = 5;

  private final Simulation simulation;
  private final int id;
  private final CoherenceCounters counters = new CoherenceCounters();
  private final CacheController cache;
  private final DirectoryController directory;
  private final MessageRing toSelf = new MessageRing();
  private final CoherenceMessage local = new CoherenceMessage();
  private final List<SimAgent> agents = new ArrayList<>();
  private final int[] rights;
  private final boolean[] leaving;
  private final long[][] content;
  private final long[][] contentBefore;
  private final long[][] twins;

  /** For sabotage: the slot of a page's twin until the page is written. */
  private final int[] lateTwin;

  private long[] payload = NO_BYTES;
  private boolean deliveryScheduled;
  private long tickScheduledFor = Long.MAX_VALUE;
  private long pausedUntilNanos;

  SimNode(Simulation simulation, int id) {
    SimConfig config = simulation.config();
    this.simulation = simulation;
    this.id = id;
    this.rights = new int[config.pages()];
    this.leaving = new boolean[config.pages()];
    this.content = new long[config.pages()][WORDS];
    this.contentBefore = new long[config.pages()][WORDS];
    this.twins = new long[config.twins()][WORDS];
    this.lateTwin = new int[config.pages()];
    Arrays.fill(lateTwin, -1);
    if (config.sabotage() == Sabotage.ZERO_SKIPPED) {
      for (long[] page : content) {
        Arrays.fill(page, -1);
      }
    }
    this.cache =
        new CacheController(
            id,
            config.nodes(),
            config.pages(),
            config.holdNanos(),
            simulation::homeOf,
            this,
            counters,
            config.deltas(),
            this);
    this.directory =
        new DirectoryController(
            id, config.nodes(), config.pages(), simulation::homeOf, this, counters);
    for (int i = 0; i < config.vcpusPerNode(); i++) {
      agents.add(new SimVcpu(simulation, this));
    }
    for (int i = 0; i < config.devicesPerNode(); i++) {
      agents.add(new SimDevice(simulation, this));
    }
  }

  void start() {
    agents.forEach(SimAgent::start);
  }

  // ---- Time

  /** Has this node do something later. */
  void after(long nanos, Runnable action) {
    long takes = simulation.config().slowNode() == id ? SLOWNESS * nanos : nanos;
    simulation.at(this, simulation.now() + takes, action);
  }

  /** Until when the whole node stands still: a collection of garbage, a stopped process. */
  long pausedUntil() {
    return pausedUntilNanos;
  }

  private void pauseNowAndThen() {
    int most = simulation.config().maxPauseNanos();
    if (most > 0 && simulation.random().nextInt(MESSAGES_PER_PAUSE) == 0) {
      pausedUntilNanos = simulation.now() + 1 + simulation.random().nextInt(most);
    }
  }

  // ---- Events

  void deliver(CoherenceMessage message, long[] messageContent) {
    pauseNowAndThen();
    simulation.trace(message, cache.state(message.page));
    payload = messageContent;
    if (message.forDirectory()) {
      directory.message(message, simulation.now());
    } else {
      simulation.probe(cache.state(message.page), message.type);
      cache.message(message, simulation.now());
    }
    afterStep();
  }

  void fault(long page, boolean write) {
    simulation.trace(id, write ? "write fault" : "read fault", page);
    cache.fault(page, write, simulation.now());
    if (simulation.random().nextInt(8) == 0) {
      long other = simulation.random().nextInt(simulation.config().pages());
      cache.prefetch(other, simulation.random().nextBoolean());
    }
    if (simulation.random().nextInt(8) == 0) {
      evict(simulation.random().nextInt(simulation.config().pages()));
    }
    afterStep();
  }

  private void evict(long page) {
    if (cache.evict(page)) {
      simulation.trace(id, "offers", page);
    }
  }

  /** Self-addressed messages and due holds are taken up in events of their own. */
  void afterStep() {
    if (toSelf.size() > 0 && !deliveryScheduled) {
      deliveryScheduled = true;
      after(simulation.random().nextInt(10), this::deliverToSelf);
    }
    long deadline = cache.nextDeadline();
    if (deadline < tickScheduledFor) {
      tickScheduledFor = deadline;
      simulation.at(this, deadline, this::tick);
    }
  }

  private void deliverToSelf() {
    deliveryScheduled = false;
    if (toSelf.poll(local)) {
      deliver(new CoherenceMessage().copyFrom(local), NO_BYTES);
    }
  }

  private void tick() {
    tickScheduledFor = Long.MAX_VALUE;
    cache.tick(simulation.now());
    afterStep();
  }

  // ---- Effects

  @Override
  public void send(CoherenceMessage message) {
    if (message.to == id) {
      if (message.carriesBytes()) {
        throw simulation.checker().fail("node " + id + " sends page bytes to itself");
      }
      toSelf.add(message);
      return;
    }
    long[] bytes = NO_BYTES;
    if (message.carriesBytes()) {
      int page = (int) message.page;
      if (rights[page] == WRITE && sabotage() == Sabotage.NONE) {
        throw simulation.checker().fail("node " + id + " sends page " + page + " while it writes");
      }
      bytes = sabotage() == Sabotage.STALE_DATA_SENT ? contentBefore[page] : content[page];
      bytes = bytes.clone();
    }
    simulation.network().send(message, bytes);
  }

  @Override
  public void install(long page) {
    nobodyHasRights(page);
    if (sabotage() != Sabotage.INSTALL_SKIPPED) {
      content[(int) page] = payload.clone();
    }
  }

  @Override
  public void installDelta(long page, long blocks) {
    nobodyHasRights(page);
    for (int word = 0; word < WORDS; word++) {
      if ((blocks & 1L << word) != 0) {
        content[(int) page][word] = payload[word];
      }
    }
  }

  @Override
  public void installSparse(long page, long blocks) {
    nobodyHasRights(page);
    if (sabotage() != Sabotage.REST_NOT_ZEROED) {
      Arrays.fill(content[(int) page], 0);
    }
    installDelta(page, blocks);
  }

  @Override
  public int slots() {
    return twins.length;
  }

  @Override
  public void keep(long page, int slot) {
    twins[slot] = content[(int) page].clone();
    lateTwin[(int) page] = slot;
  }

  @Override
  public long changedBlocks(long page, int slot) {
    long blocks = 0;
    for (int word = 0; word < WORDS; word++) {
      blocks |= content[(int) page][word] != twins[slot][word] ? 1L << word : 0;
    }
    if (sabotage() == Sabotage.CHANGED_BLOCK_MISSED) {
      return blocks & (blocks - 1);
    }
    return Long.bitCount(blocks) > MOST_WORDS ? -1 : blocks;
  }

  @Override
  public long nonZeroBlocks(long page) {
    long blocks = 0;
    for (int word = 0; word < WORDS; word++) {
      blocks |= content[(int) page][word] != 0 ? 1L << word : 0;
    }
    if (sabotage() == Sabotage.NON_ZERO_BLOCK_MISSED) {
      return blocks & (blocks - 1);
    }
    return Long.bitCount(blocks) > MOST_WORDS ? -1 : blocks;
  }

  @Override
  public void installZero(long page) {
    nobodyHasRights(page);
    if (sabotage() != Sabotage.ZERO_SKIPPED) {
      Arrays.fill(content[(int) page], 0);
    }
  }

  @Override
  public void grantShared(long page) {
    rights[(int) page] = READ;
    simulation.checker().granted(this, page);
  }

  @Override
  public void grantExclusive(long page) {
    rights[(int) page] = WRITE;
    simulation.checker().granted(this, page);
  }

  @Override
  public void downgrade(long page) {
    completeLater(
        page,
        () -> {
          if (sabotage() != Sabotage.DOWNGRADE_IGNORED) {
            rights[(int) page] = READ;
          }
          simulation.trace(id, "downgraded", page);
          cache.downgraded(page, simulation.now());
        });
  }

  @Override
  public void revoke(long page) {
    completeLater(
        page,
        () -> {
          if (sabotage() != Sabotage.REVOKE_IGNORED) {
            rights[(int) page] = NONE;
          }
          simulation.trace(id, "gave up", page);
          cache.revoked(page, simulation.now());
          if (sabotage() == Sabotage.STALE_BYTES_TOUCHED && simulation.random().nextInt(20) == 0) {
            content[(int) page][0] = -1;
          }
          forget((int) page);
        });
  }

  /** What was given up may make room at once. */
  private void forget(int page) {
    if (simulation.random().nextBoolean() && cache.forget(page)) {
      Arrays.fill(content[page], FORGOTTEN);
    }
  }

  /** Whether there is room depends on what else a node has. */
  @Override
  public void take(long page) {
    if (simulation.random().nextInt(4) != 0) {
      cache.take(page);
    }
  }

  @Override
  public long waitingSince(long page) {
    return simulation.now() - simulation.random().nextInt(1000);
  }

  /** It comes when it comes: it must do no harm at any time. */
  @Override
  public void hurry(int node, long page, long waitingSince) {
    SimNode told = simulation.node(node);
    told.after(
        1 + simulation.random().nextInt(simulation.config().maxRevokeNanos()),
        () -> told.cache.hurry(page, waitingSince, simulation.now()));
  }

  /** Now and then a vCPU had no chance to use its page yet. */
  @Override
  public long holdLonger(long page, int requester, long waitingSince, long nowNanos) {
    return simulation.random().nextInt(4) == 0
        ? 1 + simulation.random().nextLong(1 + simulation.config().holdNanos())
        : 0;
  }

  /** Two times out of three vCPUs give up their rights some time later, else on the spot. */
  private void completeLater(long page, Runnable completion) {
    if (simulation.random().nextInt(3) == 0) {
      completion.run();
      return;
    }
    leaving[(int) page] = true;
    after(
        1 + simulation.random().nextInt(simulation.config().maxRevokeNanos()),
        () -> {
          leaving[(int) page] = false;
          completion.run();
          afterStep();
        });
  }

  @Override
  public void wake(long page) {
    if (sabotage() == Sabotage.WAKE_LOST && simulation.random().nextInt(20) == 0) {
      return;
    }
    for (SimAgent agent : agents) {
      agent.woken(page);
    }
  }

  @Override
  public void protocolError(ProtocolError reason, CoherenceMessage message) {
    throw simulation.checker().fail("node " + id + " refuses " + message + ": " + reason);
  }

  private void nobodyHasRights(long page) {
    if (rights[(int) page] != NONE && sabotage() == Sabotage.NONE) {
      throw simulation.checker().fail("node " + id + " installs page " + page + " under readers");
    }
  }

  // ---- What vCPUs and devices use

  /**
   * Whether a vCPU gets through. While a revoke is under way some still do, by a stale translation,
   * and some don't.
   */
  boolean getsThrough(long page, boolean write) {
    boolean enforced = rights[(int) page] >= (write ? WRITE : READ);
    return enforced && !(leaving[(int) page] && simulation.random().nextBoolean());
  }

  void access(long page, boolean write) {
    simulation.trace(id, write ? "writes" : "reads", page);
    simulation.checker().read(this, page);
    if (write) {
      contentBefore[(int) page] = content[(int) page].clone();
      int word = simulation.random().nextInt(WORDS);
      content[(int) page][word] = simulation.checker().write(page, word);
      int late = lateTwin[(int) page];
      if (sabotage() == Sabotage.TWIN_TOO_LATE && late >= 0) {
        twins[late] = content[(int) page].clone();
        lateTwin[(int) page] = -1;
      }
    }
  }

  boolean isDone() {
    return agents.stream().allMatch(SimAgent::isDone);
  }

  String describe() {
    StringBuilder text = new StringBuilder();
    for (SimAgent agent : agents) {
      text.append(agent).append("; ");
    }
    return text.toString();
  }

  private Sabotage sabotage() {
    return simulation.config().sabotage();
  }

  int id() {
    return id;
  }

  int rights(long page) {
    return rights[(int) page];
  }

  long[] content(long page) {
    return content[(int) page];
  }

  CacheController cache() {
    return cache;
  }

  DirectoryController directory() {
    return directory;
  }

  CoherenceCounters counters() {
    return counters;
  }
}
