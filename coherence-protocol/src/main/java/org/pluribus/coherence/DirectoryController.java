package org.pluribus.coherence;

import static org.pluribus.coherence.CoherenceMessage.EXCLUSIVE;
import static org.pluribus.coherence.CoherenceMessage.ZERO;

import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The home side: knows owner and sharers of the pages whose home this node is, and serves requests
 * for one page strictly one after another. While one is being served (until its requester says
 * Unblock) later ones for the same page wait, at most one per node. Different pages never wait for
 * each other.
 *
 * <p>The directory holds no bytes. They come from the owner or from a sharer, the home's own cache
 * controller if it has a copy, and go straight to the requester.
 *
 * <p>A pure state machine: no I/O, no clock, no lock. One thread calls it. Steps allocate nothing
 * once chunks and the transaction pool have grown to their high-water marks.
 */
public final class DirectoryController {
  private final int self;
  private final int nodes;
  private final HomeMap homes;
  private final DirectoryEffects effects;
  private final CoherenceCounters counters;
  private final DirectoryPages pages;
  private final CoherenceMessage out = new CoherenceMessage();
  private @Nullable DirectoryTransaction freeTransactions;
  private int busyPages;

  /**
   * Makes the directory of a home none of whose pages was ever used.
   *
   * @param self this node's number
   * @param nodes number of nodes in the cluster, 1 to {@link CacheController#MAX_NODES}
   * @param pageCount pages of guest RAM, of all homes
   */
  public DirectoryController(
      int self,
      int nodes,
      long pageCount,
      HomeMap homes,
      DirectoryEffects effects,
      CoherenceCounters counters) {
    if (nodes < 1 || nodes > CacheController.MAX_NODES || self < 0 || self >= nodes) {
      throw new IllegalArgumentException("node " + self + " of " + nodes);
    }
    this.self = self;
    this.nodes = nodes;
    this.homes = homes;
    this.effects = effects;
    this.counters = counters;
    this.pages = new DirectoryPages(pageCount);
  }

  /**
   * Handles a message from any node, this one included. A message that is malformed or has no place
   * in the page's state is reported by {@link DirectoryEffects#protocolError} and changes nothing.
   *
   * @param message whose type is {@link MessageType#forDirectory()}; not kept
   */
  public void message(CoherenceMessage message, long nowNanos) {
    ProtocolError error = envelopeError(message);
    if (error == null) {
      error =
          switch (message.type) {
            case GET_S, GET_M, UPGRADE -> onRequest(message);
            case UNBLOCK -> onUnblock(message);
            case PUT -> onPut(message);
            case FWD_GET_S,
                FWD_GET_M,
                INV,
                INV_ACK,
                DATA,
                DATA_DELTA,
                DATA_SPARSE,
                GRANT,
                PUT_ACK,
                PUT_NACK ->
                ProtocolError.MISDIRECTED;
          };
    }
    if (error != null) {
      refuse(error, message);
    }
  }

  private @Nullable ProtocolError envelopeError(CoherenceMessage m) {
    if (!pages.contains(m.page)) {
      return ProtocolError.NO_SUCH_PAGE;
    }
    if (m.to != self || homes.homeOf(m.page) != self) {
      return ProtocolError.MISDIRECTED;
    }
    if (m.from < 0 || m.from >= nodes || m.requester != m.from) {
      return ProtocolError.WRONG_NODE;
    }
    boolean asks = m.type != MessageType.UNBLOCK && m.type != MessageType.PUT;
    boolean baseOk = m.base == 0 || (asks && m.base > 0);
    boolean restIsZero = m.ackCount == 0 && m.flags == 0 && m.blocks == 0;
    return baseOk && restIsZero ? null : ProtocolError.BAD_FIELD;
  }

  private @Nullable ProtocolError onRequest(CoherenceMessage m) {
    DirectoryTransaction busy = pages.busy(m.page);
    if (busy == null) {
      if (!isServable(m.page, m.from, m.type)) {
        return ProtocolError.UNEXPECTED;
      }
      serve(begin(m.page), m.page, m.from, m.type, m.waitingSince, m.base);
      return null;
    }
    if (busy.requester == m.from || busy.isWaiting(m.from)) {
      return ProtocolError.DUPLICATE_REQUEST;
    }
    busy.enqueue(m.from, m.type, m.waitingSince, m.base);
    counters.increment(CoherenceCounter.REQUESTS_QUEUED);
    counters.raiseTo(CoherenceCounter.QUEUE_HIGH_WATER, busy.waiting());
    if (m.waitingSince < busy.since) {
      busy.since = m.waitingSince;
      hurry(m.page, busy.asked & ~(1L << m.from), m.waitingSince);
    }
    return null;
  }

