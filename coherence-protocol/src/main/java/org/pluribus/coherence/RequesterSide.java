package org.pluribus.coherence;

import static org.pluribus.coherence.CoherenceMessage.EXCLUSIVE;
import static org.pluribus.coherence.CoherenceMessage.ZERO;

import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.PageRecord.Surrender;

/** The part of a cache controller that gets rights: requests, and the answers to them. */
final class RequesterSide {
  private final int self;
  private final HomeMap homes;
  private final CacheEffects effects;
  private final CoherenceCounters counters;
  private final CachePages pages;
  private final HoldQueue holds;
  private final CacheOutbox outbox;
  private final Twins twins;

  RequesterSide(
      int self,
      HomeMap homes,
      CacheEffects effects,
      CoherenceCounters counters,
      CachePages pages,
      HoldQueue holds,
      CacheOutbox outbox,
      Twins twins) {
    this.self = self;
    this.homes = homes;
    this.effects = effects;
    this.counters = counters;
    this.pages = pages;
    this.holds = holds;
    this.outbox = outbox;
    this.twins = twins;
  }

  /** Sends what gets us from the stable state we are in to the right wanted. */
  void request(PageRecord record, boolean write) {
    long page = record.page;
    record.wantsRead = false;
    record.wantsWrite = false;
    record.ackedBy = 0;
    record.acksExpected = 0;
    // Our bytes stay those of this version until the answer: nobody here can write them, and an
    // Upgrade that loses its copy keeps the bytes.
    long base = twins.enabled() ? pages.version(page) : 0;
    if (!write) {
      pages.state(page, CacheState.IS_D);
      counters.increment(CoherenceCounter.FAULTS_READ);
      outbox.request(MessageType.GET_S, page, base);
    } else if (pages.state(page) == CacheState.S) {
      pages.state(page, CacheState.SM_AD);
      counters.increment(CoherenceCounter.FAULTS_UPGRADE);
      outbox.request(MessageType.UPGRADE, page, base);
    } else {
      pages.state(page, CacheState.IM_AD);
      counters.increment(CoherenceCounter.FAULTS_WRITE);
      outbox.request(MessageType.GET_M, page, base);
    }
  }

  /** Sends the request that had to wait for the end of something else, if there is one. */
  void requestWhatIsWanted(PageRecord record) {
    boolean wanted = record.wantsRead || record.wantsWrite;
    if (wanted && pages.state(record.page).stable() && !record.requestsWait()) {
      request(record, record.wantsWrite);
    }
  }

  /** Handles Data, DataDelta and DataSparse. */
  @Nullable ProtocolError onData(CoherenceMessage m, long nowNanos) {
    CacheState state = pages.state(m.page);
    PageRecord record = pages.record(m.page);
    boolean delta = m.type == MessageType.DATA_DELTA;
    if (m.requester != self || m.from == self) {
      return ProtocolError.WRONG_NODE;
    }
    if (record == null || (state != CacheState.IS_D && state != CacheState.IM_AD)) {
      return ProtocolError.UNEXPECTED;
    }
    boolean wantsM = state == CacheState.IM_AD;
    if (m.has(ZERO) || m.has(EXCLUSIVE) != wantsM || (!wantsM && m.ackCount != 0)) {
      return ProtocolError.BAD_FIELD;
    }
    if (delta && (!twins.enabled() || m.base != pages.version(m.page))) {
      return ProtocolError.WRONG_BASE;
    }
    if (delta) {
      counters.increment(CoherenceCounter.DELTAS_IN);
      effects.installDelta(m.page, m.blocks);
    } else if (m.type == MessageType.DATA_SPARSE) {
      counters.increment(CoherenceCounter.SPARSE_IN);
      effects.installSparse(m.page, m.blocks);
    } else {
      counters.increment(CoherenceCounter.PAGES_IN);
      effects.install(m.page);
    }
    pages.version(m.page, m.version);
    answered(record, wantsM, m.ackCount, nowNanos);
    return null;
  }

  @Nullable ProtocolError onGrant(CoherenceMessage m, long nowNanos) {
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

  @Nullable ProtocolError onInvAck(CoherenceMessage m, long nowNanos) {
    if (m.requester != self || m.from == self) {
      return ProtocolError.WRONG_NODE;
    }
    CacheState state = pages.state(m.page);
    PageRecord record = pages.record(m.page);
    boolean awaitsAcks = !state.stable() && state != CacheState.IS_D;
    long bit = 1L << m.from;
    if (record == null
        || !awaitsAcks
        || record.surrender != Surrender.NONE
        || (record.ackedBy & bit) != 0) {
      return ProtocolError.UNEXPECTED;
    }
    record.ackedBy |= bit;
    finishIfAllAcked(record, nowNanos);
    return null;
  }

  /** Bytes, or the news that none are needed, have come for our request. */
  private void answered(PageRecord record, boolean exclusive, int ackCount, long nowNanos) {
    if (!exclusive) {
      pages.state(record.page, CacheState.S);
      effects.grantShared(record.page);
      finish(record, nowNanos);
      return;
    }
    boolean shared = pages.state(record.page) == CacheState.SM_AD;
    pages.state(record.page, shared ? CacheState.SM_A : CacheState.IM_A);
    record.acksExpected = ackCount;
    finishIfAllAcked(record, nowNanos);
  }

  private void finishIfAllAcked(PageRecord record, long nowNanos) {
    long page = record.page;
    CacheState state = pages.state(page);
    boolean answered = state == CacheState.IM_A || state == CacheState.SM_A;
    if (!answered || Long.bitCount(record.ackedBy) < record.acksExpected) {
      return;
    }
    pages.state(page, CacheState.M);
    twins.keep(page, pages.version(page)); // Before anybody can write it.
    pages.version(page, pages.version(page) + 1);
    effects.grantExclusive(page);
    finish(record, nowNanos);
  }

  /** The wake comes last: the node may call the controller from inside. */
  private void finish(PageRecord record, long nowNanos) {
    long page = record.page;
    outbox.unblock(page);
    holds.hold(record, nowNanos);
    requestWhatIsWanted(record); // After Unblock: the home must see the two in this order.
    pages.freeIfIdle(record);
    effects.wake(page);
  }
}
