package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * How long a thread runs before the scheduler looks for another (linux/sched/types.h, {@code
 * sched_runtime} of an ordinary thread). From Linux 6.12 on, a thread that wakes up with a shorter
 * slice takes the core from one with a longer slice at once, instead of waiting for the next tick:
 * right for threads that sleep most of the time and whose work is short and waited for. Older
 * kernels take the request and ignore it. Needs no privilege.
 */
@Abi.Headers({"linux/sched.h", "linux/sched/types.h", "sys/syscall.h"})
public final class ThreadSlice {
  // struct sched_attr, first version; linux/sched/types.h:98.
  @Abi("SCHED_ATTR_SIZE_VER0")
  static final int ATTR_BYTES = 48;

  @Abi("offsetof(struct sched_attr, size)")
  static final int ATTR_SIZE = 0;

  @Abi("offsetof(struct sched_attr, sched_flags)")
  static final int ATTR_FLAGS = 8;

  @Abi("offsetof(struct sched_attr, sched_nice)")
  static final int ATTR_NICE = 16;

  @Abi("offsetof(struct sched_attr, sched_runtime)")
  static final int ATTR_RUNTIME = 24;

  /** {@code sched_flags}: the policy stays; linux/sched.h:131. */
  @Abi static final long SCHED_FLAG_KEEP_POLICY = 8;

  /** The calling thread, for the scheduler's calls. */
  private static final int SELF = 0;

  /** getpriority for a thread; sys/resource.h. */
  private static final int PRIO_PROCESS = 0;

  /** The system call answers this much less the niceness, so that no answer looks like an error. */
  private static final int NICE_BASE = 20;

  /** The most favourable niceness there is. */
  private static final int LEAST_NICE = -20;

  private ThreadSlice() {}

  /**
   * Asks for slices of this length for the calling thread; policy and niceness stay.
   *
   * @param nanos the kernel keeps it between 0.1 and 100 ms
   * @return 0, or minus errno: EINVAL for a real-time thread
   */
  public static int request(long nanos) {
    long priority = SystemCall.callShort(SystemCall.GETPRIORITY, PRIO_PROCESS, SELF, 0);
    if (priority < 0) {
      return (int) priority;
    }
    return request(nanos, NICE_BASE - (int) priority);
  }

  /**
   * Asks for slices of this length, and that no ordinary thread goes before the calling one: what
   * it does counts so little that it is hardly ever too early for its next turn. Needs CAP_SYS_NICE
   * or RLIMIT_NICE.
   *
   * @param nanos the kernel keeps it between 0.1 and 100 ms
   * @return 0, or minus errno: EPERM without the privilege, and then nothing has changed
   */
  public static int requestFirst(long nanos) {
    return request(nanos, LEAST_NICE);
  }

  private static int request(long nanos, int nice) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = arena.allocate(ATTR_BYTES, Long.BYTES);
      attr.set(JAVA_INT, ATTR_SIZE, ATTR_BYTES);
      attr.set(JAVA_LONG, ATTR_FLAGS, SCHED_FLAG_KEEP_POLICY);
      attr.set(JAVA_INT, ATTR_NICE, nice);
      attr.set(JAVA_LONG, ATTR_RUNTIME, nanos);
      return (int) SystemCall.call(SystemCall.SCHED_SETATTR, SELF, attr.address(), 0);
    }
  }
}
