package org.pluribus.coherence;

/** Makes the messages of a cache controller, all in one reused holder. */
final class CacheOutbox {
  private final int self;
  private final HomeMap homes;
  private final CacheEffects effects;
  private final CoherenceCounters counters;
  private final CoherenceMessage out = new CoherenceMessage();

  CacheOutbox(int self, HomeMap homes, CacheEffects effects, CoherenceCounters counters) {
    this.self = self;
    this.homes = homes;
    this.effects = effects;
    this.counters = counters;
  }

  /** Asks the page's home for rights. */
  void request(MessageType type, long page, long base) {
    toHome(type, page, effects.waitingSince(page), base);
  }

  void unblock(long page) {
    toHome(MessageType.UNBLOCK, page, 0, 0);
  }

  /** Offers our copy of the page to its home. */
  void put(long page) {
    toHome(MessageType.PUT, page, 0, 0);
  }

  private void toHome(MessageType type, long page, long since, long base) {
    out.set(type, page, self, homes.homeOf(page), self, 0, 0, 0).waitingSince(since).base(base);
    effects.send(out);
  }

  void invAck(long page, int requester) {
    effects.send(out.set(MessageType.INV_ACK, page, self, requester, requester, 0, 0, 0));
  }

  /** Sends the local bytes of the page. */
  void data(long page, int requester, int ackCount, long version, int flags) {
    counters.increment(CoherenceCounter.PAGES_OUT);
    effects.send(
        out.set(MessageType.DATA, page, self, requester, requester, ackCount, version, flags));
  }

  /** Sends the local bytes of the page, of which only some blocks are not zero. */
  void sparse(long page, int requester, int ackCount, long version, int flags, long blocks) {
    out.set(MessageType.DATA_SPARSE, page, self, requester, requester, ackCount, version, flags);
    out.blocks(blocks);
    counters.increment(CoherenceCounter.SPARSE_OUT);
    counters.add(CoherenceCounter.SPARSE_BYTES_OUT, out.bytesCarried());
    effects.send(out);
  }

  /** Sends some blocks of the local bytes of the page: those changed since version base. */
  void delta(
      long page, int requester, int ackCount, long version, int flags, long base, long blocks) {
    out.set(MessageType.DATA_DELTA, page, self, requester, requester, ackCount, version, flags);
    out.base(base).blocks(blocks);
    counters.increment(CoherenceCounter.DELTAS_OUT);
    counters.add(CoherenceCounter.DELTA_BYTES_OUT, out.bytesCarried());
    effects.send(out);
  }
}
