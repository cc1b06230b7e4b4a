package org.pluribus.vmm.node;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.pluribus.posix.Errno;
import org.pluribus.posix.HostMemory;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;
import org.pluribus.uffd.UffdEvents;
import org.pluribus.uffd.UffdFeature;
import org.pluribus.uffd.UserfaultFd;

/**
 * Enforces rights in the host kernel's page tables. Guest RAM is one memfd mapped twice: the
 * <em>guest view</em>, which KVM gives to the guest and userfaultfd guards, and the <em>alias</em>,
 * through which Java and the network read and write the same bytes. A page the guest lacks is not
 * mapped in the guest view, a shared one is mapped write-protected, so an access beyond the rights
 * stops the vCPU in the kernel and raises an event here.
 *
 * <p>No Java thread ever touches the guest view: it would wait inside the JVM for itself.
 *
 * <p>Each transition is complete when its system call returns, so nothing here is told later. The
 * orders (bytes before rights; rights gone before the bytes are sent) are those of {@link
 * org.pluribus.coherence.CacheEffects}.
 */
final class UffdPageRights implements PageRights {
  private static final long NO_PAGE = -1;

  private static final byte NONE = 0;
  private static final byte SHARED = 1;
  private static final byte EXCLUSIVE = 2;

  private static final int PAGE_SHIFT = 12;
  private static final long PAGE = 1L << PAGE_SHIFT;

  /** Events taken at once: more than a node has vCPUs, as a rule. */
  private static final int EVENTS = 64;

  /** Tries of an ioctl that the kernel answers with EAGAIN while the address space changes. */
  private static final int ATTEMPTS = 1000;

  /** Longest fault latency told apart from "longer": one minute, in nanoseconds. */
  private static final long MAX_LATENCY_NANOS = 60_000_000_000L;

  private final Mapping alias;
  private final Mapping view;
  private final UserfaultFd uffd;
  private final UffdEvents events = new UffdEvents(EVENTS);
  private final byte[] rights;
  private final UseTime useTime;
  private final LongSupplier machineNanos;
  private final VcpuFaults.Rights sufficing = this::suffices;
  private VcpuFaults[] vcpus = {};
  private Readahead[] readaheads = {};

  /** The vCPU for which pages are asked for ahead right now. */
  private @Nullable VcpuFaults readsAhead;

  private final Histogram latency = new Histogram(MAX_LATENCY_NANOS, 3);
  private final Histogram installing = new Histogram(MAX_LATENCY_NANOS, 3);

  /** The page granted next, if nobody has ever had it. */
  private long freshPage = NO_PAGE;

  /** What the last look at a page saw: a look whose value nobody keeps is compiled to nothing. */
  private byte seen;

  private FaultLog log = FaultLog.OFF;
  private volatile boolean ended;

  /**
   * @param alias the RAM image as Java sees it
   * @param useTime processor time that a vCPU gets to use a page it waited for
   * @param machineNanos the clock that all nodes share
   * @throws org.pluribus.posix.PosixException without permission for userfaultfd
   * @throws UnsupportedOperationException on a kernel that lacks a feature
   */
  UffdPageRights(Memfd ram, Mapping alias, UseTime useTime, LongSupplier machineNanos) {
    this.alias = alias;
    this.machineNanos = machineNanos;
    this.useTime = useTime;
    int pages = Math.toIntExact(ram.size() >>> PAGE_SHIFT);
    rights = new byte[pages];
    uffd =
        UserfaultFd.open(
            EnumSet.of(
                UffdFeature.MISSING_SHMEM,
                UffdFeature.MINOR_SHMEM,
                UffdFeature.PAGEFAULT_FLAG_WP,
                UffdFeature.THREAD_ID,
                UffdFeature.WP_HUGETLBFS_SHMEM));
    view = Mapping.of(ram);
    view.advise(Mapping.Advice.NOHUGEPAGE, 0, view.length());
    view.advise(Mapping.Advice.DONTFORK, 0, view.length());
    view.advise(Mapping.Advice.DONTDUMP, 0, view.length());
    // Without MISSING, a hole in the file would be filled silently, and writable.
    uffd.register(
        view.address(),
        view.length(),
        UserfaultFd.REGISTER_MISSING | UserfaultFd.REGISTER_MINOR | UserfaultFd.REGISTER_WP);
  }

