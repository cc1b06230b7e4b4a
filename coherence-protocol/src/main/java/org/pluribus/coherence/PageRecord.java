package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/**
 * What a cache controller remembers of a page only while something is going on with it: a request
 * under way, a copy to be given up, a hold or pins. Pooled by {@link CachePages}.
 */
final class PageRecord {
  /** How far giving up rights to the page has come. */
  enum Surrender {
    /** Nobody asked. */
    NONE,
    /** Asked for, but held or pinned. */
    DEFERRED,
    /** {@link CacheEffects#revoke} issued, not completed. */
    REVOKING,
    /** {@link CacheEffects#downgrade} issued, not completed. */
    DOWNGRADING
  }

  long page;

  /** Nodes whose InvAck for our request came. */
  long ackedBy;

  /** InvAcks to await; valid in states IM_A and SM_A. */
  int acksExpected;

  /** A local faulter needs to read, but no request can be sent before the surrender is complete. */
  boolean wantsRead;

  /** A local faulter needs to write; a request goes out once the current step is complete. */
  boolean wantsWrite;

  Surrender surrender = Surrender.NONE;

  /** FWD_GET_S, FWD_GET_M, INV or PUT_ACK; valid unless surrender is NONE, as are the next four. */
  MessageType surrenderTo = MessageType.INV;

  int surrenderRequester;
  long surrenderWaitingSince;
  int surrenderAckCount;
  long surrenderBase;

  /** A Put of ours is under way: the page is used as before, but no request may be sent. */
  boolean offered;

  int pins;

  /** In the {@link HoldQueue}. */
  boolean held;

  /** It is held for longer because the node wanted it; valid while held. */
  boolean prolonged;

  /** When the hold ends, in the caller's nanoseconds. */
  long holdUntilNanos;

  @Nullable PageRecord holdBefore;
  @Nullable PageRecord holdAfter;

  /** Next in the pool's free list. */
  @Nullable PageRecord nextFree;

  /** Whether no request can be sent before something else is complete. */
  boolean requestsWait() {
    return offered
        || surrender == Surrender.REVOKING
        || surrender == Surrender.DOWNGRADING
        || (surrender == Surrender.DEFERRED && surrenderTo == MessageType.PUT_ACK);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append("acks ").append(Long.toBinaryString(ackedBy)).append('/').append(acksExpected);
    if (surrender != Surrender.NONE) {
      text.append(' ').append(surrender).append(" to ").append(surrenderTo);
      text.append(" for node ").append(surrenderRequester).append('/').append(surrenderAckCount);
      text.append(surrenderBase == 0 ? "" : " base v" + surrenderBase);
    }
    text.append(wantsRead ? " wantsRead" : "").append(wantsWrite ? " wantsWrite" : "");
    text.append(offered ? " offered" : "");
    text.append(held ? " held" : "").append(pins > 0 ? " pins " + pins : "");
    return text.toString();
  }
}
