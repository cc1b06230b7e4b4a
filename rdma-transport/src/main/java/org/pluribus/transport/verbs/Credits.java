package org.pluribus.transport.verbs;

/**
 * How many messages one queue pair may still send, and how many receives it has to give back: both
 * ends' numbers add up to the receives that were posted. One thread at a time.
 *
 * <p>A message that only gives credits back takes none itself; {@link #SPARE} receives are there
 * for those. Each gives back at least a quarter of all, so no more than four can be under way
 * before their receiver has looked, and none is ever sent into nothing.
 */
final class Credits {
  /** Messages that may be under way. */
  static final int MESSAGES = 64;

  /** Receives for four returns of credits and for the two messages of an introduction. */
  static final int SPARE = 8;

  /** Receives that each end posts. */
  static final int RECEIVES = MESSAGES + SPARE;

  private static final int RETURN_AT = MESSAGES / 4;

  private int available = MESSAGES;
  private int owed;

  boolean canSend() {
    return available > 0;
  }

  /** Messages whose credits have not come back: the peer may not have got them. */
  int unconfirmed() {
    return MESSAGES - available;
  }

  /** A message leaves. */
  void spend() {
    if (available == 0) {
      throw new IllegalStateException("a message without credit");
    }
    available--;
  }

  /** A message was received, delivered, and its receive posted again. */
  void owe() {
    owed++;
  }

  /** Whether so much is owed that it is returned by a message of its own. */
  boolean shouldReturn() {
    return owed >= RETURN_AT;
  }

  /** What a message that leaves now gives back. */
  int takeOwed() {
    int all = owed;
    owed = 0;
    return all;
  }

  /** The peer gave back so many; false if that is more than it can have. */
  boolean give(int returned) {
    if (returned < 0 || returned > MESSAGES - available) {
      return false;
    }
    available += returned;
    return true;
  }
}
