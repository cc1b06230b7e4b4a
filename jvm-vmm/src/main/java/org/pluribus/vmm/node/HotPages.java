package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Which pages come to this node again and again, and from whom: pages that nodes take from each
 * other to and fro, be it for data they share or for data that merely are on one page.
 *
 * <p>Bounded: a few thousand pages, in sets of {@link #WAYS}. A page that is not there takes the
 * place of the one of its set that came least often, and inherits that one's rank, so that pages
 * that keep coming stay and the others pass through (Metwally, Agrawal, El Abbadi, <i>Efficient
 * Computation of Frequent and Top-k Elements in Data Streams</i>, 2005). Counts are exact from the
 * page's last entry on. Nothing is allocated per page.
 *
 * <p>Threads: the holder of the node's duty token; {@link #hottest} when the vCPUs have stopped.
 */
public final class HotPages {
  /** Pages that a page competes with. */
  static final int WAYS = 8;

  private static final int SETS = 256;

  /** Spreads neighbours over sets: 2 to the 64th divided by the golden ratio, made odd. */
  private static final long SPREAD = 0x9e3779b97f4a7c15L;

  private static final int SET_SHIFT = Long.SIZE - Integer.numberOfTrailingZeros(SETS);
  private static final long EMPTY = -1;

  private final int nodes;
  private final long[] pages = new long[SETS * WAYS];
  private final long[] rank = new long[SETS * WAYS];
  private final long[] bytes = new long[SETS * WAYS];

  /** Transfers, by entry and sender. */
  private final int[] from;

  HotPages(int nodes) {
    this.nodes = nodes;
    from = new int[SETS * WAYS * nodes];
    Arrays.fill(pages, EMPTY);
  }

  /**
   * A page that came often.
   *
   * @param gpa of its first byte
   * @param node to which it came
   * @param transfers how often, at least
   * @param bytes that were sent for it, at least
   * @param from transfers by the node that sent them
   */
  public record Hot(long gpa, int node, long transfers, long bytes, List<Integer> from) {}

  /** A page's bytes have come, or the part of them that had changed. */
  void received(long page, int sender, int length) {
    int entry = entryOf(page);
    rank[entry]++;
    bytes[entry] += length;
    from[entry * nodes + sender]++;
  }

  private int entryOf(long page) {
    int set = (int) (page * SPREAD >>> SET_SHIFT) * WAYS;
    int least = set;
    for (int i = set; i < set + WAYS; i++) {
      if (pages[i] == page) {
        return i;
      }
      if (rank[i] < rank[least]) {
        least = i;
      }
    }
    pages[least] = page;
    bytes[least] = 0;
    for (int i = 0; i < nodes; i++) {
      from[least * nodes + i] = 0;
    }
    return least;
  }

  /** The pages that came most often, at most so many. */
  public List<Hot> hottest(GuestRamLayout layout, int self, int limit) {
    List<Hot> all = new ArrayList<>();
    for (int entry = 0; entry < pages.length; entry++) {
      if (pages[entry] != EMPTY) {
        List<Integer> senders = new ArrayList<>();
        long transfers = 0;
        for (int i = 0; i < nodes; i++) {
          senders.add(from[entry * nodes + i]);
          transfers += from[entry * nodes + i];
        }
        all.add(new Hot(layout.gpaOfPage(pages[entry]), self, transfers, bytes[entry], senders));
      }
    }
    all.sort(Comparator.comparingLong(Hot::transfers).reversed().thenComparingLong(Hot::gpa));
    return List.copyOf(all.subList(0, Math.min(limit, all.size())));
  }
}
