package org.pluribus.vmm.emulator;

import java.lang.invoke.VarHandle;
import org.pluribus.posix.HostMemory;

/**
 * Read-modify-write of bytes that no single host instruction reaches: across two guest pages, or in
 * device registers. Shared by the CPUs of a node, which exclude each other by it. Plain stores of
 * another CPU of this node to the same bytes are not excluded (a bus lock would exclude them).
 *
 * <p>Against other nodes the rights to both pages protect: a node gives a page away only after each
 * of its CPUs has agreed, which a CPU does in its page methods and at safepoints, never between the
 * check that both pages are ours and the store.
 */
final class SplitLock {
  /**
   * Attempts to hold both pages at once before going on without: each one is a fetch from another
   * node, so this many mean minutes of losing one page while fetching the other.
   */
  private static final int ATTEMPTS = 10_000;

  private static final long PAGE_NUMBER_SHIFT = 12;

  /**
   * As {@link MemoryUpdate#at}, for operands {@link CpuMemory#hostForWrite} gives no address of.
   */
  long update(Cpu c, long la, int size, boolean lock, int op, long b, long aux) {
    int inFirst = (int) (CpuMemory.PAGE_SIZE - (la & CpuMemory.PAGE_SIZE - 1));
    if (inFirst >= size) {
      return updateDevice(c, la, size, op, b, aux);
    }
    for (int attempt = 1; ; attempt++) {
      long first = c.writableHost(la, inFirst);
      long firstPage = c.translatedGpa() >>> PAGE_NUMBER_SHIFT;
      long second = c.writableHost(la + inFirst, size - inFirst);
      long secondPage = c.translatedGpa() >>> PAGE_NUMBER_SHIFT;
      if (first == 0 || second == 0) {
        return updateDevice(c, la, size, op, b, aux);
      }
      boolean held = c.env.isWritable(firstPage) && c.env.isWritable(secondPage);
      if (held || attempt == ATTEMPTS) {
        return updatePages(first, inFirst, second, size, lock, op, b, aux);
      }
    }
  }

  private long updatePages(
      long first, int inFirst, long second, int size, boolean lock, int op, long b, long aux) {
    synchronized (this) {
      long old = 0;
      for (int k = 0; k < size; k++) {
        old |= (HostMemory.getByte(at(first, inFirst, second, k)) & 0xFFL) << 8 * k;
      }
      long v = MemoryUpdate.compute(op, old, b, aux);
      VarHandle.releaseFence();
      for (int k = 0; k < size; k++) {
        HostMemory.putByte(at(first, inFirst, second, k), (byte) (v >>> 8 * k));
      }
      if (lock) {
        VarHandle.fullFence();
      }
      return old;
    }
  }

  private static long at(long first, int inFirst, long second, int k) {
    return k < inFirst ? first + k : second + k - inFirst;
  }

  /** Device registers have side effects and an owner elsewhere: plain read, then write. */
  private static long updateDevice(Cpu c, long la, int size, int op, long b, long aux) {
    c.checkWritable(la, size);
    long old = c.load(la, size);
    c.store(la, size, MemoryUpdate.compute(op, old, b, aux));
    return old;
  }
}
