package org.pluribus.vmm.node;

import java.util.Arrays;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.CacheEffects;
import org.pluribus.coherence.CoherenceCounters;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.coherence.DirectoryController;
import org.pluribus.coherence.DirectoryEffects;
import org.pluribus.coherence.MessageRing;
import org.pluribus.coherence.MessageType;
import org.pluribus.coherence.ProtocolError;
import org.pluribus.coherence.TwinStore;
import org.pluribus.transport.Channel;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.Transport;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's memory side: feeds the coherence controllers with local faults, messages and time, and
 * is the one place where their effects are executed.
 *
 * <p>A page fault from start to end: {@link #acquire} (a vCPU lacks a right) to {@link
 * CacheController#fault}, whose {@link #send} goes to the page's home; there {@link #onCoherence}
 * feeds the {@link DirectoryController}, whose message goes to the owner; there {@link #revoke}
 * takes it from the vCPUs and {@link #revoked} leads to the page being sent; here {@link
 * #onCoherence} again, {@link #install}, {@link #grantExclusive}, {@link #wake}, and the vCPU goes
 * on.
 *
 * <p>Threads: methods without another word need the duty token ({@link #tryDuty} takes it).
 */
public final class PluribusNode implements CacheEffects, PageRights.Completions {
  private static final Logger LOG = LoggerFactory.getLogger(PluribusNode.class);

  /** Messages taken from the transport in one turn: bounds the time the token is held. */
  static final int POLL_LIMIT = 64;

  private static final int PAGE_SHIFT = 12;

  private final int self;
  private final GuestRamLayout layout;
  private final long ramAddress;
  private final Transport transport;
  private final CacheController cache;
  private final DirectoryController directory;
  private final CoherenceCounters counters = new CoherenceCounters();
  private final PageRights rights;
  private final PageRoom room;
  private final LongSupplier clock;
  private final DutyToken token = new DutyToken(this::duty);
  private volatile long nextDeadline = Long.MAX_VALUE;
  private volatile @Nullable Thread dutyThread;
  private final MessageRing localMessages = new MessageRing();
  private final CoherenceMessage localMessage = new CoherenceMessage();
  private VcpuThread[] vcpus = {};
  private PageWaiter[] waiters = {};
  private FaultLog faultLog = FaultLog.OFF;
  private final HotPages hotPages;
  private final PeerMessages messages;
  private @Nullable PagePayload payload;
  private volatile boolean stopping;
  private volatile @Nullable String failure;

  /**
   * How a node deals with pages.
   *
   * @param holdNanos how long a fresh grant is kept from being revoked
   * @param deltas whether only what has changed of a page is sent where that is possible
   * @param twins where to keep what pages were before this node wrote them
   * @param budget how much of guest RAM the image may hold; null for all
   */
  public record Policy(
      long holdNanos, DeltaMode deltas, TwinStore twins, @Nullable MirrorBudget budget) {}

  /**
   * @param ramAddress host address of the RAM image in {@link GuestRamLayout} order
   */
  public PluribusNode(
      int self,
      GuestRamLayout layout,
      long ramAddress,
      Transport transport,
      PageRights rights,
      Policy policy) {
    this(self, layout, ramAddress, transport, rights, policy, System::nanoTime);
  }

  /**
   * The same with another clock.
   *
   * @param clock nanoseconds, as {@link System#nanoTime}; any thread
   */
  PluribusNode(
      int self,
      GuestRamLayout layout,
      long ramAddress,
      Transport transport,
      PageRights rights,
      Policy policy,
      LongSupplier clock) {
    this.self = self;
    this.layout = layout;
    this.ramAddress = ramAddress;
    this.transport = transport;
    this.rights = rights;
    this.clock = clock;
    hotPages = new HotPages(layout.nodeCount());
    messages = new PeerMessages(this, transport, token);
    cache =
        new CacheController(
            self,
            layout.nodeCount(),
            layout.pageCount(),
            policy.holdNanos,
            layout::homeOfPage,
            this,
            counters,
            policy.deltas,
            policy.twins);
    room = new PageRoom(policy.budget, cache, clock);
    directory =
        new DirectoryController(
            self,
            layout.nodeCount(),
            layout.pageCount(),
            layout::homeOfPage,
            new HomeEffects(),
            counters);
  }

  public int id() {
    return self;
  }

  public GuestRamLayout layout() {
    return layout;
  }

  public CoherenceCounters counters() {
    return counters;
  }

  Transport transport() {
    return transport;
  }

  /** What this node says to its peers that is not about pages. */
  public PeerMessages messages() {
    return messages;
  }

  long ramAddress() {
    return ramAddress;
  }

  /** Before the node starts: its vCPUs. */
  void vcpus(VcpuThread[] threads) {
    vcpus = threads.clone();
  }

  /** Before the node starts: where times of its faults go. */
  public void faultLog(FaultLog log) {
    faultLog = log;
  }

  /** Pages that come here again and again. */
  public HotPages hotPages() {
    return hotPages;
  }

  FaultLog faultLog() {
    return faultLog;
  }

  // ---- the duty cycle

  /** See {@link DutyToken#tryTurn}. */
  public int tryDuty() {
    return token.tryTurn();
  }

  /** Who may do what concerns the node's protocol state. */
  DutyToken token() {
    return token;
  }

  /** One turn: what vCPUs acknowledged, whose hold is over, what arrived; what is to go, goes. */
  int duty() {
    int work = rights.poll(this);
    if (cache.nextDeadline() != Long.MAX_VALUE) {
      cache.tick(clock.getAsLong());
    }
    work += room.make();
    work += deliverLocal();
    // Only who sleeps until the deadline sees to it that what may wait does not wait for longer.
    boolean patiently = Thread.currentThread() == dutyThread;
    work += patiently ? transport.pollPatiently(POLL_LIMIT) : transport.poll(POLL_LIMIT);
    work += deliverLocal();
    long deadline = Math.min(cache.nextDeadline(), room.nextDeadline());
    deadline = Math.min(deadline, transport.nextDeadline());
    if (deadline != nextDeadline) {
      nextDeadline = deadline;
    }
    return work;
  }

  /** When a turn has something to do even if nothing arrives; see {@link DutyWait}. Any thread. */
  long nextDeadline() {
    return nextDeadline;
  }

  /** From now on a thread runs the duty cycle whenever there is work. */
  void dutyThreadStarts(Thread thread) {
    dutyThread = thread;
  }

  /** Whether others need not run the duty cycle while they wait. Any thread. */
  public boolean hasDutyThread() {
    return dutyThread != null;
  }

  /** Messages between this node's own controllers, until there are none. */
  private int deliverLocal() {
    int n = 0;
    while (localMessages.poll(localMessage)) {
      deliver(localMessage);
      n++;
    }
    return n;
  }

  private void deliver(CoherenceMessage m) {
    if (m.forDirectory()) {
      directory.message(m, clock.getAsLong());
    } else {
      cache.message(m, clock.getAsLong());
    }
  }

  /** A coherence message from a peer. */
  public void onCoherence(CoherenceMessage message, PagePayload bytes) {
    payload = bytes;
    if (message.carriesBytes()) {
      hotPages.received(message.page, message.from, message.bytesCarried());
    }
    faultLog.received(message);
    deliver(message);
    payload = null;
    deliverLocal();
  }

  /** One waits for a page that this node is asked for, and has waited for longer than others. */
  public void onHurry(long page, long waitingSince) {
    cache.hurry(page, waitingSince, clock.getAsLong());
  }

  // ---- faults

  /** Whether this node may read, or write, the page now. Any thread. */
  boolean suffices(long page, boolean write) {
    return rights.suffices(page, write);
  }

  /** Host address of a page of the RAM image. Any thread. */
  long hostAddress(long page) {
    return ramAddress + (page << PAGE_SHIFT);
  }

  /**
   * Waits until this node has the right. On return the page stays here at least until the waiter
   * has used it (see {@link PageWaiter}). Any thread that has a waiter and owns nothing.
   *
   * @throws VcpuStopped when the machine stops first
   */
  void acquire(PageWaiter waiter, long page, boolean write) {
    long event = faultLog.now();
    waiter.begin(page, write);
    IdleBackoff idle = waiter.idle();
    idle.reset();
    while (!waiter.granted()) {
      if (stopping) {
        waiter.end();
        throw VcpuStopped.INSTANCE;
      }
      if (turnFor(waiter, page, write, event) > 0) {
        idle.reset();
      } else {
        idle.idle();
      }
    }
    waiter.end();
  }

  /**
   * One turn of {@link #acquire}, if nobody else has the token: looks, asks, runs the duty cycle.
   *
   * @return the amount of work done; whether the right is there, the waiter says
   */
  int turnFor(PageWaiter waiter, long page, boolean write, long event) {
    if (!token.tryTake()) {
      return 0;
    }
    try {
      if (rights.suffices(page, write)) {
        waiter.grant();
        return 1;
      }
      int work = 0;
      if (waiter.mustAsk()) {
        faultLog.began(page, write, event);
        room.fault(page, write);
        work = deliverLocal();
      }
      return work + duty();
    } finally {
      token.release();
    }
  }

  /** The guest lacks a right; it goes on once {@link PageRights} gives it. Token holder. */
  void fault(long page, boolean write) {
    room.fault(page, write);
    deliverLocal();
  }

  /** A vCPU will want a page soon; whether it is asked for now. Token holder. */
  boolean prefetch(long page, boolean write) {
    boolean asked = room.prefetch(page, write);
    deliverLocal();
    return asked;
  }

  /** Pins a page for Java code (loader, devices), waiting for it. See {@link NodeMemory}. */
  void pin(PageWaiter waiter, long page, boolean write) {
    do {
      acquire(waiter, page, write);
    } while (!tryPin(page, write));
  }

  /** Pins a page if the right to it is there. */
  boolean tryPin(long page, boolean write) {
    token.take();
    try {
      return cache.pin(page, write);
    } finally {
      token.release();
    }
  }

  /** Takes a pin back; {@code written} pages may hold other code now. */
  void unpin(long page, boolean written) {
    token.take();
    try {
      if (written) {
        rights.changed(page);
      }
      cache.unpin(page);
      duty();
    } finally {
      token.release();
    }
  }

  /** Adds somebody who can wait for pages. Before the machine starts, or with the token. */
  void add(PageWaiter waiter) {
    PageWaiter[] more = Arrays.copyOf(waiters, waiters.length + 1);
    more[waiters.length] = waiter;
    waiters = more;
  }

  // ---- effects of the cache controller

  @Override
  public void send(CoherenceMessage message) {
    if (message.type == MessageType.GET_S || message.type == MessageType.GET_M) {
      room.asked(message.page);
    }
    if (message.to == self) {
      localMessages.add(message);
      return;
    }
    long bytes = message.carriesBytes() ? hostAddress(message.page) : Channel.NO_PAYLOAD;
    if (!transport.channel(message.to).sendCoherence(message, bytes)) {
      LOG.debug("message to node {} not taken: {}", message.to, message);
    }
    faultLog.sent(message);
  }

  @Override
  public void install(long page) {
    PagePayload bytes = payload;
    if (bytes == null || bytes.isEmpty()) {
      throw new IllegalStateException("no page bytes to install for page " + page);
    }
    faultLog.copying(page);
    bytes.copyTo(hostAddress(page));
  }

  @Override
  public void installDelta(long page, long blocks) {
    PagePayload bytes = payload;
    if (bytes == null) {
      throw new IllegalStateException("no blocks to install for page " + page);
    }
    faultLog.copying(page);
    bytes.copyBlocksTo(hostAddress(page), blocks);
  }

  @Override
  public void installSparse(long page, long blocks) {
    PagePayload bytes = payload;
    if (bytes == null) {
      throw new IllegalStateException("no blocks to install for page " + page);
    }
    faultLog.copying(page);
    bytes.copySparseTo(hostAddress(page), blocks);
  }

  @Override
  public void installZero(long page) {
    // A page that nobody has written since the machine began is a hole in the RAM image: zero.
    rights.fresh(page);
  }

  @Override
  public void grantShared(long page) {
    faultLog.installing(page);
    rights.grantShared(page);
    faultLog.installed(page);
  }

  @Override
  public void grantExclusive(long page) {
    faultLog.installing(page);
    rights.grantExclusive(page);
    faultLog.installed(page);
  }

  @Override
  public void downgrade(long page) {
    if (rights.downgrade(page)) {
      downgraded(page);
    }
  }

  @Override
  public void downgraded(long page) {
    cache.downgraded(page, clock.getAsLong());
  }

  @Override
  public void revoke(long page) {
    if (rights.revoke(page)) {
      revoked(page);
    }
  }

  @Override
  public void revoked(long page) {
    cache.revoked(page, clock.getAsLong());
    room.left(page);
  }

  @Override
  public long holdLonger(long page, int requester, long waitingSince, long nowNanos) {
    return rights.holdLonger(page, waitingSince, requester < id(), nowNanos);
  }

  @Override
  public long waitingSince(long page) {
    return rights.waitingSince(page);
  }

  @Override
  public void wake(long page) {
    for (PageWaiter w : waiters) {
      w.wake(page, rights);
    }
  }

  @Override
  public void protocolError(ProtocolError reason, CoherenceMessage message) {
    // What it belonged to will never come to an end: rather none of the machine than half of it.
    fail("node %d sent what makes no sense (%s): %s".formatted(message.from, reason, message));
  }

  /** What a home sends; it never carries page bytes. */
  private final class HomeEffects implements DirectoryEffects {
    @Override
    public void send(CoherenceMessage message) {
      PluribusNode.this.send(message);
    }

    @Override
    public void take(long page) {
      room.take(page);
    }

    @Override
    public void hurry(int node, long page, long waitingSince) {
      if (node == self) {
        onHurry(page, waitingSince);
      } else if (!transport.channel(node).sendHurry(page, waitingSince)) {
        LOG.debug("node {} takes no hurry for page {}", node, page);
      }
    }

    @Override
    public void protocolError(ProtocolError reason, CoherenceMessage message) {
      PluribusNode.this.protocolError(reason, message);
    }
  }

  // ---- the end

  boolean stopping() {
    return stopping;
  }

  /** Everybody who waits gives up. Any thread. */
  public void stop() {
    stopping = true;
    for (VcpuThread v : vcpus) {
      v.kick();
    }
  }

  /** Says why this node cannot go on. Any thread; the first reason counts. */
  void fail(String reason) {
    synchronized (this) {
      if (failure == null) {
        failure = reason;
      }
    }
    stop();
  }

  /** Why the node cannot go on, or null. Any thread. */
  public @Nullable String failureReason() {
    return failure;
  }
}
