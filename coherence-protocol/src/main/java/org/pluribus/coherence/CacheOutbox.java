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
  void request(MessageType type, long page) {
    toHome(type, page, effects.waitingSince(page));
  }

  void unblock(long page) {
    toHome(MessageType.UNBLOCK, page, 0);
  }

  /** Offers our copy of the page to its home. */
  void put(long page) {
    toHome(MessageType.PUT, page, 0);
  }

  private void toHome(MessageType type, long page, long since) {
    effects.send(out.set(type, page, self, homes.homeOf(page), self, 0, 0, 0).waitingSince(since));
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
}
