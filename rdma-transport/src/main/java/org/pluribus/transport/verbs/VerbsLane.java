package org.pluribus.transport.verbs;

import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneSink;
import org.pluribus.transport.wire.PlacedPage;

/** One lane to and from one peer: a queue pair once there is one that both ends agreed on. */
final class VerbsLane implements LaneSink {
  private static final UnsafeBuffer NOTHING = new UnsafeBuffer(0, 0);

  final int peer;
  final Lane lane;
  private final PlacedPage placedPage = new PlacedPage();
  private Slabs own = Slabs.NONE;
  private @Nullable Slabs theirs;
  private @Nullable QueuePair pair;
  private int claimed;
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
    if (to == null || theirs == null || !to.credits.canSend() || !to.canSend()) {
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
    return to == null ? 0 : to.sendOffset();
  }

  @Override
  public void commit() {
    QueuePair to = pair;
    Slabs remote = theirs;
    if (to == null || remote == null) {
      throw new IllegalStateException("a frame for a lane that is not up");
    }
    to.credits.spend();
    long page = placedPage.of(to.memory, to.sendOffset(), claimed);
    if (page == PlacedPage.NONE) {
      to.send(QueuePair.FRAME, claimed);
    } else if (remote.holds(page)) {
      to.sendPage(claimed, page, own, remote);
      placedPages = placedPages + 1; // by the holder of the duty token only
    } else {
      to.fail("has no page " + page + " in the memory it told us of");
    }
  }

  /** Delivers up to so many frames. */
  int poll(int limit, FrameReceiver receiver) {
    QueuePair from = pair;
    if (from == null || theirs == null) {
      return 0;
    }
    int delivered = 0;
    while (delivered < limit) {
      int slot = from.take();
      if (slot < 0) {
        break;
      }
      int kind = from.kind(slot);
      if (kind == QueuePair.FRAME) {
        receiver.onFrame(peer, lane, from.memory, from.messageOffset(slot), from.messageLength());
        delivered++;
      } else if (kind != QueuePair.CREDITS) {
        from.fail("sent a message of kind " + kind);
      }
      from.release(slot, kind == QueuePair.FRAME);
    }
    from.returnCredits();
    return delivered;
  }
}
