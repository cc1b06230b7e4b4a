package org.pluribus.transport.verbs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.DirectBuffer;
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
 *
 * <p>A queue pair that broke is replaced, and the lane goes on where it ended. Each end first stops
 * its old pair ({@link #retire}) and only then says how many messages were delivered to it; the
 * other end sends all after those again, pages first, and then what is new. So every message is
 * delivered exactly once and in order:
 *
 * <ul>
 *   <li>What was delivered is counted, so it is not sent again. What was received and not delivered
 *       is dropped with the old pair, so it is sent again.
 *   <li>What was not delivered is still at its sender: it keeps each message until the peer gives
 *       its credit back, which it does after delivery ({@link SendSlots}, {@link Unconfirmed}).
 * </ul>
 *
 * <p>Pages that are written again are the same as before. A page is written for a Data message,
 * whose requester says Unblock once the message was delivered; until then the page's directory is
 * blocked, and no node is given the right to write the page: neither the sender, which has given up
 * its own right to write before, nor a third. So as long as the message counts as not delivered,
 * the sender's alias holds the bytes that were sent, and the requester has neither used nor changed
 * its own. (Nothing gives pages of RAM back to the host here: RDMA has them pinned.) And no write
 * comes late: it could only come by the old pair, which takes none any more when the message is
 * sent again, and so when it is delivered, and so when anybody else gets the page.
 */
final class VerbsLane implements LaneSink {
  private static final UnsafeBuffer NOTHING = new UnsafeBuffer(0, 0);
  private static final long[] NO_PAGES = {};

  final int peer;
  final Lane lane;
  private final PlacedPage placedPage = new PlacedPage();
  private final FrameCursor cursor = new FrameCursor();
  private final long[] pages = new long[QueuePair.MAX_PAGES];
  private final Unconfirmed unconfirmed = new Unconfirmed();
  private Slabs own = Slabs.NONE;
  private @Nullable Slabs theirs;
  private @Nullable QueuePair pair;
  private int claimed;

  /** Bytes and pages of the message that is being filled. */
  private int filled;

  private int pageCount;

  private final Patience patience = new Patience();

  /** What the message that is being delivered lies in, or null. */
  private @Nullable DirectBuffer message;

  /** Its slot, or -1 if it was saved from a pair that broke. */
  private int slot = -1;

  private boolean opened;

  /** Whether the peer has introduced itself for the pair that is here or will come next. */
  private boolean agreed;

  /** The peer's process, as it introduced itself; 0 before that. */
  private long peerSession;

  /** What it said was delivered to it. */
  private long theirDelivered;

  private @Nullable String lost;
  private volatile long placedPages;

  VerbsLane(int peer, Lane lane) {
    this.peer = peer;
    this.lane = lane;
  }

  /** The pair that was made for this lane, or null. */
  @Nullable QueuePair pair() {
    return pair;
  }

  /** Gives the lane a pair that has carried no frames yet, or takes such a one away. */
  void bind(@Nullable QueuePair made, Slabs ownRam) {
    pair = made;
    own = ownRam;
    theirs = null;
    agreed &= made != null;
  }

  // ---- agreeing with the peer

  /** The peer's process, 0 if it has not introduced itself. */
  long peerSession() {
    return peerSession;
  }

  /** Messages that were taken from the peer for good. */
  long delivered() {
    return unconfirmed.delivered();
  }

  /**
   * Whether it is the right process that speaks: why not, or null.
   *
   * @param ownSession this process's number
   */
  @Nullable String sessionObjection(Introduction said, long ownSession) {
    if (said.peerSession() == 0) {
      return opened ? "was started anew: it can't go on with this machine" : null;
    }
    if (said.peerSession() != ownSession) {
      return "wants to go on with what was here before this node was started anew";
    }
    return opened && said.session() != peerSession
        ? "is not the process that was connected before: it was started anew"
        : null;
  }

  /**
   * Why the peer may not begin or go on with this lane, or null if it may. Then it is remembered. A
   * pair that carried frames must be retired before.
   *
   * @param ownSession this process's number
   */
  @Nullable String agree(Introduction said, long ownSession) {
    String objection = sessionObjection(said, ownSession);
    if (objection == null) {
      objection = unconfirmed.objection(said.delivered());
    }
    if (objection == null) {
      peerSession = said.session();
      theirDelivered = said.delivered();
      agreed = true;
    }
    return objection;
  }

  /**
   * The peer has told its keys: frames may flow, first those that it did not get.
   *
   * @return whether it has introduced itself before
   */
  boolean open(Slabs remoteRam) {
    if (agreed) {
      theirs = remoteRam;
      opened = true;
      unconfirmed.resume(theirDelivered);
    }
    return agreed;
  }

  boolean isUp() {
    return theirs != null;
  }

  /** Whether it was up once. */
  boolean wasUp() {
    return opened;
  }

  /** Number of messages that wait to be sent again. */
  int sendsAgain() {
    return unconfirmed.size();
  }

  /** Why the peer is lost, or null. */
  @Nullable String lost() {
    return lost;
  }

  /** This lane can't go on. */
  void lose(String reason) {
    if (lost == null) {
      lost = reason;
    }
  }

  /**
   * Stops the pair and keeps what it leaves undone; when this returns, nothing comes by it any
   * more. The pair is not closed.
   *
   * @return the pair, or null if there was none
   */
  @Nullable QueuePair retire() throws IOException {
    QueuePair old = pair;
    if (old == null) {
      return null;
    }
    old.stop();
    if (slot >= 0) {
      // The peer counts messages, so the rest of this one is delivered from here.
      byte[] rest = new byte[cursor.remaining()];
      old.memory.getBytes(cursor.position(), rest);
      message = new UnsafeBuffer(rest);
      cursor.begin(0, rest.length);
      slot = -1;
      unconfirmed.countDelivered();
    }
    List<Unconfirmed.Message> posted = new ArrayList<>();
    for (byte[] bytes : old.unconfirmed()) {
      posted.add(new Unconfirmed.Message(bytes, pagesOf(bytes)));
    }
    Unconfirmed.Message begun = null;
    if (filled > 0) {
      byte[] bytes = new byte[filled];
      old.memory.getBytes(old.framesOffset(), bytes);
      begun = new Unconfirmed.Message(bytes, Arrays.copyOf(pages, pageCount));
      filled = 0;
      pageCount = 0;
    }
    unconfirmed.keep(posted, begun);
    bind(null, Slabs.NONE);
    return old;
  }

  /** The pages that go before a message of our own. */
  private long[] pagesOf(byte[] bytes) {
    UnsafeBuffer buffer = new UnsafeBuffer(bytes);
    FrameCursor frames = new FrameCursor();
    frames.begin(0, bytes.length);
    long[] found = new long[QueuePair.MAX_PAGES];
    int count = 0;
    while (frames.hasNext()) {
      long page = placedPage.of(buffer, frames.next(buffer), frames.length());
      if (page != PlacedPage.NONE) {
        found[count++] = page;
      }
    }
    return count == 0 ? NO_PAGES : Arrays.copyOf(found, count);
  }

  // ---- sending

  /** Pages written into the peer's RAM; those written again count once. Any thread. */
  long placedPages() {
    return placedPages;
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
      if (filled > 0) {
        return false; // the pair has failed
      }
    }
    if (filled == 0 && !(unconfirmed.isEmpty() && to.canSendFrames())) {
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
    return to == null ? 0 : to.framesOffset() + filled + FrameCursor.PREFIX;
  }

  @Override
  public void commit() {
    add();
    patience.end();
  }

  @Override
  public void commitPatiently() {
    if (filled == 0) {
      patience.begin();
    }
    add();
  }

  private void add() {
    QueuePair to = pair;
    Slabs remote = theirs;
    if (to == null || remote == null) {
      throw new IllegalStateException("a frame for a lane that is not up");
    }
    long page = placedPage.of(to.memory, offset(), claimed);
    if (page != PlacedPage.NONE) {
      if (!remote.holds(page)) {
        lose("has no page " + page + " in the memory it told us of");
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

  /** Sends again what has to be, then what was committed. Returns how many messages that is. */
  int flush() {
    QueuePair to = pair;
    Slabs remote = theirs;
    if (to == null || remote == null) {
      return 0;
    }
    int messages = unconfirmed.isEmpty() ? 0 : sendAgain(to, remote);
    if (filled == 0 || !to.sendFrames(filled, pages, pageCount, own, remote)) {
      return messages;
    }
    unconfirmed.countSent();
    filled = 0;
    pageCount = 0;
    return messages + 1;
  }

  /** As {@link #flush}, but what may wait does. */
  int flushDue(long nowNanos) {
    return filled > 0 && patience.lasts(nowNanos) ? 0 : flush();
  }

  /** When {@link #flushDue} sends what waits; {@link Long#MAX_VALUE} if nothing does. */
  long nextDeadline() {
    return filled > 0 ? patience.endNanos() : Long.MAX_VALUE;
  }

  private int sendAgain(QueuePair to, Slabs remote) {
    int messages = 0;
    while (!unconfirmed.isEmpty() && to.canSendFrames()) {
      Unconfirmed.Message first = unconfirmed.first();
      to.memory.putBytes(to.framesOffset(), first.bytes());
      if (!to.sendFrames(first.bytes().length, first.pages(), first.pages().length, own, remote)) {
        break;
      }
      unconfirmed.firstSent();
      messages++;
    }
    return messages;
  }

  // ---- receiving

  /** Delivers up to so many frames. */
  int poll(int limit, FrameReceiver receiver) {
    int delivered = 0;
    while (delivered < limit && lost == null) {
      DirectBuffer from = message == null ? take() : message;
      if (from == null) {
        break;
      }
      int at = cursor.next(from);
      if (at < 0) {
        lose("sent a message of frames that makes no sense");
        break;
      }
      receiver.onFrame(peer, lane, from, at, cursor.length());
      delivered++;
      if (!cursor.hasNext()) {
        finish();
      }
    }
    QueuePair to = pair;
    if (filled == 0 && to != null && theirs != null) { // else what is owed goes along
      to.returnCredits();
    }
    return delivered;
  }

  /** A message was delivered as a whole. */
  private void finish() {
    QueuePair from = pair;
    if (slot >= 0 && from != null) {
      unconfirmed.countDelivered();
      from.release(slot, true);
    }
    slot = -1;
    message = null;
  }

  /** Takes the next message of frames; null if there is none. */
  private @Nullable DirectBuffer take() {
    QueuePair from = pair;
    if (from == null || theirs == null) {
      return null;
    }
    int taken = from.take();
    while (taken >= 0) {
      int kind = from.kind(taken);
      if (kind == QueuePair.FRAMES && from.messageLength() > 0) {
        slot = taken;
        cursor.begin(from.messageOffset(taken), from.messageLength());
        message = from.memory;
        return from.memory;
      }
      if (kind != QueuePair.CREDITS) {
        from.fail("sent a message of kind " + kind);
      }
      from.release(taken, false);
      taken = from.take();
    }
    return null;
  }
}
