package org.pluribus.transport.verbs;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a lane is, each way, whichever queue pair carries it: messages of frames are numbered
 * from 0 as long as the lane lives. After a break it holds those that the peer may not have, until
 * they are sent again. One thread at a time; allocates nothing but when a lane breaks.
 *
 * <pre>
 *   0 ... first ............ next ............ sent
 *         | in the slots of    | kept here, to   |
 *         | the queue pair     | be sent again   |
 * </pre>
 */
final class Unconfirmed {
  /**
   * A message as it was sent, without envelope.
   *
   * @param bytes its frames
   * @param pages that are written before it
   */
  record Message(byte[] bytes, long[] pages) {}

  private final ArrayDeque<Message> kept = new ArrayDeque<>();
  private long next;
  private long sent;
  private long delivered;

  /** Messages that were taken from the peer for good. */
  long delivered() {
    return delivered;
  }

  /** One more was delivered, or is held where no broken connection can take it away. */
  void countDelivered() {
    delivered++;
  }

  /** The next message has been posted. */
  void countSent() {
    next++;
    sent = Math.max(sent, next);
  }

  /** Messages to be sent before all new ones. */
  boolean isEmpty() {
    return kept.isEmpty();
  }

  /** Number of messages to be sent again. */
  int size() {
    return kept.size();
  }

  /** The message to be sent next; there must be one. */
  Message first() {
    return kept.element();
  }

  /** The first one has been posted. */
  void firstSent() {
    kept.remove();
    countSent();
  }

  /**
   * The queue pair is gone.
   *
   * @param inSlots what was posted on it and not confirmed, oldest first
   * @param begun the message that was being filled, or null
   */
  void keep(List<Message> inSlots, @Nullable Message begun) {
    if (begun != null && !kept.isEmpty()) {
      throw new IllegalStateException("a new message before old ones were sent again");
    }
    for (Message message : new ArrayList<>(inSlots).reversed()) {
      kept.addFirst(message);
    }
    next -= inSlots.size();
    if (begun != null) {
      kept.addLast(begun);
    }
  }

  /**
   * Why the lane can't go on, or null if it can.
   *
   * @param theirs how many messages the peer says were delivered to it
   */
  @Nullable String objection(long theirs) {
    if (theirs < next) {
      return "wants to go on at message %d, but has confirmed %d before".formatted(theirs, next);
    }
    if (theirs > sent) {
      return "wants to go on at message %d of %d that were sent".formatted(theirs, sent);
    }
    return null;
  }

  /** The lane goes on: what was delivered to the peer is dropped. */
  void resume(long theirs) {
    String objection = objection(theirs);
    if (objection != null) {
      throw new IllegalStateException(objection);
    }
    while (next < theirs) {
      kept.remove();
      next++;
    }
  }
}