  /**
   * Who was asked to give the page up learns that somebody waits for it who has waited for longer
   * than the one it goes to first. Else three nodes could wait for each other in a circle: each
   * keeps a page, being ahead of the one that is served, and the one that is ahead of all others
   * waits in a queue behind that.
   */
  private void hurry(long page, long nodes, long since) {
    for (long rest = nodes; rest != 0; rest &= rest - 1) {
      counters.increment(CoherenceCounter.HURRIES_SENT);
      effects.hurry(Long.numberOfTrailingZeros(rest), page, since);
    }
  }

  private @Nullable ProtocolError onUnblock(CoherenceMessage m) {
    DirectoryTransaction busy = pages.busy(m.page);
    if (busy == null || busy.requester != m.from) {
      return ProtocolError.UNEXPECTED;
    }
    while (busy.waiting() > 0) {
      int node = busy.firstNode();
      MessageType type = busy.firstType();
      long since = busy.firstSince();
      long base = busy.firstBase();
      busy.removeFirst();
      if (isServable(m.page, node, type)) {
        serve(busy, m.page, node, type, since, base);
        return null;
      }
      refuse(ProtocolError.UNEXPECTED, out.set(type, m.page, node, self, node, 0, 0, 0));
    }
    end(m.page, busy);
    return null;
  }

  /**
   * A copy that is not the only one can be dropped, and nobody is served until it is gone. An offer
   * never waits: while somebody is served, the page is in use.
   */
  private @Nullable ProtocolError onPut(CoherenceMessage m) {
    if (m.from == self) {
      return ProtocolError.WRONG_NODE;
    }
    DirectoryTransaction busy = pages.busy(m.page);
    if (busy != null && (busy.requester == m.from || busy.isWaiting(m.from))) {
      return ProtocolError.DUPLICATE_REQUEST;
    }
    long holder = 1L << m.from;
    long sharers = pages.sharers(m.page);
    boolean shares = (sharers & holder) != 0;
    boolean only = pages.touched(m.page) && sharers == holder;
    if (busy == null && shares && !only) {
      begin(m.page).requester = m.from;
      pages.setSharers(m.page, sharers & ~holder);
      answerPut(MessageType.PUT_ACK, m);
      return null;
    }
    answerPut(MessageType.PUT_NACK, m);
    if (busy == null && (only || pages.owner(m.page) == m.from)) {
      effects.take(m.page);
    }
    return null;
  }

  private void answerPut(MessageType type, CoherenceMessage put) {
    effects.send(out.set(type, put.page, self, put.from, put.from, 0, 0, 0));
  }

  /**
   * Whether a node can want this, given what the directory knows it to have. (An Upgrade by a node
   * that shares no more is a race it lost, and fine.)
   */
  private boolean isServable(long page, int node, MessageType type) {
    boolean shares = (pages.sharers(page) & (1L << node)) != 0;
    return pages.owner(page) != node && !(shares && type != MessageType.UPGRADE);
  }

  private void serve(
      DirectoryTransaction busy,
      long page,
      int requester,
      MessageType type,
      long since,
      long base) {
    counters.increment(CoherenceCounter.REQUESTS_SERVED);
    busy.requester = requester;
    busy.asked = 0;
    busy.since = busy.longestWait(since); // whoever waits behind it waits for the same nodes
    if (type == MessageType.GET_S) {
      serveRead(page, requester, busy.since, base);
    } else {
      serveWrite(page, requester, busy.since, base);
    }
  }

  private void serveRead(long page, int requester, long since, long base) {
    int owner = pages.owner(page);
    long sharers = pages.sharers(page);
    if (owner != DirectoryPages.NO_OWNER) {
      sharers = 1L << owner;
      forward(MessageType.FWD_GET_S, page, owner, requester, 0, since, base);
    } else if (pages.touched(page)) {
      int from = supplier(sharers, requester);
      forward(MessageType.FWD_GET_S, page, from, requester, 0, since, base);
    } else {
      grant(page, requester, 0, ZERO);
    }
    pages.setSharers(page, sharers | (1L << requester));
  }

