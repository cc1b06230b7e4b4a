package org.pluribus.vmm.node;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.pluribus.posix.ThreadCpuClock;

/**
 * The page faults of one vCPU under KVM: the one it waits for, and the pages it got lately.
 *
 * <p>The kernel does not say when a vCPU has used a page that it waited for, yet two nodes that
 * want the same page would take it from each other for ever if nobody used it in between. What can
 * be seen is the processor time of the vCPU's thread: it stands still while the thread waits for
 * the page, for another one of the same instruction, or for a core. So the pages that it got stay
 * until the thread has run for some time without a fault, or the guest waits for an interrupt or a
 * device: an instruction may need a dozen pages at once (code, operands, stack, and the page tables
 * of each), and while it collects them the first must not go before the last comes.
 *
 * <p>A vCPU that spins, for a lock or for another CPU's answer, uses processor time and gets
 * nowhere, and who could end that may wait for its pages. So when others want them it is looked at
 * now and then, and what it spins for counts as a pause.
 *
 * <p>vCPUs of two nodes may collect the same pages in different orders, and each then has what the
 * other lacks. Then the one that has got nowhere for longer keeps its pages and gets the other's:
 * requests say since when their vCPU waits, on a clock that all nodes share, so there is one
 * winner, and whoever has got on goes behind all others.
 *
 * <p>Pages that a vCPU collected for one instruction and lost again it will need together again (on
 * AMD's processors every walk of the guest's page tables is a write to them, so two busy vCPUs take
 * all tables of the kernel from each other): when one of them is missing, its companions are
 * fetched along.
 *
 * <p>Threads: the holder of the node's duty token.
 */
final class VcpuFaults {
  /** The vCPU whose faults these are. */
  interface Vcpu {
    /** The kernel's id of its thread; 0 before it ran. Any thread. */
    int threadId();

    /** See {@link KvmVcpu#pauses}. */
    long pauses();

    /** Has it counted as a pause if it merely waits for another CPU. Any thread. */
    void lookWhetherItSpins();
  }

  /** Takes pages that should be fetched. */
  interface Fetch {
    /**
     * A page that the vCPU will want, and whether it will write it.
     *
     * @return whether it is on its way now
     */
    boolean page(long page, boolean write);
  }

  /** Says what the node may do with a page. */
  interface Rights {
    /** See {@link PageRights#suffices}. */
    boolean suffices(long page, boolean write);
  }

  /** Pages remembered: an instruction needs fewer (code, operands, stack, page tables of each). */
  private static final int REMEMBERED = 32;

  /**
   * Whoever waited for so many pages since it was last seen to get on probably goes through memory,
   * and others need not wait any longer. One that does need more for an instruction has the first
   * of them fetched along the next time.
   */
  private static final int MOST_FAULTS = 24;

  /** Who had to collect so many pages gets more time before he has to collect them again. */
  private static final int MANY_COLLECTED = 6;

  /** Fewer missing companions than this are not worth a guess. */
  private static final int MIN_COMPANIONS = 3;

  /** A page that was fetched along so often, without a fault of its own, has to prove itself. */
  private static final int MAX_UNPROVEN = 16;

  /** So many waits for one page, and for no other in between, are no chance any more. */
  private static final int BOUNCES = 4;

  private static final long NO_PAGE = -1;

  private final Vcpu vcpu;
  private final UseTime time;

  /** The pages remembered; what is known of each is at the same place of the next five. */
  private final long[] pages = new long[REMEMBERED];

  private final boolean[] writes = new boolean[REMEMBERED];

  /** The stall in which the page was last collected. */
  private final int[] stalls = new int[REMEMBERED];

  /** How often it was fetched along since the vCPU last waited for it. */
  private final int[] unproven = new int[REMEMBERED];

  /** It is being fetched along. */
  private final boolean[] expected = new boolean[REMEMBERED];

  /** It came in this stall and is still here. */
  private final boolean[] kept = new boolean[REMEMBERED];

  /** Number of the time since the vCPU last got on. */
  private int stall;

  /** When the vCPU's first fault was since it last got on, machine's clock. */
  private long stalledSince;

  /** Pages it got since then, and those of them that it waited for. */
  private int collected;

  private int faults;

  /** Processor time and pauses when the last page was given that the vCPU waited for. */
  private long processorTime;

  private long pauses;

  /** Processor time after which to look whether it spins. */
  private long nextLook;

  /** When its pages go in any case, {@link System#nanoTime}. */
  private long patienceEnds;

  /** The page it waited for last, and how often without waiting for another in between. */
  private long bouncing = NO_PAGE;

  private int bounces;

  private @Nullable ThreadCpuClock processor;
  private long pendingPage = NO_PAGE;
  private boolean pendingWrite;
  private long pendingSince;

  /**
   * @param vcpu whose faults these are
   * @param time what counts as having used a page
   */
  VcpuFaults(Vcpu vcpu, UseTime time) {
    this.vcpu = vcpu;
    this.time = time;
    Arrays.fill(pages, NO_PAGE);
  }

  /** Whether it is this vCPU's thread that a fault's event names. */
  boolean isOf(int thread) {
    return vcpu.threadId() == thread;
  }

