package org.pluribus.vmm.node;

import java.util.Arrays;

/**
 * Sees when a vCPU goes through memory page by page (a kernel that unpacks itself, a copy, a fill),
 * up or down, and names the pages it will need next, so that they come while it works on those
 * before. The more pages in a row it went through, the more are fetched ahead.
 *
 * <p>Threads: the holder of the node's duty token.
 */
final class Readahead {
  /**
   * Ways through memory followed at once: a copy has two, and its code and stack fault in between.
   */
  private static final int STREAMS = 4;

  /** Most pages fetched ahead: bounds what a guess gone wrong takes from other nodes. */
  static final int MOST_PAGES = 16;

  private static final long NO_PAGE = -1;

  private final long pageCount;

  /** The page that a stream will miss next if it goes on. */
  private final long[] next = new long[STREAMS];

  /** The page after whose fault {@link #next} was set. */
  private final long[] last = new long[STREAMS];

  /** 1, -1, or 0 for a stream of one page. */
  private final int[] step = new int[STREAMS];

  private final int[] window = new int[STREAMS];
  private final long[] used = new long[STREAMS];
  private long time;

  /**
   * @param pageCount pages of the guest's RAM
   */
  Readahead(long pageCount) {
    this.pageCount = pageCount;
    Arrays.fill(next, NO_PAGE);
    Arrays.fill(last, NO_PAGE);
  }

  /** The vCPU lacks a page, whose own request is on its way; names those to fetch along. */
  void missed(long page, boolean write, VcpuFaults.Rights rights, VcpuFaults.Fetch fetch) {
    time++;
    for (int i = 0; i < STREAMS; i++) {
      if (goesOn(i, page)) {
        used[i] = time;
        advance(i, page, write, rights, fetch);
        return;
      }
    }
    int i = oldest();
    used[i] = time;
    last[i] = page;
    step[i] = 0;
    window[i] = 0;
  }

  private boolean goesOn(int i, long page) {
    if (last[i] == NO_PAGE) {
      return false;
    }
    if (step[i] == 0) {
      return page == last[i] + 1 || page == last[i] - 1;
    }
    // A page fetched ahead that is still on its way may be missed, too.
    long ahead = (page - last[i]) * step[i];
    return ahead > 0 && ahead <= window[i] + 1;
  }

  private void advance(
      int i, long page, boolean write, VcpuFaults.Rights rights, VcpuFaults.Fetch fetch) {
    if (step[i] == 0) {
      step[i] = page > last[i] ? 1 : -1; // two neighbours may be chance, a third is not
      last[i] = page;
      next[i] = page + step[i];
      return;
    }
    if (page != next[i]) {
      return; // it waits for what was fetched ahead: that is enough
    }
    window[i] = Math.min(MOST_PAGES, 2 * window[i] + 1);
    last[i] = page;
    for (int k = 1; k <= window[i]; k++) {
      long ahead = page + (long) k * step[i];
      if (ahead < 0 || ahead >= pageCount) {
        break;
      }
      if (!rights.suffices(ahead, write)) {
        fetch.page(ahead, write);
      }
    }
    next[i] = page + (long) (window[i] + 1) * step[i];
  }

  private int oldest() {
    int oldest = 0;
    for (int i = 1; i < STREAMS; i++) {
      if (used[i] < used[oldest]) {
        oldest = i;
      }
    }
    return oldest;
  }
}
