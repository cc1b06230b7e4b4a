package org.pluribus.vmm.emulator;

import java.lang.invoke.VarHandle;
import org.pluribus.posix.HostMemory;

/**
 * Read-modify-write of bytes that no single host instruction reaches: across two guest pages, or in
 * device registers.
 *
 * <p>With LOCK it is atomic to everybody, as on a CPU that locks the bus for it (SDM volume 3,
 * section 9.1.2): the other CPUs of the node are stopped by {@link CpuEnvironment#lockBus}, and
 * other nodes have no valid copy of either page. A node gives a page away only after each of its
 * CPUs has agreed, which a CPU does in its page methods and at safepoints, never between the check
 * that both pages are ours and the end of the update.
 */
final class SplitLock {
  /**
   * Attempts to hold both pages at once: each one is a fetch from another node and a pause, so this
   * many mean minutes of losing one page while fetching the other.
   */
  private static final int ATTEMPTS = 10_000;

  private static final long PAGE_NUMBER_SHIFT = 12;

  private SplitLock() {}

  /**
   * As {@link MemoryUpdate#at}, for operands {@link CpuMemory#hostForWrite} gives no address of.
   */
  static long update(Cpu c, long la, int size, boolean lock, int op, long b, long aux) {
    int inFirst = (int) (CpuMemory.PAGE_SIZE - (la & CpuMemory.PAGE_SIZE - 1));
    if (inFirst >= size) {
      return updateDevice(c, la, size, op, b, aux);
    }
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      long first = c.writableHost(la, inFirst);
      long firstPage = c.translatedGpa() >>> PAGE_NUMBER_SHIFT;
      long second = c.writableHost(la + inFirst, size - inFirst);
      long secondPage = c.translatedGpa() >>> PAGE_NUMBER_SHIFT;
      if (first == 0 || second == 0) {
        return updateDevice(c, la, size, op, b, aux);
      }
      if (!c.env.isWritable(firstPage) || !c.env.isWritable(secondPage)) {
        c.env.backOff(c, attempt); // fetching the second page has cost us the first
        continue;
      }
      if (!lock) {
        return updatePages(c, first, inFirst, second, size, op, b, aux);
      }
      c.env.lockBus(c);
      try {
        // Another CPU may have decoded from these bytes while we waited for it to stop.
        c.throwOutBlocks(firstPage, (int) la & 0xFFF, inFirst);
        c.throwOutBlocks(secondPage, 0, size - inFirst);
        return updatePages(c, first, inFirst, second, size, op, b, aux);
      } finally {
        c.env.unlockBus(c);
      }
    }
    throw new IllegalStateException(
        "the pages of the operand at "
            + Long.toHexString(la)
            + " do not stay here together; raise the hold time");
  }

  private static long updatePages(
      Cpu c, long first, int inFirst, long second, int size, int op, long b, long aux) {
    long old = 0;
    for (int k = 0; k < size; k++) {
      old |= (HostMemory.getByte(at(first, inFirst, second, k)) & 0xFFL) << 8 * k;
    }
    long v = MemoryUpdate.compute(op, old, b, aux);
    VarHandle.releaseFence();
    for (int k = 0; k < size; k++) {
      HostMemory.putByte(at(first, inFirst, second, k), (byte) (v >>> 8 * k));
    }
    c.codeWriter.end();
    return old;
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
