package org.pluribus.coherence;

import static org.pluribus.coherence.CoherenceMessage.EXCLUSIVE;
import static org.pluribus.coherence.CoherenceMessage.ZERO;

import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.PageRecord.Surrender;

/**
 * One node's copies of pages: asks homes for rights when local vCPUs or devices fault, and gives
 * copies up when homes say so.
 *
 * <p>A pure state machine: no I/O, no clock, no lock. One thread calls it; effects are callbacks
 * during the call. Steps allocate nothing once state chunks and the record pool have grown to their
 * high-water marks.
 *
 * <p>Misuse by the local node (a page outside RAM, a completion nobody waits for) throws; nothing
 * that a message may contain does.
 */
public final class CacheController {
  /** Nodes are bits of a {@code long} in sharer sets. */
  public static final int MAX_NODES = 64;

  /** Spreads node numbers over 64 bits: 2 to the 64th divided by the golden ratio, made odd. */
  private static final long JITTER_SEED = 0x9e3779b97f4a7c15L;

  private final int self;
  private final int nodes;
  private final HomeMap homes;
  private final CacheEffects effects;
  private final CoherenceCounters counters;
  private final long holdNanos;
  private final CachePages pages;
  private final HoldQueue holds = new HoldQueue();
  private final CoherenceMessage out = new CoherenceMessage();

  /** State of the generator behind {@link #startHold}; differs by node, and is never 0. */
  private long jitter;

  /**
   * Makes the controller of a node which holds no page yet.
   *
   * @param self this node's number
   * @param nodes number of nodes in the cluster, 1 to {@link #MAX_NODES}
   * @param pageCount pages of guest RAM; valid page indexes are 0 to {@code pageCount - 1}
   * @param holdNanos a revoke is put off for this long after a grant, up to twice as long, unless
   *     {@link #used} comes first; 0 for not at all
   */
  public CacheController(
      int self,
      int nodes,
      long pageCount,
      long holdNanos,
      HomeMap homes,
      CacheEffects effects,
      CoherenceCounters counters) {
    if (nodes < 1 || nodes > MAX_NODES || self < 0 || self >= nodes) {
      throw new IllegalArgumentException(
          "node " + self + " of " + nodes + ": a cluster has 1 to " + MAX_NODES + " nodes");
    }
    if (pageCount < 1 || holdNanos < 0) {
      throw new IllegalArgumentException("pageCount " + pageCount + ", holdNanos " + holdNanos);
    }
    this.self = self;
    this.nodes = nodes;
    this.homes = homes;
    this.effects = effects;
    this.counters = counters;
    this.holdNanos = holdNanos;
    this.pages = new CachePages(pageCount);
    this.jitter = (self + 1) * JITTER_SEED;
  }

  // ---- Local events

  /**
   * A local vCPU or device lacks the right to read or write a page. {@link CacheEffects#wake}
   * follows, during the call or later, each time the faulter should retry; duplicates are merged.
   *
   * @param write whether it wants to write
   */
  public void fault(long page, boolean write, long nowNanos) {
    checkPage(page);
    if (mayAccess(page, write)) {
      counters.increment(CoherenceCounter.FAULTS_STALE);
      effects.wake(page);
      return;
    }
    PageRecord record = pages.recordOrNew(page);
    CacheState state = pages.state(page);
    if (isStable(state) && !isLeaving(record)) {
      request(record, write);
      if (state == CacheState.S) {
        holdOver(record); // The reader retried as a writer: it has used the shared copy.
      }
      return;
    }
    counters.increment(CoherenceCounter.FAULTS_MERGED);
    if (write && (isStable(state) || state == CacheState.IS_D)) {
      record.wantsWrite = true;
    } else if (isStable(state)) {
      record.wantsRead = true;
    }
  }

  /**
   * No vCPU or device of this node can read or write the page any more: a {@link
   * CacheEffects#revoke} is complete.
   */
  public void revoked(long page, long nowNanos) {
    PageRecord record = leaving(page, Surrender.REVOKING);
    CacheState state = pages.state(page);
    if (state == CacheState.SM_AD) {
      counters.increment(CoherenceCounter.UPGRADES_LOST);
      pages.state(page, CacheState.IM_AD);
    } else {
      pages.state(page, CacheState.I);
    }
    record.surrender = Surrender.NONE;
    counters.increment(CoherenceCounter.INVALIDATIONS);
    if (record.surrenderTo == MessageType.INV) {
      sendTo(MessageType.INV_ACK, page, record.surrenderRequester, record.surrenderRequester);
    } else {
      sendData(record.page, record.surrenderRequester, record.surrenderAckCount, EXCLUSIVE);
    }
    requestWhatIsWanted(record);
    pages.freeIfIdle(record);
  }