  private void serveWrite(long page, int requester, long since, long base) {
    int owner = pages.owner(page);
    long sharers = pages.sharers(page);
    long others = sharers & ~(1L << requester);
    if (owner != DirectoryPages.NO_OWNER) {
      forward(MessageType.FWD_GET_M, page, owner, requester, 0, since, base);
    } else if (others != sharers) {
      grant(page, requester, Long.bitCount(others), EXCLUSIVE);
    } else if (!pages.touched(page)) {
      int acks = Long.bitCount(others);
      grant(page, requester, acks, ZERO | EXCLUSIVE);
    } else {
      int supplier = supplier(sharers, requester);
      others &= ~(1L << supplier);
      int acks = Long.bitCount(others);
      forward(MessageType.FWD_GET_M, page, supplier, requester, acks, since, base);
    }
    for (long rest = others; rest != 0; rest &= rest - 1) {
      counters.increment(CoherenceCounter.INVALIDATIONS_SENT);
      forward(MessageType.INV, page, Long.numberOfTrailingZeros(rest), requester, 0, since, 0);
    }
    pages.setOwner(page, requester);
  }

  /**
   * The home itself if it shares the page (no extra hop), else the next sharer after the requester.
   */
  private int supplier(long sharers, int requester) {
    if ((sharers & (1L << self)) != 0) {
      return self;
    }
    int distance = Long.numberOfTrailingZeros(Long.rotateRight(sharers, requester));
    return (requester + distance) & (CacheController.MAX_NODES - 1);
  }

  /** Has another node give up rights that the requester wants or that are in its way. */
  private void forward(
      MessageType type, long page, int to, int requester, int ackCount, long since, long base) {
    DirectoryTransaction busy = pages.busy(page);
    if (busy != null) {
      busy.asked |= 1L << to;
    }
    out.set(type, page, self, to, requester, ackCount, 0, 0).waitingSince(since).base(base);
    effects.send(out);
  }

  private void grant(long page, int requester, int ackCount, int flags) {
    effects.send(out.set(MessageType.GRANT, page, self, requester, requester, ackCount, 0, flags));
  }

  private void refuse(ProtocolError error, CoherenceMessage message) {
    counters.increment(CoherenceCounter.PROTOCOL_ERRORS);
    effects.protocolError(error, message);
  }

  private DirectoryTransaction begin(long page) {
    DirectoryTransaction transaction = freeTransactions;
    if (transaction == null) {
      transaction = new DirectoryTransaction(nodes);
    } else {
      freeTransactions = transaction.nextFree;
      transaction.nextFree = null;
    }
    transaction.begin();
    pages.busy(page, transaction);
    busyPages++;
    return transaction;
  }

  private void end(long page, DirectoryTransaction transaction) {
    pages.busy(page, null);
    transaction.nextFree = freeTransactions;
    freeTransactions = transaction;
    busyPages--;
  }

  // ---- What is known of a page

  /** The node that may write the page, or -1. */
  public int owner(long page) {
    return pages.owner(page);
  }

  /** The nodes that may read the page, as bits; 0 if it has an owner. */
  public long sharers(long page) {
    return pages.sharers(page);
  }

  /** Whether anybody was ever granted the right to write the page. */
  public boolean touched(long page) {
    return pages.touched(page);
  }

  /** Whether a request for the page is being served. */
  public boolean busy(long page) {
    return pages.busy(page) != null;
  }

  /** The whole entry in words: for logs and tests. */
  public String describe(long page) {
    DirectoryTransaction busy = pages.busy(page);
    return (pages.touched(page) ? "owner " : "untouched, owner ")
        + pages.owner(page)
        + " sharers "
        + Long.toBinaryString(pages.sharers(page))
        + (busy == null ? "" : ", " + busy);
  }

  /** How many requests wait for the page behind the one being served. */
  public int waiting(long page) {
    DirectoryTransaction busy = pages.busy(page);
    return busy == null ? 0 : busy.waiting();
  }

  /**
   * Names the pages of this home that are lost if a node is lost: nobody else has a copy. (Pages
   * whose transaction is under way count as their requester's.)
   */
  public void forEachPageOnlyAt(int node, LongConsumer consumer) {
    long only = 1L << node;
    for (long page = pages.firstUsed(0); page >= 0; page = pages.firstUsed(page + 1)) {
      boolean sole = pages.sharers(page) == only && pages.touched(page);
      if (pages.owner(page) == node || sole) {
        consumer.accept(page);
      }
    }
  }

  /** Pages for which a request is being served at this moment. */
  public int busyPages() {
    return busyPages;
  }
}
