package org.pluribus.vmm.node;

import java.util.Arrays;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.pluribus.posix.ThreadCpuClock;

/**
 * The page faults of one vCPU under KVM: the one it waits for, and the pages it got lately.
 *
 * <p>The kernel does not say when a vCPU has used a page that it waited for, yet two nodes that
 * want the same page would take it from each other for ever if nobody used it in between. What can
 * be seen is the processor time of the vCPU's thread: it stands still while the thread waits for
 * the page, for another one of the same instruction, or for a core. So the pages that it got stay
 * until the thread has run for some time without a fault, or the guest has made an exit that ends
 * an instruction: an instruction may need a dozen pages at once (code, operands, stack, and the
 * page tables of each), and while it collects them the first must not go before the last comes.
 *
 * <p>vCPUs of two nodes may collect the same pages in different orders, and each then has what the
 * other lacks. The one that got on more recently gives in: a vCPU keeps its pages for as long as it
 * has got nowhere.
 *
 * <p>Threads: the holder of the node's duty token.
 */
final class VcpuFaults {
  /** Pages remembered: an instruction needs fewer (code, operands, stack, page tables of each). */
  private static final int REMEMBERED = 16;

  private static final long NO_PAGE = -1;

  private final IntSupplier threadId;
  private final LongSupplier stepsNow;
  private final long[] pages = new long[REMEMBERED];

  /** By place in {@link #pages}: when the page goes in any case, {@link System#nanoTime}. */
  private final long[] limits = new long[REMEMBERED];

  private int next;

  /** Processor time and exits when the last page was given. */
  private long processorTime;

  private long steps;

  /** When the vCPU was last seen to have got on, {@link System#nanoTime}. */
  private long gotOnAt;

  private @Nullable ThreadCpuClock processor;
  private long pendingPage = NO_PAGE;
  private long pendingSince;

  /**
   * @param threadId the kernel's id of the vCPU's thread
   * @param steps see {@link KvmVcpu#steps}
   */
  VcpuFaults(IntSupplier threadId, LongSupplier steps) {
    this.threadId = threadId;
    this.stepsNow = steps;
    Arrays.fill(pages, NO_PAGE);
  }

  /** Whether it is this vCPU's thread that a fault's event names. */
  boolean isOf(int thread) {
    return threadId.getAsInt() == thread;
  }

  /** The vCPU waits for a page since {@code nowNanos}. */
  void began(long page, long nowNanos) {
    if (processor == null || processor.threadId() != threadId.getAsInt()) {
      processor = new ThreadCpuClock(threadId.getAsInt());
    }
    if (pendingPage != page) {
      pendingPage = page;
      pendingSince = nowNanos;
    }
  }

  boolean waitsFor(long page) {
    return pendingPage == page;
  }

  /** The vCPU need not wait any more; it retries its access. */
  void ended() {
    pendingPage = NO_PAGE;
  }

  /** The page the vCPU waits for is about to be mapped: its processor time stands still as yet. */
  void granting(long nowNanos, UseTime time) {
    ThreadCpuClock clock = processor;
    if (clock == null) {
      return;
    }
    int i = indexOf(pendingPage);
    if (i < 0) {
      i = next;
      next = (next + 1) % REMEMBERED;
    }
    pages[i] = pendingPage;
    long processorNow = clock.nanos();
    if (processorNow - processorTime >= time.useNanos() || stepsNow.getAsLong() != steps) {
      gotOnAt = nowNanos;
    }
    limits[i] = nowNanos + time.limitNanos(nowNanos - gotOnAt, processorNow);
    processorTime = processorNow;
    steps = stepsNow.getAsLong();
  }

  /**
   * The page was given to the vCPU.
   *
   * @return how long it waited, nanoseconds
   */
  long granted(long nowNanos) {
    pendingPage = NO_PAGE;
    return nowNanos - pendingSince;
  }

  /**
   * How long the page should stay for this vCPU's sake.
   *
   * @param time what counts as having used it
   * @return nanoseconds, 0 if it has used the page, or had time enough to
   */
  long needsLonger(long page, long nowNanos, UseTime time) {
    int i = indexOf(page);
    ThreadCpuClock clock = processor;
    if (i < 0 || clock == null) {
      return 0;
    }
    long had = clock.nanos() - processorTime;
    boolean over =
        had < 0
            || had >= time.useNanos()
            || stepsNow.getAsLong() != steps
            || nowNanos - limits[i] >= 0;
    if (over) {
      pages[i] = NO_PAGE;
      return 0;
    }
    // Not by the last bit: while the vCPU waits for the core that our look takes, it gets nowhere.
    return Math.max(time.useNanos() - had, time.useNanos() / 2);
  }

  private int indexOf(long page) {
    for (int i = 0; i < REMEMBERED; i++) {
      if (pages[i] == page) {
        return i;
      }
    }
    return -1;
  }
}
