package org.pluribus.transport.verbs;

import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Where the messages that a queue pair sends lie, and when their places may be used again. One
 * thread at a time; allocates nothing but in {@link #unconfirmed}.
 *
 * <pre>
 *   | 64 slots for messages of frames, in turn | 8 slots for all other messages, in turn |
 * </pre>
 *
 * <p>A message of frames stays in its slot until the peer has given its credit back, so all that
 * the peer may not have is there when the connection breaks: there are as many of these slots as
 * credits, and each such message takes one. No slot is written either before the device is done
 * with what was in it.
 */
final class SendSlots {
  /** Messages that may be in the send queue. */
  static final int SLOTS = Credits.RECEIVES;

  /** Room in the send queue for the requests of many messages, each with a few pages. */
  static final int REQUESTS = 4 * SLOTS;

  private static final int FRAMES = Credits.MESSAGES;
  private static final int OTHERS = SLOTS - FRAMES;

  /** One completion tells that all requests before it are done, too. */
  private static final int SIGNAL_INTERVAL = SLOTS / 4;

  private final UnsafeBuffer memory;
  private final int slotBytes;
  private final int envelope;

  /** Messages posted, of all kinds, and of them those that are done for sure. */
  private long posted;

  private long completed;
  private long frames;
  private long others;

  /** Work requests ever posted, and of them those that are done for sure. */
  private long postedRequests;

  private long completedRequests;
  private long signalledRequests;

  /** What {@link #postedRequests} was with each of the last messages. */
  private final long[] requestsUpTo = new long[SLOTS];

  /** What {@link #posted} was after the message in each slot. */
  private final long[] lastUse = new long[SLOTS];

  /** Lengths of the messages of frames, without envelopes. */
  private final int[] lengths = new int[FRAMES];

  /**
   * Slots at the start of a memory.
   *
   * @param envelope bytes in a slot before its message
   */
  SendSlots(UnsafeBuffer memory, int slotBytes, int envelope) {
    this.memory = memory;
    this.slotBytes = slotBytes;
    this.envelope = envelope;
  }

  /** Offset of the slot for the next message of frames. */
  int nextFrames() {
    return framesSlot(frames) * slotBytes;
  }

  /** Offset of the slot for the next message of another kind. */
  int nextOther() {
    return otherSlot() * slotBytes;
  }

  private static int framesSlot(long number) {
    return (int) (number % FRAMES);
  }

  private int otherSlot() {
    return FRAMES + (int) (others % OTHERS);
  }

  /** Whether the next message of frames may be written and posted, if its credit is there. */
  boolean hasRoomForFrames() {
    return hasRoom(framesSlot(frames));
  }

  /** Whether the next message of another kind may be written and posted. */
  boolean hasRoomForOther() {
    return hasRoom(otherSlot());
  }

  private boolean hasRoom(int slot) {
    return posted - completed < SLOTS
        && lastUse[slot] <= completed
        && postedRequests - completedRequests <= REQUESTS - QueuePair.MAX_PAGES - 1;
  }

  /** The number by which the completion of the next message names it. */
  long nextNumber() {
    return posted;
  }

  /** Whether a message of so many requests must ask for a completion; it is taken to do so. */
  boolean signals(int requests, boolean inAnyCase) {
    long afterwards = postedRequests + requests;
    if (!inAnyCase && afterwards - signalledRequests < SIGNAL_INTERVAL) {
      return false;
    }
    signalledRequests = afterwards;
    return true;
  }

  /** The message of frames in the next slot is in the send queue. */
  void postedFrames(int requests, int messageBytes) {
    int slot = framesSlot(frames);
    lengths[slot] = messageBytes;
    frames++;
    posted(slot, requests);
  }

  /** The message of another kind in the next slot is in the send queue. */
  void postedOther(int requests) {
    int slot = otherSlot();
    others++;
    posted(slot, requests);
  }

  private void posted(int slot, int requests) {
    postedRequests += requests;
    requestsUpTo[(int) (posted % SLOTS)] = postedRequests;
    posted++;
    lastUse[slot] = posted;
  }

  /** The device is done with a message and all before it. */
  void completed(long number) {
    completed = number + 1;
    completedRequests = requestsUpTo[(int) (number % SLOTS)];
  }

  /** Whether the device is done with all messages. */
  boolean isIdle() {
    return completed == posted;
  }

  /**
   * The last messages of frames.
   *
   * @param count how many: those whose credits have not come back
   * @return copies without envelopes, oldest first
   */
  List<byte[]> unconfirmed(int count) {
    List<byte[]> messages = new ArrayList<>(count);
    for (long number = frames - count; number < frames; number++) {
      int slot = framesSlot(number);
      byte[] message = new byte[lengths[slot]];
      memory.getBytes(slot * slotBytes + envelope, message);
      messages.add(message);
    }
    return messages;
  }
}
