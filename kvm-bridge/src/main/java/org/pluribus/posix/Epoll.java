package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;

/**
 * Waits for several descriptors at once: {@code epoll(7)}, level-triggered.
 *
 * <p>Each descriptor is added with a token of the caller's choice, which the wait hands back.
 * {@link #await} and the accessors of its results belong to one thread and allocate nothing; {@link
 * #add} and {@link #remove} are for any thread.
 */
@Abi.Headers({"stddef.h", "sys/epoll.h"})
public final class Epoll implements AutoCloseable {
  /** There is something to read; sys/epoll.h:36. */
  @Abi("EPOLLIN")
  public static final int IN = 0x001;

  /** The descriptor has an error; always reported; sys/epoll.h:52. */
  @Abi("EPOLLERR")
  public static final int ERR = 0x008;

  /** The other side is gone; always reported; sys/epoll.h:54. */
  @Abi("EPOLLHUP")
  public static final int HUP = 0x010;

  /** Wait without limit. */
  public static final int FOREVER = -1;

  @Abi private static final int EPOLL_CLOEXEC = 02000000;
  @Abi private static final int EPOLL_CTL_ADD = 1;
  @Abi private static final int EPOLL_CTL_DEL = 2;

  /** struct epoll_event, packed on x86-64; sys/epoll.h:87. */
  @Abi("sizeof(struct epoll_event)")
  private static final int EVENT_BYTES = 12;

  @Abi("offsetof(struct epoll_event, events)")
  private static final int EVENT_EVENTS = 0;

  @Abi("offsetof(struct epoll_event, data)")
  private static final int EVENT_DATA = 4;

  private static final MethodHandle CREATE =
      CLibrary.bind("epoll_create1", CLibrary.status(JAVA_INT));
  private static final MethodHandle CONTROL =
      CLibrary.bind("epoll_ctl", CLibrary.status(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle WAIT =
      CLibrary.bind("epoll_wait", CLibrary.status(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT));

  private static final int TIMESPEC_BYTES = 16;
  private static final int TIMESPEC_NANOS = 8;
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final Descriptor epoll;
  private final int capacity;
  private final MemorySegment events;
  private final MemorySegment timeout = Arena.ofAuto().allocate(TIMESPEC_BYTES, Long.BYTES);
  private int count;

  private Epoll(int fd, int capacity) {
    this.epoll = Descriptor.owning(fd);
    this.capacity = capacity;
    this.events = Arena.ofAuto().allocate((long) capacity * EVENT_BYTES, Long.BYTES);
  }

  /**
   * Makes an empty set.
   *
   * @param capacity most descriptors that one wait reports, at least 1; others come next time
   * @throws PosixException EMFILE, ENFILE
   */
  public static Epoll create(int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("epoll for " + capacity + " results: at least 1");
    }
    try {
      int fd = (int) CREATE.invokeExact(CLibrary.capture(), EPOLL_CLOEXEC);
      if (fd < 0) {
        throw CLibrary.failure("epoll_create1", "");
      }
      return new Epoll(fd, capacity);
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /** The descriptor's number, -1 once closed. */
  public int fd() {
    return epoll.fd();
  }

  /**
   * Watches a descriptor.
   *
   * @param interest {@link #IN} and the like
   * @param token what {@link #token} hands back
   * @throws PosixException EEXIST if it is watched already, EBADF, EPERM for plain files
   */
  public void add(int fd, int interest, long token) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(EVENT_BYTES, Long.BYTES);
      event.set(JAVA_INT_UNALIGNED, EVENT_EVENTS, interest);
      event.set(JAVA_LONG_UNALIGNED, EVENT_DATA, token);
      control(EPOLL_CTL_ADD, fd, event.address());
    }
  }

  /**
   * Watches a descriptor no longer. Do it before closing the descriptor.
   *
   * @throws PosixException ENOENT if it is not watched, EBADF
   */
  public void remove(int fd) {
    control(EPOLL_CTL_DEL, fd, 0);
  }

  private void control(int operation, int fd, long event) {
    try {
      int result = (int) CONTROL.invokeExact(CLibrary.capture(), fd(), operation, fd, event);
      if (result < 0) {
        throw CLibrary.failure("epoll_ctl", "fd " + fd);
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /**
   * Waits until a descriptor is ready.
   *
   * @param timeoutMillis 0 to look only, {@link #FOREVER}
   * @return how many are ready; 0 after the timeout or a signal
   * @throws PosixException EBADF after close
   */
  public int await(int timeoutMillis) {
    MemorySegment capture = CLibrary.capture();
    count = 0;
    try {
      int result = (int) WAIT.invokeExact(capture, fd(), events.address(), capacity, timeoutMillis);
      if (result < 0 && CLibrary.errno(capture) != Errno.EINTR.number()) {
        throw CLibrary.failure("epoll_wait", "fd " + fd());
      }
      count = Math.max(result, 0);
      return count;
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /**
   * {@link #await} with a finer clock.
   *
   * @param nanos longest wait, not negative
   * @return how many are ready; 0 after the timeout or a signal
   */
  public int awaitNanos(long nanos) {
    timeout.set(JAVA_LONG, 0, nanos / NANOS_PER_SECOND);
    timeout.set(JAVA_LONG, TIMESPEC_NANOS, nanos % NANOS_PER_SECOND);
    count = 0;
    // No signal mask. Not by the C library: what takes its errno allocates (see SystemCall).
    long result =
        SystemCall.call(
            SystemCall.EPOLL_PWAIT2, fd(), events.address(), capacity, timeout.address(), 0);
    Reference.reachabilityFence(this);
    if (result < 0 && result != -Errno.EINTR.number()) {
      throw new PosixException("epoll_pwait2", "fd " + fd(), Errno.of((int) -result));
    }
    count = (int) Math.max(result, 0);
    return count;
  }

  /** Token of result {@code index} of the last wait. */
  public long token(int index) {
    return events.get(JAVA_LONG_UNALIGNED, at(index) + EVENT_DATA);
  }

  /** What result {@code index} is ready for: {@link #IN}, {@link #ERR}, {@link #HUP}. */
  public int ready(int index) {
    return events.get(JAVA_INT_UNALIGNED, at(index) + EVENT_EVENTS);
  }

  private long at(int index) {
    if (index < 0 || index >= count) {
      throw new IndexOutOfBoundsException("result " + index + " of " + count);
    }
    return (long) index * EVENT_BYTES;
  }

  @Override
  public void close() {
    epoll.close();
  }
}
