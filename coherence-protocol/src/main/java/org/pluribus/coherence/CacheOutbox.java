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

  /** Sends a request or an Unblock to the page's home. */
  void toHome(MessageType type, long page) {
    effects.send(out.set(type, page, self, homes.homeOf(page), self, 0, 0, 0));
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
