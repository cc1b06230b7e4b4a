package org.pluribus.vmm.node;

import java.util.BitSet;
import org.pluribus.coherence.CacheController;
import org.pluribus.posix.Memfd;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Bounds how much memory a node's mirror of guest RAM takes.
 *
 * <p>The mirror is a file of holes: a page costs memory from the moment it is asked for until its
 * hole is punched again. When there is little room left, the node gives pages back: at once those
 * that it has no rights to any more, then, by offering them to their homes ({@link
 * CacheController#evict}), those that it got longest ago. Nobody tells when the guest uses a page
 * that it has rights to, so the clock algorithm goes by what is known: a page that was asked for
 * since the clock's hand last passed it stays for another round. A page in constant use that goes
 * all the same is back after one fault, and costs one per round.
 *
 * <p>A home has to have room for the pages that others give back to it. Hence three marks below the
 * budget. Above the lowest one the node makes room; from the middle one on guests have to wait for
 * it; the room above that is for pages given back, and when it is full, they stay where they are.
 * That ends in no deadlock because each node's budget is more than it is home of: if a group of
 * nodes whose pages all have their homes in the group is full, some page is there twice, and one of
 * its copies needs no room anywhere when it goes.
 *
 * <p>Threads: the holder of the node's duty token.
 */
public final class MirrorBudget {
  /** A budget is at least this much more than the node is home of: 4096 pages. */
  public static final long LEAST_SLACK_BYTES = 16L << 20;

  private static final int PAGE_SHIFT = 12;

  /** Of what the budget is above the node's own pages, the part for pages given back to it. */
  private static final int RESERVE_PART = 4;

  /** The part, of the same, that is made free before guests have to wait. */
  private static final int AHEAD_PART = 4;

  /** Most pages of either: 64 MiB need no more. */
  private static final long MOST_AHEAD = 1L << 14;

  /** Pages looked at in one turn: bounds the time the token is held. */
  private static final int LOOKS = 1024;

  /** Offers under way at once. */
  private static final int MOST_OFFERS = 64;

  private final Memfd image;
  private final boolean limited;
  private final long bytes;
  private final long firstOwn;
  private final long afterOwn;

  /** Marks, in pages. */
  private final long makesRoom;

  private final long guestsWait;
  private final long full;

  /** Pages that were asked for and whose hole was not punched since. */
  private final BitSet held = new BitSet();

  /** Pages asked for since the hand last passed them. */
  private final BitSet recent = new BitSet();

  private long count;
  private int hand;
  private long evictions;
  private volatile long residentBytes;
  private volatile long peakBytes;

  /**
   * A budget for the mirror of a node.
   *
   * @param image the mirror
   * @param bytes at least {@link #leastBytes}; no limit if no less than guest RAM
   */
  public MirrorBudget(Memfd image, GuestRamLayout layout, int self, long bytes) {
    this.image = image;
    this.bytes = bytes;
    limited = bytes < layout.ramSize();
    if (limited && bytes < leastBytes(layout, self)) {
      throw new IllegalArgumentException(
          "a mirror of %d bytes, for a node that needs %d"
              .formatted(bytes, leastBytes(layout, self)));
    }
    firstOwn = layout.firstPageOf(self);
    long own = layout.pageCountOf(self);
    afterOwn = firstOwn + own;
    full = bytes >>> PAGE_SHIFT;
    guestsWait = full - Math.min((full - own) / RESERVE_PART, MOST_AHEAD);
    makesRoom = guestsWait - Math.min((full - own) / AHEAD_PART, MOST_AHEAD);
  }

  /** The smallest budget a node can do with: what it is home of, and some pages to work with. */
  public static long leastBytes(GuestRamLayout layout, int node) {
    return (layout.pageCountOf(node) << PAGE_SHIFT) + LEAST_SLACK_BYTES;
  }

  /** Whether a page may be asked for now, as far as room goes. */
  boolean admits(long page) {
    return !limited || count < guestsWait || held.get((int) page);
  }

  /** Whether a page of this home may be taken that its holder offers. */
  boolean admitsOffered(long page) {
    return !limited || count < full || held.get((int) page);
  }

  /** A page is being asked for. */
  void asked(long page) {
    if (!limited) {
      return;
    }
    if (!held.get((int) page)) {
      held.set((int) page);
      count++;
    }
    recent.set((int) page);
  }

  /** A page's rights are gone: whatever is in it may go if room is short. */
  void left(long page, CacheController cache) {
    if (limited && count > makesRoom && held.get((int) page)) {
      dropIfUnused(page, cache);
    }
  }

  private boolean dropIfUnused(long page, CacheController cache) {
    if (!cache.forget(page)) {
      return false;
    }
    image.punchHole(page << PAGE_SHIFT, 1L << PAGE_SHIFT);
    held.clear((int) page);
    recent.clear((int) page);
    count--;
    evictions++;
    return true;
  }

  /** Whether room is short. */
  boolean isShort() {
    return limited && count > makesRoom;
  }

  /**
   * Gives pages back, or starts to.
   *
   * @return how many
   */
  int makeRoom(CacheController cache) {
    int done = 0;
    for (int i = 0; i < LOOKS && count - cache.offersUnderWay() > makesRoom; i++) {
      int page = held.nextSetBit(hand);
      if (page < 0) {
        page = held.nextSetBit(0);
        if (page < 0) {
          break;
        }
      }
      hand = page + 1;
      if (dropIfUnused(page, cache)) {
        done++;
      } else if (page < firstOwn || page >= afterOwn) {
        if (recent.get(page)) {
          recent.clear(page);
        } else if (cache.offersUnderWay() == MOST_OFFERS) {
          hand = page;
          break;
        } else if (cache.evict(page)) {
          done++;
        }
      }
    }
    return done;
  }

  // ---- for reports

  /** Looks how much memory the mirror takes. The node's own thread. */
  public void sample() {
    long bytesNow = image.residentBytes();
    residentBytes = bytesNow;
    peakBytes = Math.max(peakBytes, bytesNow);
  }

  /**
   * Memory that the mirror took when it was looked at last, as the kernel counts it. Any thread.
   */
  public long residentBytes() {
    return residentBytes;
  }

  /** The most that it took whenever it was looked at. Any thread. */
  public long peakBytes() {
    return peakBytes;
  }

  /** Bytes that the mirror may take; no less than guest RAM if there is no limit. */
  public long bytes() {
    return bytes;
  }

  /** Whether it is less than guest RAM. */
  public boolean isLimited() {
    return limited;
  }

  /** Pages given back to the host. */
  public long evictions() {
    return evictions;
  }
}
