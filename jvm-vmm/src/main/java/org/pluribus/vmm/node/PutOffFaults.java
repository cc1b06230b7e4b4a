package org.pluribus.vmm.node;

import java.util.Arrays;

/**
 * Faults that wait for room in the mirror, oldest first: at most one for each vCPU or other thread
 * that waits for a page. Threads: the holder of the node's duty token.
 */
final class PutOffFaults {
  private static final int WRITE = 1;

  /** Page number, shifted by one, and whether to write. */
  private long[] faults = new long[16];

  private int size;

  /** Adds a fault, unless there is one for the page; then that one asks for both rights. */
  void add(long page, boolean write) {
    for (int i = 0; i < size; i++) {
      if (faults[i] >>> 1 == page) {
        faults[i] |= write ? WRITE : 0;
        return;
      }
    }
    if (size == faults.length) {
      faults = Arrays.copyOf(faults, 2 * size);
    }
    faults[size++] = page << 1 | (write ? WRITE : 0);
  }

  boolean isEmpty() {
    return size == 0;
  }

  /** The page of the oldest. Call only while there are some. */
  long page() {
    return faults[0] >>> 1;
  }

  /** Whether the oldest wants to write. Call only while there are some. */
  boolean write() {
    return (faults[0] & WRITE) != 0;
  }

  void removeFirst() {
    size--;
    System.arraycopy(faults, 1, faults, 0, size);
  }
}