  /** Host address of the guest view, for KVM's memory regions and nothing else. */
  long viewAddress() {
    return view.address();
  }

  /** Before the machine starts: where times of the guest's faults go. */
  void faultLog(FaultLog faultLog) {
    log = faultLog;
  }

  /** Adds a vCPU whose faults come here. Before the machine starts. */
  void add(KvmVcpu vcpu) {
    vcpus = Arrays.copyOf(vcpus, vcpus.length + 1);
    vcpus[vcpus.length - 1] = new VcpuFaults(vcpu, useTime);
    readaheads = Arrays.copyOf(readaheads, vcpus.length);
    readaheads[vcpus.length - 1] = new Readahead(rights.length);
  }

  /** Becomes readable when the guest faults. */
  int fd() {
    return uffd.fd();
  }

  // ---- faults

  /**
   * Takes the faults that wait, without waiting for any. The fault thread.
   *
   * @return their number
   */
  int takeFaults() {
    return UserfaultFd.check(uffd.read(events), "read", "userfaultfd");
  }

  /** Page of the RAM image that a fault taken last is about. */
  long faultPage(int index) {
    return events.address(index) - view.address() >>> PAGE_SHIFT;
  }

  /** Whether that fault is a write. */
  boolean faultWrites(int index) {
    return events.isWrite(index) || events.isWriteProtect(index);
  }

  /** A fault taken last is about to be served. Token holder. */
  void began(int index, long nowNanos) {
    int thread = events.threadId(index);
    for (VcpuFaults v : vcpus) {
      if (v.isOf(thread)) {
        v.began(faultPage(index), faultWrites(index), nowNanos, machineNanos.getAsLong());
      }
    }
  }

  /** That fault's request is on its way; names what should be fetched along. Token holder. */
  void companions(int index, VcpuFaults.Fetch fetch) {
    int thread = events.threadId(index);
    for (int i = 0; i < vcpus.length; i++) {
      if (vcpus[i].isOf(thread)) {
        vcpus[i].companions(sufficing, fetch);
        readsAhead = vcpus[i];
        readaheads[i].missed(faultPage(index), faultWrites(index), sufficing, fetch);
        readsAhead = null;
      }
    }
  }

  /**
   * A fault for which the rights suffice: they came while it was under way, or the kernel has taken
   * the page out of the view by itself. Makes the view agree and the guest retry. Token holder.
   */
  void repair(long page) {
    for (VcpuFaults v : vcpus) {
      if (v.waitsFor(page)) {
        v.ended();
      }
    }
    map(page);
  }

  /** Times from a fault's event to the guest going on, nanoseconds. */
  Histogram latency() {
    return latency;
  }

  /** Times of the system calls that give a page to the guest, nanoseconds. */
  Histogram installing() {
    return installing;
  }

  // ---- rights

  @Override
  public boolean suffices(long page, boolean write) {
    return rights[(int) page] >= (write ? EXCLUSIVE : SHARED);
  }

  @Override
  public void fresh(long page) {
    freshPage = page;
  }

  @Override
  public void grantShared(long page) {
    rights[(int) page] = SHARED;
    long start = granting(page);
    map(page);
    granted(page, start);
  }

  @Override
  public void grantExclusive(long page) {
    boolean upgrade = rights[(int) page] == SHARED;
    rights[(int) page] = EXCLUSIVE;
    long start = granting(page);
    if (upgrade) {
      protect(page, 0);
    } else {
      map(page);
    }
    granted(page, start);
  }

  /** Before the guest can go on with the page; returns the time. */
  private long granting(long page) {
    long now = System.nanoTime();
    for (VcpuFaults v : vcpus) {
      if (v.wants(page)) {
        v.granting(page, page == freshPage, now);
      }
    }
    freshPage = NO_PAGE;
    return now;
  }

