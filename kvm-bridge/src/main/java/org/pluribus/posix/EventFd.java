package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;

/**
 * A counter with a descriptor, to wake whoever polls it: {@code eventfd(2)}. Never blocks and
 * allocates nothing; wait with {@link Epoll}. Safe for any thread.
 */
@Abi.Headers({"sys/eventfd.h"})
public final class EventFd implements AutoCloseable {
  /** Close it in a child that executes another program; bits/eventfd.h:28. */
  @Abi private static final int EFD_CLOEXEC = 02000000;

  /** Reads and writes never wait; bits/eventfd.h:30. */
  @Abi private static final int EFD_NONBLOCK = 04000;

  private static final MethodHandle EVENTFD =
      CLibrary.bind("eventfd", CLibrary.status(JAVA_INT, JAVA_INT));

  /** Each thread's memory for the number that goes to or comes from the kernel. */
  private static final ThreadLocal<MemorySegment> NUMBER =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(JAVA_LONG));

  private final Descriptor event;

  private EventFd(int fd) {
    event = Descriptor.owning(fd);
  }

  /**
   * Makes one with count zero.
   *
   * @throws PosixException EMFILE, ENFILE
   */
  public static EventFd create() {
    try {
      int fd = (int) EVENTFD.invokeExact(CLibrary.capture(), 0, EFD_CLOEXEC | EFD_NONBLOCK);
      if (fd < 0) {
        throw CLibrary.failure("eventfd", "0");
      }
      return new EventFd(fd);
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /** The descriptor's number, -1 once closed. */
  public int fd() {
    return event.fd();
  }

  /**
   * Adds one: whoever polls wakes.
   *
   * @throws PosixException EBADF after close
   */
  public void signal() {
    MemorySegment number = NUMBER.get();
    number.set(JAVA_LONG, 0, 1);
    transfer(SystemCall.WRITE, "write", number);
  }

  /**
   * Takes the count and sets it to zero.
   *
   * @return how often {@link #signal()} was called since, 0 if never
   * @throws PosixException EBADF after close
   */
  public long drain() {
    MemorySegment number = NUMBER.get();
    return transfer(SystemCall.READ, "read", number) ? number.get(JAVA_LONG, 0) : 0;
  }

  /** Whether the number went over; not if the count is zero (read) or full (write). */
  private boolean transfer(int call, String name, MemorySegment number) {
    long answer = SystemCall.callShort(call, fd(), number.address(), Long.BYTES);
    Reference.reachabilityFence(number);
    if (answer < 0 && answer != -Errno.EAGAIN.number()) {
      throw new PosixException(name, "eventfd " + fd(), Errno.of((int) -answer));
    }
    return answer >= 0;
  }

  @Override
  public void close() {
    event.close();
  }
}
