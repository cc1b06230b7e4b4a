package org.pluribus.coherence;

import static org.pluribus.coherence.CoherenceMessage.EXCLUSIVE;

import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.PageRecord.Surrender;

/**
 * The part of a cache controller that gives rights up when a home asks: at once, or when nothing
 * holds or pins the page any more. A home asks for one surrender of a page at a time.
 */
final class OwnerSide {
  private final int self;
  private final HomeMap homes;
  private final CacheEffects effects;
  private final CoherenceCounters counters;
  private final CachePages pages;
  private final HoldQueue holds;
  private final CacheOutbox outbox;
  private final RequesterSide requester;
  private final Twins twins;

  OwnerSide(
      int self,
      HomeMap homes,
      CacheEffects effects,
      CoherenceCounters counters,
      CachePages pages,
      HoldQueue holds,
      CacheOutbox outbox,
      RequesterSide requester,
      Twins twins) {
    this.self = self;
    this.homes = homes;
    this.effects = effects;
    this.counters = counters;
    this.pages = pages;
    this.holds = holds;
    this.outbox = outbox;
    this.requester = requester;
    this.twins = twins;
  }

  /** Handles FwdGetS, FwdGetM and Inv. */
  @Nullable ProtocolError onSurrender(CoherenceMessage m, long nowNanos) {
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
    if (m.flags != 0
        || (m.base != 0 && m.type == MessageType.INV)
        || (m.ackCount != 0 && (owns || m.type != MessageType.FWD_GET_M))) {
      return ProtocolError.BAD_FIELD;
    }
    if (m.type == MessageType.FWD_GET_S && shares) {
      sendBytes(m.page, m.requester, 0, 0, m.base);
      return null;
    }
    record = pages.recordOrNew(m.page);
    record.surrender = Surrender.DEFERRED;
    record.surrenderTo = m.type;
    record.surrenderRequester = m.requester;
    record.surrenderAckCount = m.ackCount;
    record.surrenderWaitingSince = m.waitingSince;
    record.surrenderBase = m.base;
    if (record.held && record.holdUntilNanos - nowNanos <= 0) {
      holds.release(record);
    }
    if (!record.held) {
      prolong(record, nowNanos);
    }
    if (record.pins > 0) {
      counters.increment(CoherenceCounter.DEFERRED_BY_PIN);
    } else if (record.held) {
      counters.increment(CoherenceCounter.DEFERRED_BY_HOLD);
    }
    settle(record);
    return null;
  }

  /** Lets a page that is asked for stay, if the node wants it to. */
  private void prolong(PageRecord record, long nowNanos) {
    if (pages.state(record.page) == CacheState.SM_AD) {
      return; // Our own Upgrade may wait at the home behind the one who asks.
    }
    long more =
        effects.holdLonger(
            record.page, record.surrenderRequester, record.surrenderWaitingSince, nowNanos);
    if (more > 0) {
      counters.increment(CoherenceCounter.HOLDS_PROLONGED);
      holds.prolong(record, nowNanos + more);
    }
  }

  /** See {@link CacheController#hurry}. */
  void hurry(long page, long since, long nowNanos) {
    PageRecord record = pages.record(page);
    if (record == null
        || record.surrender != Surrender.DEFERRED
        || record.surrenderTo == MessageType.PUT_ACK
        || since >= record.surrenderWaitingSince) {
      return;
    }
    record.surrenderWaitingSince = since;
    if (record.prolonged) { // what every grant is entitled to is not cut short
      holds.release(record);
      prolong(record, nowNanos);
      settle(record);
    }
  }

  /** A hold's time is up. */
  void expired(PageRecord record, long nowNanos) {
    holds.release(record);
    if (record.surrender == Surrender.DEFERRED) {
      prolong(record, nowNanos);
    }
    if (!record.held) {
      counters.increment(CoherenceCounter.HOLDS_EXPIRED);
    }
    settle(record);
  }

  /** The page was used, or its time is up: nothing is put off on account of the grant any more. */
  void holdOver(PageRecord record) {
    holds.release(record);
    settle(record);
  }

  /**
   * Starts the surrender asked for, unless a hold or pin is in its way. The effect comes last: the
   * node may report its completion from inside.
   */
  void settle(PageRecord record) {
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

  void revoked(PageRecord record) {
    long page = record.page;
    if (pages.state(page) == CacheState.SM_AD) {
      counters.increment(CoherenceCounter.UPGRADES_LOST);
      pages.state(page, CacheState.IM_AD);
    } else {
      pages.state(page, CacheState.I);
    }
    record.surrender = Surrender.NONE;
    counters.increment(
        record.surrenderTo == MessageType.PUT_ACK
            ? CoherenceCounter.EVICTIONS
            : CoherenceCounter.INVALIDATIONS);
    if (record.surrenderTo == MessageType.INV) {
      outbox.invAck(page, record.surrenderRequester);
    } else if (record.surrenderTo == MessageType.PUT_ACK) {
      outbox.unblock(page);
    } else {
      int acks = record.surrenderAckCount;
      sendBytes(page, record.surrenderRequester, acks, EXCLUSIVE, record.surrenderBase);
    }
    twins.lost(page);
    requester.requestWhatIsWanted(record);
    pages.freeIfIdle(record);
  }

  void downgraded(PageRecord record) {
    long page = record.page;
    pages.state(page, CacheState.S);
    record.surrender = Surrender.NONE;
    counters.increment(CoherenceCounter.DOWNGRADES);
    sendBytes(page, record.surrenderRequester, 0, 0, record.surrenderBase);
    requester.requestWhatIsWanted(record);
    pages.freeIfIdle(record);
  }

  /**
   * Sends the page: what has changed of it if the bytes that the requester still has are those of
   * our twin, else what is not zero of it, else all of it; blocks only where they are the smaller
   * part. Nobody can write the page at this moment.
   */
  private void sendBytes(long page, int requester, int ackCount, int flags, long base) {
    long version = pages.version(page);
    if (twins.has(page, base)) {
      long blocks = twins.changedBlocks(page);
      if (Long.bitCount(blocks) <= CoherenceMessage.MAX_BLOCKS) {
        outbox.delta(page, requester, ackCount, version, flags, base, blocks);
        return;
      }
      counters.increment(CoherenceCounter.DELTAS_TOO_LARGE);
    }
    if (twins.enabled()) {
      long blocks = twins.nonZeroBlocks(page);
      if (Long.bitCount(blocks) <= CoherenceMessage.MAX_BLOCKS) {
        outbox.sparse(page, requester, ackCount, version, flags, blocks);
        return;
      }
    }
    outbox.data(page, requester, ackCount, version, flags);
  }
}
