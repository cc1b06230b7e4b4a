package org.pluribus.vmm.emulator;

import org.jspecify.annotations.Nullable;
import org.pluribus.posix.HostMemory;

/**
 * The decoded blocks of one guest-physical page. Blocks are looked up without a lock; adding and
 * removing them is synchronized.
 *
 * <p>When the page's rights go to another node it becomes stale; when it comes back its bytes are
 * compared with those the blocks were decoded from, so that code pages which merely travelled keep
 * their blocks.
 */
final class CodePage {
  /** Guest-physical page number. */
  final long page;

  /** By width of code (16, 32, 64 bits): block by offset of its first byte. */
  private final @Nullable Block[][] blocks = new Block[3][];

  /** One bit per byte of the page that some block was decoded from. */
  private final long[] covered = new long[64];

  private final byte[] snapshot = new byte[(int) CpuMemory.PAGE_SIZE];

  /** Rights were lost since the last look: {@link #revalidate} before running a block. */
  volatile boolean stale = true;

  /** Every CPU of the node has dropped its right to write the page without being noticed. */
  volatile boolean guarded;

  /** Stores into the page so far. */
  private volatile int writes;

  /** Taken out of the cache because decoded bytes were overwritten; holds no blocks any more. */
  private boolean dead;

  CodePage(long page) {
    this.page = page;
  }

  static int widthIndex(int codeBits) {
    return codeBits >> 5; // 16, 32, 64 -> 0, 1, 2
  }

  @Nullable Block find(int width, int offset) {
    Block[] t = blocks[width];
    return t == null ? null : t[offset];
  }

  /**
   * Checks the page's blocks against its bytes after it was away, and takes a new snapshot.
   *
   * @param host host address of the page, readable
   */
  synchronized void revalidate(long host) {
    boolean same = true;
    for (int i = 0; i < snapshot.length; i++) {
      byte b = HostMemory.getByte(host + i);
      same &= b == snapshot[i] || (covered[i >> 6] & 1L << i) == 0;
      snapshot[i] = b;
    }
    if (!same) {
      dropAll();
    }
    stale = false;
  }

  /** Changes with each store into the page: see {@link #add}. */
  int writes() {
    return writes;
  }

  /** What became of a block. */
  enum Added {
    KEPT,
    /** Somebody has stored into the page since: the block may be run once. */
    NOT_KEPT,
    /** The page was taken out of the cache meanwhile. */
    PAGE_GONE
  }

  /**
   * Adds a block.
   *
   * @param from the bytes from {@code offset} on that it was decoded from
   * @param writesBefore {@link #writes} before they were read
   */
  synchronized Added add(int width, int offset, Block b, byte[] from, int writesBefore) {
    if (dead) {
      return Added.PAGE_GONE;
    }
    if (writes != writesBefore) {
      return Added.NOT_KEPT;
    }
    if (blocks[width] == null) {
      blocks[width] = new Block[(int) CpuMemory.PAGE_SIZE];
    }
    blocks[width][offset] = b;
    int end = Math.min(offset + b.bytes, (int) CpuMemory.PAGE_SIZE);
    for (int i = offset; i < end; i++) {
      covered[i >> 6] |= 1L << i;
    }
    // They may have been stored after the snapshot was taken.
    System.arraycopy(from, 0, snapshot, offset, end - offset);
    return Added.KEPT;
  }

  /** Bytes will be written: drops the blocks that hold any of them. True when there was one. */
  synchronized boolean written(int offset, int size) {
    writes++;
    boolean hit = false;
    for (int i = offset; i < offset + size; i++) {
      hit |= (covered[i >> 6] & 1L << i) != 0;
    }
    if (hit) {
      dropAll();
      dead = true;
    }
    return hit;
  }

  /**
   * Sets the compiled form of a region's entries, unless its code is gone.
   *
   * @param hot the block whose heat had the region compiled, its first entry
   */
  synchronized void install(Region region, Block hot, CompiledCode[] entries) {
    if (!hot.valid) {
      return;
    }
    for (int e = 0; e < entries.length; e++) {
      Block b = find(widthIndex(64), region.entries.get(e));
      if (b != null && b.compiled == null) {
        b.compiled = entries[e];
      }
    }
  }

  /** Sets the heat of a region's blocks that are not entries. */
  synchronized void cool(Region region, int heat) {
    for (int offset : region.nodes.keySet()) {
      Block b = find(widthIndex(64), offset);
      if (b != null && !region.entries.contains(offset)) {
        b.heat = heat;
      }
    }
  }

  private void dropAll() {
    for (int w = 0; w < blocks.length; w++) {
      Block[] t = blocks[w];
      if (t == null) {
        continue;
      }
      for (Block b : t) {
        if (b != null) {
          b.valid = false;
        }
      }
      blocks[w] = null;
    }
    java.util.Arrays.fill(covered, 0);
  }
}
