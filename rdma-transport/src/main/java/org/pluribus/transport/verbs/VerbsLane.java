package org.pluribus.transport.verbs;

import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneSink;
import org.pluribus.transport.wire.PlacedPage;

/**
 * One lane to and from one peer: a queue pair once there is one that both ends agreed on. Frames
 * that are committed one after another leave as one message, with the next {@link #flush}.
 */
final class VerbsLane implements LaneSink {
  private static final UnsafeBuffer NOTHING = new UnsafeBuffer(0, 0);

  final int peer;
  final Lane lane;
  private final PlacedPage placedPage = new PlacedPage();
  private final FrameCursor cursor = new FrameCursor();
  private final long[] pages = new long[QueuePair.MAX_PAGES];
  private Slabs own = Slabs.NONE;
  private @Nullable Slabs theirs;
  private @Nullable QueuePair pair;
  private int claimed;

  /** Bytes and pages of the message that is being filled. */
  private int filled;

  private int pageCount;

  /** The message that is being delivered, or -1. */
  private int slot = -1;

  private volatile long placedPages;

  VerbsLane(int peer, Lane lane) {
    this.peer = peer;
    this.lane = lane;
  }

  /** The pair that was made for this lane, or null. */
  @Nullable QueuePair pair() {
    return pair;
  }

  void bind(@Nullable QueuePair made, Slabs ownRam) {
    pair = made;
    own = ownRam;
    theirs = null;
    filled = 0;
    pageCount = 0;
    slot = -1;
  }

  /** The peer has told its keys: frames may flow. */
  void open(Slabs remoteRam) {
    theirs = remoteRam;
  }

  /** Pages written into the peer's RAM. Any thread. */
  long placedPages() {
    return placedPages;
  }

  boolean isUp() {
    return theirs != null;
  }

  @Override
  public boolean tryClaim(int length) {
    QueuePair to = pair;
    if (to == null || theirs == null) {
      return false;
    }
    if (filled + FrameCursor.recordBytes(length) > QueuePair.MESSAGE_BYTES
        || pageCount == pages.length) {
      flush();
    }
    if (filled == 0 && !(to.credits.canSend() && to.canSend())) {
      return false;
    }
    claimed = length;
    return true;
  }

  @Override
  public MutableDirectBuffer buffer() {
    QueuePair to = pair;
    return to == null ? NOTHING : to.memory;
  }

  @Override
  public int offset() {
    QueuePair to = pair;
    return to == null ? 0 : to.sendOffset() + filled + FrameCursor.PREFIX;
  }

  @Override
  public void commit() {
    QueuePair to = pair;
    Slabs remote = theirs;
    if (to == null || remote == null) {
      throw new IllegalStateException("a frame for a lane that is not up");
    }
    long page = placedPage.of(to.memory, offset(), claimed);
    if (page != PlacedPage.NONE) {
      if (!remote.holds(page)) {
        to.fail("has no page " + page + " in the memory it told us of");
        return;
      }
      // Until the peer has the page nobody can be given the right to change it, so its bytes
      // may be read when the message leaves, and by the device even later.
      pages[pageCount++] = page;
      placedPages = placedPages + 1; // by the holder of the duty token only
    }
    to.memory.putInt(offset() - FrameCursor.PREFIX, claimed);
    filled += FrameCursor.recordBytes(claimed);
  }

  /** Sends what was committed. Returns how many messages that is. */
  int flush() {
    QueuePair to = pair;
    Slabs remote = theirs;
    if (filled == 0 || to == null || remote == null) {
      return 0;
    }
    to.credits.spend();
    to.sendPages(filled, pages, pageCount, own, remote);
    filled = 0;
    pageCount = 0;
    return 1;
  }

  /** Delivers up to so many frames. */
  int poll(int limit, FrameReceiver receiver) {
    QueuePair from = pair;
    if (from == null || theirs == null) {
      return 0;
    }
    int delivered = 0;
    while (delivered < limit && (slot >= 0 || take(from))) {
      int at = cursor.next(from.memory);
      if (at < 0) {
        from.fail("sent a message of frames that makes no sense");
        return delivered;
      }
      receiver.onFrame(peer, lane, from.memory, at, cursor.length());
      delivered++;
      if (!cursor.hasNext()) {
        from.release(slot, true);
        slot = -1;
      }
    }
    if (filled == 0) { // else what is owed goes along
      from.returnCredits();
    }
    return delivered;
  }

  /** Takes the next message of frames; false if there is none. */
  private boolean take(QueuePair from) {
    int taken = from.take();
    while (taken >= 0) {
      int kind = from.kind(taken);
      if (kind == QueuePair.FRAMES && from.messageLength() > 0) {
        slot = taken;
        cursor.begin(from.messageOffset(taken), from.messageLength());
        return true;
      }
      if (kind != QueuePair.CREDITS) {
        from.fail("sent a message of kind " + kind);
      }
      from.release(taken, false);
      taken = from.take();
    }
    return false;
  }
}
