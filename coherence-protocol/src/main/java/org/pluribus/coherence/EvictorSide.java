package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.PageRecord.Surrender;

/**
 * The part of a cache controller that gives copies back to make room. It only offers them: what
 * becomes of a page is decided at its home, where it waits for nobody, so that an offer can't race
 * with the messages by which others take the page away. They are served while it is under way.
 */
final class EvictorSide {
  private final int self;
  private final HomeMap homes;
  private final CoherenceCounters counters;
  private final CachePages pages;
  private final CacheOutbox outbox;
  private final RequesterSide requester;
  private final OwnerSide owner;
  private int underWay;

  EvictorSide(
      int self,
      HomeMap homes,
      CoherenceCounters counters,
      CachePages pages,
      CacheOutbox outbox,
      RequesterSide requester,
      OwnerSide owner) {
    this.self = self;
    this.homes = homes;
    this.counters = counters;
    this.pages = pages;
    this.outbox = outbox;
    this.requester = requester;
    this.owner = owner;
  }

  boolean mayOffer(long page) {
    CacheState state = pages.state(page);
    return (state == CacheState.S || state == CacheState.M)
        && pages.record(page) == null
        && homes.homeOf(page) != self;
  }

  void offer(long page) {
    pages.recordOrNew(page).offered = true;
    underWay++;
    counters.increment(CoherenceCounter.EVICTIONS_OFFERED);
    outbox.put(page);
  }

  int underWay() {
    return underWay;
  }

  /** Handles PutAck and PutNack. */
  @Nullable ProtocolError onAnswer(CoherenceMessage m) {
    if (m.from != homes.homeOf(m.page) || m.requester != self) {
      return ProtocolError.WRONG_NODE;
    }
    PageRecord record = pages.record(m.page);
    boolean drops = m.type == MessageType.PUT_ACK;
    if (record == null || !record.offered || (drops && !isSharedInPeace(record))) {
      return ProtocolError.UNEXPECTED;
    }
    if (m.flags != 0 || m.ackCount != 0) {
      return ProtocolError.BAD_FIELD;
    }
    record.offered = false;
    underWay--;
    if (drops) {
      drop(record);
    } else {
      stay(record);
    }
    return null;
  }

  private boolean isSharedInPeace(PageRecord record) {
    return pages.state(record.page) == CacheState.S && record.surrender == Surrender.NONE;
  }

  /** The home counts us as a sharer no more, and waits until that is true. */
  private void drop(PageRecord record) {
    record.surrender = Surrender.DEFERRED;
    record.surrenderTo = MessageType.PUT_ACK;
    record.surrenderRequester = self;
    record.surrenderAckCount = 0;
    record.surrenderBase = 0;
    record.surrenderWaitingSince = Long.MAX_VALUE;
    owner.settle(record);
  }

  /** What local faulters wanted meanwhile can be asked for now, unless the page is just leaving. */
  private void stay(PageRecord record) {
    counters.increment(CoherenceCounter.EVICTIONS_REFUSED);
    boolean shared = pages.state(record.page) == CacheState.S;
    requester.requestWhatIsWanted(record);
    if (shared && pages.state(record.page) == CacheState.SM_AD) {
      owner.holdOver(record); // As when a reader retries as a writer.
    } else {
      pages.freeIfIdle(record);
    }
  }
}
