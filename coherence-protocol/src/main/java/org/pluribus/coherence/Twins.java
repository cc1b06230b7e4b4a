package org.pluribus.coherence;

/**
 * Which pages have a twin at this node, and of which version: a copy of the bytes as they were
 * before this node was granted the page for writing. Those who had the page before still have just
 * these bytes, so what has changed since is all they need.
 *
 * <p>Bytes of a version never change once another node has seen them: whoever writes has been
 * granted a new version first. So a twin is as good as its tag, for ever; it goes when its slot is
 * needed for another page, the one kept longest ago first, or is made anew at the next grant.
 */
final class Twins {
  /** In {@link CachePages}: this page was taken away from this node once. */
  private static final int LOST = 0x80;

  /** Grants after which a page that changed as a whole gets a twin again. */
  private static final int DENSE_GRANTS = 16;

  private static final int NOWHERE = -1;

  private final boolean sparing;
  private final TwinStore store;
  private final CachePages pages;
  private final CoherenceCounters counters;

  // A list of the slots in use, linked by index: no objects.
  private final long[] pageOf;
  private final long[] versionOf;
  private final int[] newer;
  private final int[] older;
  private int newest = NOWHERE;
  private int oldest = NOWHERE;
  private int used;

  Twins(DeltaMode mode, TwinStore store, CachePages pages, CoherenceCounters counters) {
    this.sparing = mode == DeltaMode.AUTO;
    this.store = store;
    this.pages = pages;
    this.counters = counters;
    int slots = mode == DeltaMode.OFF ? 0 : store.slots();
    pageOf = new long[slots];
    versionOf = new long[slots];
    newer = new int[slots];
    older = new int[slots];
  }

  /** Whether this node keeps twins at all. */
  boolean enabled() {
    return pageOf.length > 0;
  }

  /**
   * This node is about to write the page: keeps its bytes as they are.
   *
   * @param version theirs; 0, the page that nobody has written, needs no twin
   */
  void keep(long page, long version) {
    if (!enabled() || version == 0 || (sparing && !pays(page))) {
      return;
    }
    int slot = pages.twin(page);
    if (slot != NOWHERE) {
      unlink(slot);
    } else if (used < pageOf.length) {
      slot = used++;
    } else {
      slot = oldest;
      unlink(slot);
      pages.twin(pageOf[slot], NOWHERE);
      counters.increment(CoherenceCounter.TWINS_EVICTED);
    }
    pageOf[slot] = page;
    versionOf[slot] = version;
    pages.twin(page, slot);
    linkAsNewest(slot);
    store.keep(page, slot);
  }

  /** Whether there is a twin of just this version; 0 is none. */
  boolean has(long page, long version) {
    return version != 0 && version == version(page);
  }

  /** The version of the page's twin, or 0. */
  long version(long page) {
    int slot = enabled() ? pages.twin(page) : NOWHERE;
    return slot == NOWHERE ? 0 : versionOf[slot];
  }

  /** The blocks in which the page differs from its twin. Call only if there is one. */
  long changedBlocks(long page) {
    long blocks = store.changedBlocks(page, pages.twin(page));
    if (sparing) {
      boolean dense = Long.bitCount(blocks) > CoherenceMessage.MAX_BLOCKS;
      pages.habit(page, LOST | (dense ? DENSE_GRANTS : 0));
    }
    return blocks;
  }

  /** The blocks of the page that are not zero. Call only if twins are {@link #enabled}. */
  long nonZeroBlocks(long page) {
    return store.nonZeroBlocks(page);
  }

  /** Another node takes the page away. */
  void lost(long page) {
    if (sparing && enabled()) {
      pages.habit(page, pages.habit(page) | LOST);
    }
  }

  private boolean pays(long page) {
    int habit = pages.habit(page);
    int dense = habit & ~LOST;
    if (dense > 0) {
      pages.habit(page, habit - 1);
    }
    return (habit & LOST) != 0 && dense == 0;
  }

  private void linkAsNewest(int slot) {
    newer[slot] = NOWHERE;
    older[slot] = newest;
    if (newest != NOWHERE) {
      newer[newest] = slot;
    }
    newest = slot;
    if (oldest == NOWHERE) {
      oldest = slot;
    }
  }

  private void unlink(int slot) {
    int next = newer[slot];
    int previous = older[slot];
    if (next == NOWHERE) {
      newest = previous;
    } else {
      older[next] = previous;
    }
    if (previous == NOWHERE) {
      oldest = next;
    } else {
      newer[previous] = next;
    }
  }
}
