package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/**
 * State of every page at one node, in chunks that exist only once one of their pages was used: 13
 * bytes a page (state, version, reference to a {@link PageRecord} while there is one), and 5 more
 * where the node keeps {@link Twins}. The last chunk is no longer than it needs to be.
 */
final class CachePages {
  /** Pages to a chunk, as a power of two: 1024 pages are 4 MiB of guest RAM, 13 KiB of state. */
  private static final int CHUNK_SHIFT = 10;

  private static final int CHUNK_PAGES = 1 << CHUNK_SHIFT;

  private static final class Chunk {
    final byte[] state;
    final long[] version;
    final @Nullable PageRecord[] record;

    /** Slot of the page's twin and 1, or 0; empty where there are no twins. */
    final int[] twin;

    /** What {@link Twins} remembers of a page; empty where there are no twins. */
    final byte[] habit;

    Chunk(int pages, boolean twins) {
      state = new byte[pages];
      version = new long[pages];
      record = new PageRecord[pages];
      twin = new int[twins ? pages : 0];
      habit = new byte[twins ? pages : 0];
    }
  }

  private final long count;
  private final boolean twins;
  private final @Nullable Chunk[] chunks;
  private @Nullable PageRecord freeRecords;
  private int recordsInUse;

  CachePages(long count, boolean twins) {
    this.count = count;
    this.twins = twins;
    this.chunks = new Chunk[Math.toIntExact((count + CHUNK_PAGES - 1) >>> CHUNK_SHIFT)];
  }

  boolean contains(long page) {
    return page >= 0 && page < count;
  }

  private static int slot(long page) {
    return (int) page & (CHUNK_PAGES - 1);
  }

  private Chunk chunk(long page) {
    int index = (int) (page >>> CHUNK_SHIFT);
    Chunk chunk = chunks[index];
    if (chunk == null) {
      int pages = (int) Math.min(CHUNK_PAGES, count - ((long) index << CHUNK_SHIFT));
      chunk = new Chunk(pages, twins);
      chunks[index] = chunk;
    }
    return chunk;
  }

  CacheState state(long page) {
    Chunk chunk = chunks[(int) (page >>> CHUNK_SHIFT)];
    return chunk == null ? CacheState.I : CacheState.of(chunk.state[slot(page)]);
  }

  void state(long page, CacheState state) {
    chunk(page).state[slot(page)] = (byte) state.ordinal();
  }

  long version(long page) {
    Chunk chunk = chunks[(int) (page >>> CHUNK_SHIFT)];
    return chunk == null ? 0 : chunk.version[slot(page)];
  }

  void version(long page, long version) {
    chunk(page).version[slot(page)] = version;
  }

  /** Slot of the page's twin, or -1. Only where there are twins, like the next three. */
  int twin(long page) {
    Chunk chunk = chunks[(int) (page >>> CHUNK_SHIFT)];
    return chunk == null ? -1 : chunk.twin[slot(page)] - 1;
  }

  void twin(long page, int slot) {
    chunk(page).twin[slot(page)] = slot + 1;
  }

  int habit(long page) {
    return chunk(page).habit[slot(page)] & 0xff;
  }

  void habit(long page, int habit) {
    chunk(page).habit[slot(page)] = (byte) habit;
  }

  /** The page's record, or null if nothing is going on with the page. */
  @Nullable PageRecord record(long page) {
    Chunk chunk = chunks[(int) (page >>> CHUNK_SHIFT)];
    return chunk == null ? null : chunk.record[slot(page)];
  }

  /** The page's record, a fresh one if there was none. */
  PageRecord recordOrNew(long page) {
    Chunk chunk = chunk(page);
    PageRecord record = chunk.record[slot(page)];
    if (record == null) {
      record = freeRecords;
      if (record == null) {
        record = new PageRecord();
      } else {
        freeRecords = record.nextFree;
        record.nextFree = null;
      }
      record.page = page;
      chunk.record[slot(page)] = record;
      recordsInUse++;
    }
    return record;
  }

  /** Takes the record back if nothing is going on with its page any more. */
  void freeIfIdle(PageRecord record) {
    if (!state(record.page).stable()
        || record.held
        || record.offered
        || record.pins > 0
        || record.surrender != PageRecord.Surrender.NONE
        || record.wantsRead
        || record.wantsWrite) {
      return;
    }
    chunk(record.page).record[slot(record.page)] = null;
    record.ackedBy = 0;
    record.acksExpected = 0;
    record.nextFree = freeRecords;
    freeRecords = record;
    recordsInUse--;
  }

  int recordsInUse() {
    return recordsInUse;
  }
}