  /**
   * The vCPU waits for a page.
   *
   * @param nowNanos since when, {@link System#nanoTime}
   * @param machineNanos the same on the machine's clock
   */
  void began(long page, boolean write, long nowNanos, long machineNanos) {
    ThreadCpuClock clock = processor;
    if (clock == null || clock.threadId() != vcpu.threadId()) {
      clock = new ThreadCpuClock(vcpu.threadId());
      processor = clock;
    }
    pendingWrite = write;
    if (pendingPage == page) {
      return;
    }
    pendingPage = page;
    pendingSince = nowNanos;
    bounces = page == bouncing ? bounces + 1 : 0;
    bouncing = page;
    long had = clock.nanos() - processorTime;
    boolean paused = stall == 0 || vcpu.pauses() != pauses;
    if (!paused) {
      time.between(had);
    }
    if (paused || had >= use() || faults >= MOST_FAULTS) {
      stall++;
      stalledSince = machineNanos;
      collected = 0;
      faults = 0;
      Arrays.fill(kept, false);
    }
  }

  /**
   * Names what the vCPU had to collect together with the page that it waits for now, and lacks.
   * Call after {@link #began} and the page's own request.
   */
  void companions(Rights rights, Fetch fetch) {
    int first = indexOf(pendingPage);
    if (first < 0) {
      return;
    }
    // Collected in this very stall, it went to one who waited longer, and the others with it.
    int together = stalls[first];
    int missing = 0;
    for (int i = 0; i < REMEMBERED; i++) {
      if (isCompanion(i, together) && !expected[i] && !rights.suffices(pages[i], writes[i])) {
        missing++;
      }
    }
    for (int i = 0; i < REMEMBERED; i++) {
      if (!isCompanion(i, together)) {
        continue;
      }
      stalls[i] = stall;
      if (missing < MIN_COMPANIONS || expected[i] || rights.suffices(pages[i], writes[i])) {
        continue;
      }
      if (++unproven[i] > MAX_UNPROVEN) {
        pages[i] = NO_PAGE;
        continue;
      }
      expected[i] = true; // before it is asked for: the request says for whom
      if (!fetch.page(pages[i], writes[i])) {
        expected[i] = false;
      }
    }
  }

  private boolean isCompanion(int i, int together) {
    return stalls[i] == together && pages[i] != NO_PAGE && pages[i] != pendingPage;
  }

  boolean waitsFor(long page) {
    return pendingPage == page;
  }

  /** Whether a request for the page is this vCPU's: it waits for it, or has it fetched along. */
  boolean wants(long page) {
    if (pendingPage == page) {
      return true;
    }
    int i = indexOf(page);
    return i >= 0 && expected[i];
  }

  /** When the vCPU's first fault was since it last got on, machine's clock. */
  long stalledSince() {
    return stalledSince;
  }

  /** The vCPU need not wait any more; it retries its access. */
  void ended() {
    pendingPage = NO_PAGE;
  }

  /**
   * A page that the vCPU {@linkplain #wants} is about to be mapped. If it waits for it, its
   * processor time stands still as yet.
   *
   * @param fresh whether nobody has ever had it: nobody competes for it, so it says nothing about
   *     whether the vCPU gets on
   */
  void granting(long page, boolean fresh, long nowNanos) {
    ThreadCpuClock clock = processor;
    if (clock == null || fresh) {
      return;
    }
    int i = indexOf(page);
    if (page == pendingPage) {
      i = i < 0 ? oldest() : i;
      pages[i] = page;
      writes[i] = pendingWrite;
      unproven[i] = 0;
      processorTime = clock.nanos();
      nextLook = time.useNanos(false) / 2;
      pauses = vcpu.pauses();
      faults++;
    } else if (i < 0) {
      return;
    }
    expected[i] = false;
    stalls[i] = stall;
    kept[i] = true;
    collected++;
    patienceEnds = nowNanos + time.limitNanos(processorTime);
  }

  private int oldest() {
    int oldest = 0;
    for (int i = 0; i < REMEMBERED; i++) {
      if (pages[i] == NO_PAGE) {
        return i;
      }
      if (stalls[i] - stalls[oldest] < 0) {
        oldest = i;
      }
    }
    return oldest;
  }

  /**
   * The page was given to the vCPU.
   *
   * @return how long it waited, nanoseconds
   */
  long granted(long nowNanos) {
    pendingPage = NO_PAGE;
    long waited = nowNanos - pendingSince;
    if (bounces > 0) {
      time.waited(waited); // else somebody's first touch may be among them, which nobody sent
    }
    return waited;
  }

  /**
   * How long a page that another node wants should stay for this vCPU's sake.
   *
   * @param since since when the other gets nowhere, machine's clock
   * @param firstOfEqual whether the other goes first if this vCPU waits for exactly as long
   * @return nanoseconds, 0 if it has used the page, or had time enough to, or the other waits
   *     longer
   */
  long needsLonger(long page, long nowNanos, long since, boolean firstOfEqual) {
    int i = indexOf(page);
    ThreadCpuClock clock = processor;
    if (i < 0 || !kept[i] || clock == null) {
      return 0;
    }
    long had = clock.nanos() - processorTime;
    long use = page == bouncing && bounces >= BOUNCES ? Math.max(use(), time.bounceNanos()) : use();
    boolean over =
        had < 0
            || had >= use
            || vcpu.pauses() != pauses
            || since < stalledSince
            || (since == stalledSince && firstOfEqual)
            || nowNanos - patienceEnds >= 0;
    if (over) {
      kept[i] = false;
      return 0;
    }
    long look = nextLook;
    if (had >= look) {
      nextLook = 2 * had;
      vcpu.lookWhetherItSpins();
    }
    // Not by the last bit: while the vCPU waits for the core that our turn takes, it gets nowhere.
    return Math.max(Math.min(use, nextLook) - had, look / 2);
  }

  /** Processor time that counts as having used the pages. */
  private long use() {
    return time.useNanos(collected >= MANY_COLLECTED);
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
