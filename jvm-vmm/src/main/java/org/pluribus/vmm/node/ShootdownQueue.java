package org.pluribus.vmm.node;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.emulator.Cpu;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * One vCPU's mailbox of shoot-downs, and whether that vCPU is running or quiet.
 *
 * <p>Producer: the holder of the duty token (one at a time). Consumer: the vCPU's thread. Each
 * entry is acknowledged exactly once: by the poster when it sees the vCPU quiet, else by the vCPU;
 * a compare-and-set on the entry decides when both try.
 *
 * <p>The two sides meet as in Dekker's algorithm: the poster publishes the entry, then looks
 * whether the vCPU is running; the vCPU says that it runs, then looks for entries. Both use
 * volatile access, so at least one sees the other.
 */
final class ShootdownQueue {
  /** More than a vCPU can have unserved while it runs; a quiet one that exceeds it flushes all. */
  static final int CAPACITY = 1024;

  private static final int MASK = CAPACITY - 1;
  private static final VarHandle RUNNING;
  private static final VarHandle TAIL;
  private static final VarHandle ACKED = MethodHandles.arrayElementVarHandle(int[].class);

  static {
    try {
      MethodHandles.Lookup l = MethodHandles.lookup();
      RUNNING = l.findVarHandle(ShootdownQueue.class, "running", boolean.class);
      TAIL = l.findVarHandle(ShootdownQueue.class, "tail", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final GuestRamLayout layout;
  private final long[] pages = new long[CAPACITY];
  private final boolean[] writeOnly = new boolean[CAPACITY];
  private final @Nullable Shootdown[] shootdowns = new Shootdown[CAPACITY];
  private final int[] acked = new int[CAPACITY];
  private boolean running;
  private long tail;
  private volatile long head;
  private volatile boolean flushAll;

  /** Entries up to here came before the last {@link #run}. */
  private long runTail;

  ShootdownQueue(GuestRamLayout layout) {
    this.layout = layout;
  }

  boolean isRunning() {
    return (boolean) RUNNING.getVolatile(this);
  }

  /**
   * The vCPU will use no host address until {@link #run}. It serves what was posted while it still
   * ran: nobody else would. vCPU thread.
   */
  void quiet(Cpu cpu, SoftMmuPageRights rights) {
    RUNNING.setVolatile(this, false);
    drain(cpu, rights);
  }

  /**
   * The vCPU counts as running from here on: before it uses a host address it calls {@link #drain}.
   * vCPU thread; or the token's holder for a vCPU that waits, so that what was just granted cannot
   * be taken away before it was used.
   */
  void run() {
    runTail = tail;
    RUNNING.setVolatile(this, true);
  }

  /**
   * Posts an entry. Token holder.
   *
   * @return true when this was the last acknowledgement the shoot-down waited for
   */
  boolean post(Shootdown s, boolean writeRightOnly) {
    long t = tail;
    if (t - head >= CAPACITY) {
      return postToFull(s, writeRightOnly);
    }
    int i = (int) t & MASK;
    pages[i] = s.page;
    writeOnly[i] = writeRightOnly;
    shootdowns[i] = s;
    ACKED.setVolatile(acked, i, 0);
    TAIL.setVolatile(this, t + 1);
    return !isRunning() && ACKED.compareAndSet(acked, i, 0, 1) && s.acknowledge();
  }

  /** Only a vCPU that has been quiet for long gets here; a running one drains at its next block. */
  private boolean postToFull(Shootdown s, boolean writeRightOnly) {
    while (true) {
      flushAll = true;
      if (!isRunning()) {
        return s.acknowledge();
      }
      if (tail - head < CAPACITY) {
        return post(s, writeRightOnly);
      }
      Thread.onSpinWait();
    }
  }

  boolean isEmpty() {
    return head == (long) TAIL.getVolatile(this) && !flushAll;
  }

  /**
   * Serves all entries; completed shoot-downs go to {@code rights}. vCPU thread, between accesses.
   */
  void drain(Cpu cpu, SoftMmuPageRights rights) {
    drainTo((long) TAIL.getVolatile(this), cpu, rights);
  }

  /**
   * Serves the entries from before {@link #run} only: what was granted then cannot have been taken
   * away by them, and what came later waits until it was used.
   */
  void drainOlder(Cpu cpu, SoftMmuPageRights rights) {
    drainTo(runTail, cpu, rights);
  }

  private void drainTo(long end, Cpu cpu, SoftMmuPageRights rights) {
    if (flushAll) {
      flushAll = false;
      cpu.flushTlb();
    }
    for (long h = head; h < end; h++) {
      int i = (int) h & MASK;
      cpu.dropPhysicalPage(layout.gpaOfPage(pages[i]) >>> 12, writeOnly[i]);
      Shootdown s = shootdowns[i];
      boolean mine = ACKED.compareAndSet(acked, i, 0, 1);
      head = h + 1;
      if (mine && s != null && s.acknowledge()) {
        rights.completed(s);
      }
    }
  }
}
