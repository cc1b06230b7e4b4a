package org.pluribus.coherence;

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

  private final int self;
  private final int nodes;
  private final CacheEffects effects;
  private final CoherenceCounters counters;
  private final CachePages pages;
  private final HoldQueue holds;
  private final Twins twins;
  private final RequesterSide requester;
  private final OwnerSide owner;
  private final EvictorSide evictor;

  /** Makes the controller of a node which holds no page yet and sends only whole pages. */
  public CacheController(
      int self,
      int nodes,
      long pageCount,
      long holdNanos,
      HomeMap homes,
      CacheEffects effects,
      CoherenceCounters counters) {
    this(
        self,
        nodes,
        pageCount,
        holdNanos,
        homes,
        effects,
        counters,
        DeltaMode.OFF,
        TwinStore.NO_ROOM);
  }

  /**
   * Makes the controller of a node which holds no page yet.
   *
   * @param self this node's number
   * @param nodes number of nodes in the cluster, 1 to {@link #MAX_NODES}
   * @param pageCount pages of guest RAM; valid page indexes are 0 to {@code pageCount - 1}
   * @param holdNanos a revoke is put off for this long after a grant, up to twice as long, unless
   *     {@link #used} comes first, and then for as long as {@link CacheEffects#holdLonger} says; 0
   *     for not at all
   * @param deltas whether to send, and to ask for, only what changed of a page where that is
   *     possible, and else what is not zero of it. The local mirror of a page must then stay as it
   *     is while nobody here has rights to it
   * @param twinStore where to keep what pages were before this node wrote them
   */
  public CacheController(
      int self,
      int nodes,
      long pageCount,
      long holdNanos,
      HomeMap homes,
      CacheEffects effects,
      CoherenceCounters counters,
      DeltaMode deltas,
      TwinStore twinStore) {
    if (nodes < 1 || nodes > MAX_NODES || self < 0 || self >= nodes) {
      throw new IllegalArgumentException(
          "node " + self + " of " + nodes + ": a cluster has 1 to " + MAX_NODES + " nodes");
    }
    if (pageCount < 1 || holdNanos < 0) {
      throw new IllegalArgumentException("pageCount " + pageCount + ", holdNanos " + holdNanos);
    }
    this.self = self;
    this.nodes = nodes;
    this.effects = effects;
    this.counters = counters;
    boolean keepsTwins = deltas != DeltaMode.OFF && twinStore.slots() > 0 && nodes > 1;
    this.pages = new CachePages(pageCount, keepsTwins);
    this.twins = new Twins(keepsTwins ? deltas : DeltaMode.OFF, twinStore, pages, counters);
    this.holds = new HoldQueue(self, holdNanos);
    CacheOutbox outbox = new CacheOutbox(self, homes, effects, counters);
    this.requester = new RequesterSide(self, homes, effects, counters, pages, holds, outbox, twins);
    this.owner =
        new OwnerSide(self, homes, effects, counters, pages, holds, outbox, requester, twins);
    this.evictor = new EvictorSide(self, homes, counters, pages, outbox, requester, owner);
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
    if (state.stable() && !record.requestsWait()) {
      requester.request(record, write);
      if (state == CacheState.S) {
        owner.holdOver(record); // The reader retried as a writer: it has used the shared copy.
      }
      return;
    }
    counters.increment(CoherenceCounter.FAULTS_MERGED);
    if (write && (state.stable() || state == CacheState.IS_D)) {
      record.wantsWrite = true;
    } else if (state.stable()) {
      record.wantsRead = true;
    }
  }

  /**
   * A local vCPU will read or write a page soon. Asks for it unless something is going on with the
   * page already; nobody need be woken, though {@link CacheEffects#wake} follows as for a fault.
   *
   * @return whether it was asked for
   */
  public boolean prefetch(long page, boolean write) {
    checkPage(page);
    CacheState state = pages.state(page);
    PageRecord record = pages.record(page);
    boolean idle = record == null || (record.surrender == Surrender.NONE && !record.offered);
    if (state.stable() && idle && !mayAccess(page, write)) {
      counters.increment(CoherenceCounter.PREFETCHES);
      requester.request(pages.recordOrNew(page), write);
      return true;
    }
    return false;
  }

  /**
   * Offers a page to its home, so that this node has to keep one less. Until the home answers, the
   * page is used as before. The home may let this node drop it ({@link CacheEffects#revoke}
   * follows), may fetch it as another node would (the same follows), or leave it here.
   *
   * @return whether it was offered: {@link #mayEvict}
   */
  public boolean evict(long page) {
    boolean may = mayEvict(page);
    if (may) {
      evictor.offer(page);
    }
    return may;
  }

  /** Whether the page is here, nothing is going on with it, and its home is another node. */
  public boolean mayEvict(long page) {
    checkPage(page);
    return evictor.mayOffer(page);
  }

  /**
   * Fetches a page whose home this node is, to write it, because its holder wants to be rid of it
   * ({@link DirectoryEffects#take}). Nobody need be woken.
   *
   * @return whether it was asked for: {@link #mayTake}
   */
  public boolean take(long page) {
    boolean may = mayTake(page);
    if (may) {
      counters.increment(CoherenceCounter.TAKEN);
      requester.request(pages.recordOrNew(page), true);
    }
    return may;
  }

  /** Whether this node has no copy of the page and nothing is going on with it. */
  public boolean mayTake(long page) {
    checkPage(page);
    return pages.state(page) == CacheState.I && pages.record(page) == null;
  }

  /**
   * The bytes of a page that this node has no rights to are about to go, to make room.
   *
   * @return whether they may: this node has no copy, and nothing is going on with the page
   */
  public boolean forget(long page) {
    boolean may = mayTake(page);
    if (may && pages.version(page) != 0) {
      pages.version(page, 0);
    }
    return may;
  }

  /** Pages offered to their homes that have not answered yet. */
  public int offersUnderWay() {
    return evictor.underWay();
  }

  /**
   * No vCPU or device of this node can read or write the page any more: a {@link
   * CacheEffects#revoke} is complete.
   */
  public void revoked(long page, long nowNanos) {
    owner.revoked(leaving(page, Surrender.REVOKING));
  }

  /**
   * No vCPU or device of this node can write the page any more: a {@link CacheEffects#downgrade} is
   * complete.
   */
  public void downgraded(long page, long nowNanos) {
    owner.downgraded(leaving(page, Surrender.DOWNGRADING));
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
    owner.settle(record);
  }

  /**
   * The vCPU that waited for the page has used it: the hold after the grant ends early. To be said
   * when the instruction is complete, not at its first access: an instruction that then lacks
   * another page starts over, and needs this one again.
   */
  public void used(long page) {
    checkPage(page);
    PageRecord record = pages.record(page);
    if (record != null) {
      owner.holdOver(record);
    }
  }

  /**
   * Somebody waits for a page that this node was asked to give up, behind the one for whom it was
   * asked, and has waited for longer: a hold that {@link CacheEffects#holdLonger} prolonged is
   * looked at again. Harmless at any time, with any value, and so no message of the protocol.
   *
   * @param waitingSince see {@link CoherenceMessage#waitingSince}
   */
  public void hurry(long page, long waitingSince, long nowNanos) {
    checkPage(page);
    owner.hurry(page, waitingSince, nowNanos);
  }

  /**
   * Ends the holds whose time is up, but for those that {@link CacheEffects#holdLonger} prolongs.
   */
  public void tick(long nowNanos) {
    for (PageRecord first = holds.first();
        first != null && first.holdUntilNanos - nowNanos <= 0;
        first = holds.first()) {
      owner.expired(first, nowNanos);
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
            case FWD_GET_S, FWD_GET_M, INV -> owner.onSurrender(message, nowNanos);
            case DATA, DATA_DELTA, DATA_SPARSE -> requester.onData(message, nowNanos);
            case GRANT -> requester.onGrant(message, nowNanos);
            case INV_ACK -> requester.onInvAck(message, nowNanos);
            case PUT_ACK, PUT_NACK -> evictor.onAnswer(message);
            case GET_S, GET_M, UPGRADE, UNBLOCK, PUT -> ProtocolError.MISDIRECTED;
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
    boolean flagsOk = (m.flags & ~CoherenceMessage.ALL_FLAGS) == 0;
    return countOk && flagsOk && blockFieldsOk(m) ? null : ProtocolError.BAD_FIELD;
  }

  private static boolean blockFieldsOk(CoherenceMessage m) {
    return switch (m.type) {
      case DATA_DELTA -> m.base > 0 && Long.bitCount(m.blocks) <= CoherenceMessage.MAX_BLOCKS;
      case DATA_SPARSE -> m.base == 0 && Long.bitCount(m.blocks) <= CoherenceMessage.MAX_BLOCKS;
      case FWD_GET_S, FWD_GET_M -> m.base >= 0 && m.blocks == 0;
      default -> m.base == 0 && m.blocks == 0;
    };
  }

  private PageRecord leaving(long page, Surrender expected) {
    checkPage(page);
    PageRecord record = pages.record(page);
    if (record == null || record.surrender != expected) {
      throw new IllegalStateException("page " + page + " is not " + expected);
    }
    return record;
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

  /** The version of the twin this node keeps of the page, or 0: for tests and reports. */
  public long twinVersion(long page) {
    checkPage(page);
    return twins.version(page);
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

  /** State and all that is going on with the page, in words: for logs and tests. */
  public String describe(long page) {
    checkPage(page);
    PageRecord record = pages.record(page);
    return pages.state(page) + (record == null ? "" : " " + record);
  }

  /** Pages with a request, surrender, hold or pin at this moment. */
  public int pagesInTransit() {
    return pages.recordsInUse();
  }

  private boolean isNode(int node) {
    return node >= 0 && node < nodes;
  }

  private void checkPage(long page) {
    if (!pages.contains(page)) {
      throw new IndexOutOfBoundsException("page " + page + " is outside the guest's RAM");
    }
  }
}