  /**
   * No vCPU or device of this node can write the page any more: a {@link CacheEffects#downgrade} is
   * complete.
   */
  public void downgraded(long page, long nowNanos) {
    PageRecord record = leaving(page, Surrender.DOWNGRADING);
    pages.state(page, CacheState.S);
    record.surrender = Surrender.NONE;
    counters.increment(CoherenceCounter.DOWNGRADES);
    sendData(page, record.surrenderRequester, 0, 0);
    requestWhatIsWanted(record);
    pages.freeIfIdle(record);
  }

  /**
   * Keeps the page's rights as they are until {@link #unpin}: for the time a device or loader works
   * on it. Pins nest.
   *
   * <p>Whoever has a page pinned must not wait for rights to any page (this one included): another
   * node's device could wait for this page meanwhile. Get all rights first, then pin all pages; if
   * one was lost in between, unpin and start over.
   *
   * @param write whether the right to write is needed
   * @return whether the rights are there and the page is now pinned; if not, {@link #fault} asks
   *     for them
   */
  public boolean pin(long page, boolean write) {
    checkPage(page);
    if (!mayAccess(page, write)) {
      return false;
    }
    pages.recordOrNew(page).pins++;
    return true;
  }

  /** Takes back one {@link #pin}; the last one lets a waiting revoke go ahead. */
  public void unpin(long page) {
    checkPage(page);
    PageRecord record = pages.record(page);
    if (record == null || record.pins == 0) {
      throw new IllegalStateException("page " + page + " is not pinned");
    }
    record.pins--;
    settle(record);
  }

  /** The vCPU that waited for the page has accessed it: the hold after the grant ends early. */
  public void used(long page) {
    checkPage(page);
    PageRecord record = pages.record(page);
    if (record != null) {
      holdOver(record);
    }
  }

  /** Ends the holds whose time is up. */
  public void tick(long nowNanos) {
    for (PageRecord first = holds.first();
        first != null && first.holdUntilNanos - nowNanos <= 0;
        first = holds.first()) {
      counters.increment(CoherenceCounter.HOLDS_EXPIRED);
      holdOver(first);
    }
  }

  /** When {@link #tick} has something to do next, or {@link Long#MAX_VALUE} if nothing waits. */
  public long nextDeadline() {
    PageRecord first = holds.first();
    return first == null ? Long.MAX_VALUE : first.holdUntilNanos;
  }

  // ---- Messages

  /**
   * Handles a message from another node, or from this one's own directory. A message that is
   * malformed or has no place in the page's state is reported by {@link CacheEffects#protocolError}
   * and changes nothing.
   *
   * @param message whose type is not {@link MessageType#forDirectory()}; not kept
   */
  public void message(CoherenceMessage message, long nowNanos) {
    ProtocolError error = envelopeError(message);
    if (error == null) {
      error =
          switch (message.type) {
            case FWD_GET_S, FWD_GET_M, INV -> onSurrender(message, nowNanos);
            case DATA -> onData(message, nowNanos);
            case GRANT -> onGrant(message, nowNanos);
            case INV_ACK -> onInvAck(message, nowNanos);
            case GET_S, GET_M, UPGRADE, UNBLOCK -> ProtocolError.MISDIRECTED;
          };
    }
    if (error != null) {
      counters.increment(CoherenceCounter.PROTOCOL_ERRORS);
      effects.protocolError(error, message);
    }
  }

  private @Nullable ProtocolError envelopeError(CoherenceMessage m) {
    if (!pages.contains(m.page)) {
      return ProtocolError.NO_SUCH_PAGE;
    }
    if (m.to != self) {
      return ProtocolError.MISDIRECTED;
    }
    if (!isNode(m.from) || !isNode(m.requester)) {
      return ProtocolError.WRONG_NODE;
    }
    boolean countOk = m.ackCount >= 0 && m.ackCount < nodes;
    return countOk && (m.flags & ~CoherenceMessage.ALL_FLAGS) == 0 ? null : ProtocolError.BAD_FIELD;
  }

  private @Nullable ProtocolError onSurrender(CoherenceMessage m, long nowNanos) {
    if (m.from != homes.homeOf(m.page) || m.requester == self) {
      return ProtocolError.WRONG_NODE;
    }
    CacheState state = pages.state(m.page);
    boolean owns = state == CacheState.M;
    boolean shares = state == CacheState.S || state == CacheState.SM_AD;
    PageRecord record = pages.record(m.page);
    if ((record != null && record.surrender != Surrender.NONE)
        || !(shares || (owns && m.type != MessageType.INV))) {
      return ProtocolError.UNEXPECTED;
    }
    if (m.type == MessageType.FWD_GET_S && shares) {
      sendData(m.page, m.requester, 0, 0);
      return null;
    }
    record = pages.recordOrNew(m.page);
    record.surrender = Surrender.DEFERRED;
    record.surrenderTo = m.type;
    record.surrenderRequester = m.requester;
    record.surrenderAckCount = m.ackCount;
    if (record.held && record.holdUntilNanos - nowNanos <= 0) {
      holds.release(record);
    }
    if (record.pins > 0) {
      counters.increment(CoherenceCounter.DEFERRED_BY_PIN);
    } else if (record.held) {
      counters.increment(CoherenceCounter.DEFERRED_BY_HOLD);
    }
    settle(record);
    return null;
  }

