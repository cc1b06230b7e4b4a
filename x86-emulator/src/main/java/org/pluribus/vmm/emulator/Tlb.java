package org.pluribus.vmm.emulator;

import java.util.Arrays;

/**
 * One direct-mapped soft TLB: guest-linear page to host address. A CPU has one for each way of
 * looking at the page tables (supervisor, user, supervisor under SMAP), so that changing privilege
 * costs three reference copies.
 *
 * <p>A lookup compares one tag. The tags are linear page addresses (low 12 bits 0), so an access
 * that crosses a page never matches: the page of its last byte belongs to another slot.
 */
final class Tlb {
  static final int BITS = 11;
  static final int ENTRIES = 1 << BITS;
  static final int MASK = ENTRIES - 1;

  /** No page has this address: its low bits are set. */
  static final long INVALID = -1L;

  /** Filled slots are listed up to this many; beyond, a flush clears everything. */
  private static final int LISTED = 256;

  final long[] readTag = new long[ENTRIES];
  final long[] writeTag = new long[ENTRIES];

  /** Host address minus linear address. */
  final long[] hostDelta = new long[ENTRIES];

  /** Guest-physical page number of each slot. */
  final long[] physicalPage = new long[ENTRIES];

  final boolean[] global = new boolean[ENTRIES];
  private final short[] filled = new short[LISTED];
  private int filledCount;

  Tlb() {
    Arrays.fill(readTag, INVALID);
    Arrays.fill(writeTag, INVALID);
    Arrays.fill(physicalPage, INVALID);
  }

  void fill(long la, long host, long page, boolean write, boolean isGlobal) {
    int i = (int) (la >>> 12) & MASK;
    long tag = la & CpuMemory.PAGE_MASK;
    if (readTag[i] == INVALID) {
      if (filledCount < LISTED) {
        filled[filledCount] = (short) i;
      }
      filledCount++;
    }
    readTag[i] = tag;
    writeTag[i] = write ? tag : INVALID;
    hostDelta[i] = host - tag;
    physicalPage[i] = page;
    global[i] = isGlobal;
  }

  void flushAll() {
    if (filledCount <= LISTED) {
      for (int k = 0; k < filledCount; k++) {
        clear(filled[k]);
      }
    } else {
      Arrays.fill(readTag, INVALID);
      Arrays.fill(writeTag, INVALID);
      Arrays.fill(physicalPage, INVALID);
    }
    filledCount = 0;
  }

  void flushNonGlobal() {
    int n = 0;
    int listed = Math.min(filledCount, LISTED);
    boolean overflow = filledCount > LISTED;
    if (overflow) {
      for (int i = 0; i < ENTRIES; i++) {
        if (!global[i]) {
          clear(i);
        }
      }
      return; // the list stays overflowed: global entries remain
    }
    for (int k = 0; k < listed; k++) {
      int i = filled[k];
      if (global[i] && readTag[i] != INVALID) {
        filled[n++] = (short) i;
      } else {
        clear(i);
      }
    }
    filledCount = n;
  }

  void flushPage(long la) {
    int i = (int) (la >>> 12) & MASK;
    if (readTag[i] == (la & CpuMemory.PAGE_MASK)) {
      clear(i);
    }
  }

  /** Drops every mapping of a guest-physical page, or only the right to write. */
  void dropPhysical(long page, boolean writeOnly) {
    for (int i = 0; i < ENTRIES; i++) {
      if (physicalPage[i] == page) {
        if (writeOnly) {
          writeTag[i] = INVALID;
        } else {
          clear(i);
        }
      }
    }
  }

  private void clear(int i) {
    readTag[i] = INVALID;
    writeTag[i] = INVALID;
    physicalPage[i] = INVALID;
  }
}
