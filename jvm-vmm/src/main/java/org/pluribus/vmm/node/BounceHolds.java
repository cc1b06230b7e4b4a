package org.pluribus.vmm.node;

import java.util.Arrays;

/**
 * Tells which pages leave this node and come back all the time, and for how long such a page should
 * stay: long enough that what its vCPUs do with it is worth the way. Remembers the pages that left
 * last, in a table of fixed size; one that is pushed out of it counts as new.
 *
 * <p>Threads: one at a time. Allocates nothing after its construction.
 */
final class BounceHolds {
  /** Ways back that make a page one that bounces. */
  static final int BOUNCES = 4;

  /** Who is away for longer than this does not bounce: nobody here waits for it, or not much. */
  static final long AWAY_NANOS = 10_000_000;

  /** Pages remembered, a power of two. */
  private static final int PAGES = 1024;

  private static final int NONE = -1;

  private final long holdNanos;
  private final long[] pages = new long[PAGES];

  /** When the page left, or came if it is here. */
  private final long[] since = new long[PAGES];

  /** What {@link #came} was told of waits. */
  private final long[] waits = new long[PAGES];

  private final boolean[] here = new boolean[PAGES];
  private final byte[] bounces = new byte[PAGES];

  /**
   * @param holdNanos how long a page that bounces stays after it came, 0 for no longer than others
   */
  BounceHolds(long holdNanos) {
    this.holdNanos = holdNanos;
    Arrays.fill(pages, NONE);
  }

  private static int slot(long page) {
    return (int) page & (PAGES - 1);
  }

  /** The page leaves: another node takes it, or the right to write it. */
  void left(long page, long nowNanos) {
    int i = slot(page);
    if (pages[i] != page) {
      pages[i] = page;
      bounces[i] = 0;
    }
    here[i] = false;
    since[i] = nowNanos;
  }

  /**
   * The page has come, or the right to write it.
   *
   * @param waited how often this node's vCPUs have begun to wait for somebody so far: PAUSE, HLT
   */
  void came(long page, long waited, long nowNanos) {
    int i = slot(page);
    if (pages[i] != page || here[i]) {
      return;
    }
    boolean soon = nowNanos - since[i] <= AWAY_NANOS;
    bounces[i] = (byte) (soon ? Math.min(bounces[i] + 1, BOUNCES) : 0);
    here[i] = true;
    since[i] = nowNanos;
    waits[i] = waited;
  }

  /**
   * Whether the page should stay although another node wants it: until a time is up, or a vCPU here
   * waits for somebody itself. So does one that halts, or goes round a loop with a PAUSE in it (SDM
   * volume 2), and whom it waits for may well need the page.
   *
   * @param waited as for {@link #came}
   */
  boolean stays(long page, long waited, long nowNanos) {
    int i = slot(page);
    return pages[i] == page
        && here[i]
        && bounces[i] == BOUNCES
        && waits[i] == waited
        && nowNanos - since[i] < holdNanos;
  }
}