  private @Nullable ProtocolError onData(CoherenceMessage m, long nowNanos) {
    CacheState state = pages.state(m.page);
    if (m.requester != self || m.from == self) {
      return ProtocolError.WRONG_NODE;
    }
    if (state != CacheState.IS_D && state != CacheState.IM_AD) {
      return ProtocolError.UNEXPECTED;
    }
    boolean wantsM = state == CacheState.IM_AD;
    if (m.has(ZERO) || m.has(EXCLUSIVE) != wantsM || (!wantsM && m.ackCount != 0)) {
      return ProtocolError.BAD_FIELD;
    }
    PageRecord record = pages.recordOrNew(m.page);
    counters.increment(CoherenceCounter.PAGES_IN);
    effects.install(m.page);
    pages.version(m.page, m.version);
    answered(record, wantsM, m.ackCount, nowNanos);
    return null;
  }

  private @Nullable ProtocolError onGrant(CoherenceMessage m, long nowNanos) {
    if (m.from != homes.homeOf(m.page) || m.requester != self) {
      return ProtocolError.WRONG_NODE;
    }
    CacheState state = pages.state(m.page);
    PageRecord record = pages.record(m.page);
    boolean wantsM = state == CacheState.IM_AD || state == CacheState.SM_AD;
    if (record == null
        || record.surrender != Surrender.NONE
        || (!wantsM && state != CacheState.IS_D)) {
      return ProtocolError.UNEXPECTED;
    }
    boolean keepsCopy = state == CacheState.SM_AD;
    if (m.has(ZERO) == keepsCopy || m.has(EXCLUSIVE) != wantsM || (!wantsM && m.ackCount != 0)) {
      return ProtocolError.BAD_FIELD;
    }
    if (!keepsCopy) {
      counters.increment(CoherenceCounter.PAGES_ZERO);
      effects.installZero(m.page);
      pages.version(m.page, 0);
    }
    answered(record, wantsM, m.ackCount, nowNanos);
    return null;
  }

  private @Nullable ProtocolError onInvAck(CoherenceMessage m, long nowNanos) {
    CacheState state = pages.state(m.page);
    PageRecord record = pages.record(m.page);
    boolean awaitsAcks =
        state == CacheState.IM_AD
            || state == CacheState.IM_A
            || state == CacheState.SM_AD
            || state == CacheState.SM_A;
    if (record == null || !awaitsAcks || record.surrender != Surrender.NONE) {
      return ProtocolError.UNEXPECTED;
    }
    long bit = 1L << m.from;
    if (m.requester != self || m.from == self) {
      return ProtocolError.WRONG_NODE;
    }
    if ((record.ackedBy & bit) != 0) {
      return ProtocolError.UNEXPECTED;
    }
    record.ackedBy |= bit;
    finishIfAllAcked(record, nowNanos);
    return null;
  }

  // ---- Requests

  /** Sends what gets us from the stable state we are in to the right wanted. */
  private void request(PageRecord record, boolean write) {
    long page = record.page;
    record.wantsRead = false;
    record.wantsWrite = false;
    record.ackedBy = 0;
    record.acksExpected = 0;
    MessageType type;
    if (!write) {
      type = MessageType.GET_S;
      pages.state(page, CacheState.IS_D);
      counters.increment(CoherenceCounter.FAULTS_READ);
    } else if (pages.state(page) == CacheState.S) {
      type = MessageType.UPGRADE;
      pages.state(page, CacheState.SM_AD);
      counters.increment(CoherenceCounter.FAULTS_UPGRADE);
    } else {
      type = MessageType.GET_M;
      pages.state(page, CacheState.IM_AD);
      counters.increment(CoherenceCounter.FAULTS_WRITE);
    }
    sendTo(type, page, homes.homeOf(page), self);
  }

  private void requestWhatIsWanted(PageRecord record) {
    boolean wanted = record.wantsRead || record.wantsWrite;
    if (wanted && isStable(pages.state(record.page))) {
      request(record, record.wantsWrite);
    }
  }

  /** Bytes, or the news that none are needed, have come for our request. */
  private void answered(PageRecord record, boolean exclusive, int ackCount, long nowNanos) {
    if (!exclusive) {
      finishShared(record, nowNanos);
      return;
    }
    boolean shared = pages.state(record.page) == CacheState.SM_AD;
    pages.state(record.page, shared ? CacheState.SM_A : CacheState.IM_A);
    record.acksExpected = ackCount;
    finishIfAllAcked(record, nowNanos);
  }

