package org.pluribus.uffd;

/** Features of userfaultfd; linux/userfaultfd.h:224, UFFD_FEATURE_ bits. */
public enum UffdFeature {
  /** Write-protect faults are told (anonymous memory). */
  PAGEFAULT_FLAG_WP(0, "5.7"),
  /** Told when the process forks. */
  EVENT_FORK(1, "4.11"),
  /** Told when a range is moved. */
  EVENT_REMAP(2, "4.11"),
  /** Told when pages are given back. */
  EVENT_REMOVE(3, "4.11"),
  /** Missing pages of huge page files. */
  MISSING_HUGETLBFS(4, "4.11"),
  /** Missing pages of shared memory. */
  MISSING_SHMEM(5, "4.11"),
  /** Told when a range is unmapped. */
  EVENT_UNMAP(6, "4.11"),
  /** Faults raise SIGBUS instead of an event. */
  SIGBUS(7, "4.14"),
  /** Events carry the thread's id. */
  THREAD_ID(8, "4.14"),
  /** Minor faults of huge page files. */
  MINOR_HUGETLBFS(9, "5.13"),
  /** Minor faults of shared memory: the page is in the file, this mapping lacks it. */
  MINOR_SHMEM(10, "5.14"),
  /** Events carry the exact address, not the page's. */
  EXACT_ADDRESS(11, "5.18"),
  /** Write protection of shared memory. */
  WP_HUGETLBFS_SHMEM(12, "5.19"),
  /** Unpopulated pages can be write-protected. */
  WP_UNPOPULATED(13, "6.4"),
  /** Pages can be poisoned. */
  POISON(14, "6.6"),
  /** Write protection without events. */
  WP_ASYNC(15, "6.7"),
  /** Pages can be moved. */
  MOVE(16, "6.8");

  private final int bit;
  private final String since;

  UffdFeature(int bit, String since) {
    this.bit = bit;
    this.since = since;
  }

  /** The UFFD_FEATURE_ value. */
  public long mask() {
    return 1L << bit;
  }

  /** First Linux version that has it. */
  public String since() {
    return since;
  }
}
