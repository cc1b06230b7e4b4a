package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/**
 * The processor time that one thread of this process has had so far, guest time of a vCPU included
 * (pthread_getcpuclockid(3)). It stands still while the thread sleeps or waits for a core, which is
 * what tells a thread that has done something from one that merely could have.
 *
 * <p>For one reading thread at a time. Allocates nothing after its constructor.
 */
@Abi.Headers({"time.h", "sys/syscall.h"})
public final class ThreadCpuClock {
  /** struct timespec; bits/types/struct_timespec.h. */
  @Abi("sizeof(struct timespec)")
  static final int TIMESPEC_BYTES = 16;

  @Abi("offsetof(struct timespec, tv_nsec)")
  static final int TIMESPEC_NANOS = 8;

  /**
   * Low bits of the number of a thread's clock: CPUCLOCK_PERTHREAD_MASK and CPUCLOCK_SCHED
   * (linux/posix-timers_types.h); above them is the complement of the thread's id.
   */
  private static final int PER_THREAD_SCHED = 4 | 2;

  private static final int CLOCK_ID_SHIFT = 3;
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final int threadId;
  private final int clockId;
  private final MemorySegment timespec = Arena.ofAuto().allocate(TIMESPEC_BYTES, Long.BYTES);

  /**
   * @param threadId the kernel's id of a thread of this process, see {@link ThreadKick#enlist}
   */
  public ThreadCpuClock(int threadId) {
    if (threadId <= 0) {
      throw new IllegalArgumentException("thread id " + threadId + " must be positive");
    }
    this.threadId = threadId;
    this.clockId = ~threadId << CLOCK_ID_SHIFT | PER_THREAD_SCHED;
  }

  /** The thread's kernel id. */
  public int threadId() {
    return threadId;
  }

  /**
   * The time so far, nanoseconds.
   *
   * @return minus errno if there is no such thread (any more): EINVAL
   */
  public long nanos() {
    long answer = SystemCall.callShort(SystemCall.CLOCK_GETTIME, clockId, timespec.address(), 0);
    if (answer < 0) {
      return answer;
    }
    long nanos =
        timespec.get(JAVA_LONG, 0) * NANOS_PER_SECOND + timespec.get(JAVA_LONG, TIMESPEC_NANOS);
    Reference.reachabilityFence(timespec);
    return nanos;
  }
}