  private void finishShared(PageRecord record, long nowNanos) {
    long page = record.page;
    pages.state(page, CacheState.S);
    effects.grantShared(page);
    sendTo(MessageType.UNBLOCK, page, homes.homeOf(page), self);
    startHold(record, nowNanos);
    requestWhatIsWanted(record); // After Unblock: the home must see the requests in this order.
    pages.freeIfIdle(record);
    effects.wake(page);
  }

  private void finishIfAllAcked(PageRecord record, long nowNanos) {
    long page = record.page;
    CacheState state = pages.state(page);
    boolean answered = state == CacheState.IM_A || state == CacheState.SM_A;
    if (!answered || Long.bitCount(record.ackedBy) < record.acksExpected) {
      return;
    }
    pages.state(page, CacheState.M);
    pages.version(page, pages.version(page) + 1);
    record.wantsRead = false;
    record.wantsWrite = false;
    effects.grantExclusive(page);
    sendTo(MessageType.UNBLOCK, page, homes.homeOf(page), self);
    startHold(record, nowNanos);
    pages.freeIfIdle(record);
    effects.wake(page);
  }

  // ---- Holds, and giving up rights

  /**
   * Holds last a random time between once and twice {@code holdNanos}. If all were equally long,
   * two nodes whose next instructions need the same two pages could swap them for ever, each giving
   * its page away at the moment it gets the other.
   */
  private void startHold(PageRecord record, long nowNanos) {
    if (holdNanos == 0) {
      return;
    }
    // Xorshift (Marsaglia, 2003), 64 bits, shifts 13, 7, 17.
    jitter ^= jitter << 13;
    jitter ^= jitter >>> 7;
    jitter ^= jitter << 17;
    holds.hold(record, nowNanos + holdNanos + Math.floorMod(jitter, holdNanos));
  }

  private void holdOver(PageRecord record) {
    holds.release(record);
    settle(record);
  }

  /**
   * Starts the surrender asked for, unless a hold or pin is in its way. The effect comes last: the
   * node may report its completion from inside.
   */
  private void settle(PageRecord record) {
    if (record.surrender != Surrender.DEFERRED || record.held || record.pins > 0) {
      pages.freeIfIdle(record);
      return;
    }
    if (record.surrenderTo == MessageType.FWD_GET_S) {
      record.surrender = Surrender.DOWNGRADING;
      effects.downgrade(record.page);
    } else {
      record.surrender = Surrender.REVOKING;
      effects.revoke(record.page);
    }
  }

  private PageRecord leaving(long page, Surrender expected) {
    checkPage(page);
    PageRecord record = pages.record(page);
    if (record == null || record.surrender != expected) {
      throw new IllegalStateException("page " + page + " is not " + expected);
    }
    return record;
  }

  private static boolean isLeaving(PageRecord record) {
    return record.surrender == Surrender.REVOKING || record.surrender == Surrender.DOWNGRADING;
  }

  // ---- What is known of a page

  /** The state of a page: for tests and reports. */
  public CacheState state(long page) {
    checkPage(page);
    return pages.state(page);
  }

  /**
   * How often the local bytes of the page had been granted for writing when they were last good.
   */
  public long version(long page) {
    checkPage(page);
    return pages.version(page);
  }

  /** Whether local vCPUs and devices may read (or write) the page now. */
  public boolean mayAccess(long page, boolean write) {
    checkPage(page);
    CacheState state = pages.state(page);
    PageRecord record = pages.record(page);
    Surrender surrender = record == null ? Surrender.NONE : record.surrender;
    if (surrender == Surrender.REVOKING) {
      return false;
    }
    return write ? state.writable() && surrender != Surrender.DOWNGRADING : state.readable();
  }

  /** Pages with a request, surrender, hold or pin at this moment. */
  public int pagesInTransit() {
    return pages.recordsInUse();
  }

  private static boolean isStable(CacheState state) {
    return state == CacheState.I || state == CacheState.S || state == CacheState.M;
  }

  private boolean isNode(int node) {
    return node >= 0 && node < nodes;
  }

  private void checkPage(long page) {
    if (!pages.contains(page)) {
      throw new IndexOutOfBoundsException("page " + page + " is outside the guest's RAM");
    }
  }

  private void sendTo(MessageType type, long page, int to, int requester) {
    effects.send(out.set(type, page, self, to, requester, 0, 0, 0));
  }

  private void sendData(long page, int requester, int ackCount, int flags) {
    counters.increment(CoherenceCounter.PAGES_OUT);
    long version = pages.version(page);
    effects.send(
        out.set(MessageType.DATA, page, self, requester, requester, ackCount, version, flags));
  }
}