  private void granted(long page, long start) {
    long now = System.nanoTime();
    installing.recordValue(Math.min(now - start, MAX_LATENCY_NANOS));
    for (VcpuFaults v : vcpus) {
      if (v.waitsFor(page)) {
        long nanos = Math.min(v.granted(now), MAX_LATENCY_NANOS);
        latency.recordValue(nanos);
      }
    }
  }

  @Override
  public long waitingSince(long page) {
    VcpuFaults ahead = readsAhead;
    long first = ahead == null ? Long.MAX_VALUE : ahead.stalledSince();
    for (VcpuFaults v : vcpus) {
      if (v.wants(page)) {
        first = Math.min(first, v.stalledSince());
      }
    }
    return first;
  }

  @Override
  public long holdLonger(long page, long since, boolean firstOfEqual, long nowNanos) {
    long longest = 0;
    for (VcpuFaults v : vcpus) {
      longest = Math.max(longest, v.needsLonger(page, nowNanos, since, firstOfEqual));
    }
    return longest;
  }

  /** Maps the page with the rights there are, and wakes who waits for it. */
  private void map(long page) {
    long address = view.address() + (page << PAGE_SHIFT);
    boolean shared = rights[(int) page] == SHARED;
    // The file must have the page: a look through the alias fills a hole with zeros.
    seen = HostMemory.getByte(alias.address() + (page << PAGE_SHIFT));
    // A woken vCPU may take this thread's core before the call returns: to tell what is installing
    // from what is resuming, the two need a call each.
    boolean apart = log.isOn();
    long mode = (shared ? UserfaultFd.MAP_WP : 0) | (apart ? UserfaultFd.DONTWAKE : 0);
    int answer = 0;
    for (int i = 0; i < ATTEMPTS && !ended; i++) {
      answer = uffd.continueRange(address, PAGE, mode);
      if (answer == -Errno.EEXIST.number()) {
        if (!shared) {
          protect(page, 0);
        } else {
          answer = uffd.wake(address, PAGE);
          require(answer, "UFFDIO_WAKE", page);
        }
        return;
      }
      if (answer != -Errno.EAGAIN.number()) {
        break;
      }
    }
    require(answer, "UFFDIO_CONTINUE", page);
    if (apart) {
      log.installed(page);
      require(uffd.wake(address, PAGE), "UFFDIO_WAKE", page);
    }
  }

  private void protect(long page, long mode) {
    long address = view.address() + (page << PAGE_SHIFT);
    int answer = 0;
    for (int i = 0; i < ATTEMPTS && !ended; i++) {
      answer = uffd.writeProtect(address, PAGE, mode);
      if (answer != -Errno.EAGAIN.number()) {
        break;
      }
    }
    require(answer, "UFFDIO_WRITEPROTECT", page);
  }

  private void require(int answer, String call, long page) {
    if (answer < 0 && !ended) {
      UserfaultFd.check(answer, call, "page " + page);
    }
  }

  @Override
  public boolean downgrade(long page) {
    rights[(int) page] = SHARED;
    protect(page, UserfaultFd.WP_PROTECT);
    return true;
  }

  @Override
  public boolean revoke(long page) {
    rights[(int) page] = NONE;
    int answer = -Errno.EAGAIN.number();
    for (int i = 0; i < ATTEMPTS && answer == -Errno.EAGAIN.number(); i++) {
      answer = view.drop(page << PAGE_SHIFT, PAGE);
    }
    if (answer < 0) { // only then is there something to tell, which takes objects
      UserfaultFd.check(answer, "madvise(MADV_DONTNEED)", "page " + page);
    }
    return true;
  }

  @Override
  public void changed(long page) {
    // The processor keeps its instruction cache coherent itself.
  }

  @Override
  public int poll(Completions to) {
    return 0;
  }

  /**
   * Ends the guard, which frees every vCPU that waits for a page. What the guest reads from now on
   * may be stale, so its vCPUs must have been told to leave before. Any thread.
   */
  synchronized void end() {
    if (!ended) {
      ended = true;
      uffd.unregister(view.address(), view.length());
    }
  }

  /** Unmaps the guest view; KVM does not use it any more. */
  void close() {
    end();
    uffd.close();
    view.close();
  }
}
