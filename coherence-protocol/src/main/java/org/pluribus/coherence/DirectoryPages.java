package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/**
 * Directory entries of one home, in chunks that exist only once one of their pages was requested:
 * 13 bytes a page (owner and touched mark, sharers, reference to a {@link DirectoryTransaction}).
 * The last chunk is no longer than it needs to be.
 */
final class DirectoryPages {
  static final int NO_OWNER = -1;

  /** Pages to a chunk, as a power of two: 1024 pages are 4 MiB of guest RAM. */
  private static final int CHUNK_SHIFT = 10;

  private static final int CHUNK_PAGES = 1 << CHUNK_SHIFT;

  /** Set once anybody was granted the right to write. The other seven bits are owner + 1. */
  private static final int TOUCHED = 0x80;

  private static final class Chunk {
    final byte[] owner;
    final long[] sharers;
    final @Nullable DirectoryTransaction[] busy;

    Chunk(int pages) {
      owner = new byte[pages];
      sharers = new long[pages];
      busy = new DirectoryTransaction[pages];
    }
  }

  private final long count;
  private final @Nullable Chunk[] chunks;

  DirectoryPages(long count) {
    this.count = count;
    this.chunks = new Chunk[Math.toIntExact((count + CHUNK_PAGES - 1) >>> CHUNK_SHIFT)];
  }

  boolean contains(long page) {
    return page >= 0 && page < count;
  }

  private static int slot(long page) {
    return (int) page & (CHUNK_PAGES - 1);
  }

  private @Nullable Chunk existing(long page) {
    return chunks[(int) (page >>> CHUNK_SHIFT)];
  }

  private Chunk chunk(long page) {
    int index = (int) (page >>> CHUNK_SHIFT);
    Chunk chunk = chunks[index];
    if (chunk == null) {
      int pages = (int) Math.min(CHUNK_PAGES, count - ((long) index << CHUNK_SHIFT));
      chunk = new Chunk(pages);
      chunks[index] = chunk;
    }
    return chunk;
  }

  int owner(long page) {
    Chunk chunk = existing(page);
    return chunk == null ? NO_OWNER : (chunk.owner[slot(page)] & ~TOUCHED & 0xff) - 1;
  }

  boolean touched(long page) {
    Chunk chunk = existing(page);
    return chunk != null && (chunk.owner[slot(page)] & TOUCHED) != 0;
  }

  long sharers(long page) {
    Chunk chunk = existing(page);
    return chunk == null ? 0 : chunk.sharers[slot(page)];
  }

  /** Makes a node the only one with rights; the page counts as written from now on. */
  void setOwner(long page, int node) {
    Chunk chunk = chunk(page);
    chunk.owner[slot(page)] = (byte) (TOUCHED | (node + 1));
    chunk.sharers[slot(page)] = 0;
  }

  /** Makes a set of nodes those who may read, and nobody the owner. */
  void setSharers(long page, long sharers) {
    Chunk chunk = chunk(page);
    chunk.owner[slot(page)] &= (byte) TOUCHED;
    chunk.sharers[slot(page)] = sharers;
  }

  /** The first page not below the given one that has an owner or sharers, or -1. */
  long firstUsed(long from) {
    for (long page = from; page < count; page++) {
      Chunk chunk = existing(page);
      if (chunk == null) {
        page |= CHUNK_PAGES - 1;
      } else if (chunk.sharers[slot(page)] != 0 || (chunk.owner[slot(page)] & ~TOUCHED) != 0) {
        return page;
      }
    }
    return -1;
  }

  @Nullable DirectoryTransaction busy(long page) {
    Chunk chunk = existing(page);
    return chunk == null ? null : chunk.busy[slot(page)];
  }

  void busy(long page, @Nullable DirectoryTransaction transaction) {
    chunk(page).busy[slot(page)] = transaction;
  }
}
