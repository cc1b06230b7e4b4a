package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;

/**
 * An open file descriptor that somebody owns.
 *
 * <p>After {@link #close()} the number is -1, so a late call fails with EBADF instead of hitting
 * whatever file got the number since. Safe for any thread; whoever closes it while another thread
 * is inside a call on it takes that race on himself.
 */
@Abi.Headers({"fcntl.h"})
public final class Descriptor implements AutoCloseable {
  /** Open for reading and writing; asm-generic/fcntl.h:22. */
  @Abi public static final int O_RDWR = 2;

  /** Calls return EAGAIN instead of waiting; asm-generic/fcntl.h:44. */
  @Abi public static final int O_NONBLOCK = 04000;

  /** Close it in a child that executes another program; asm-generic/fcntl.h:63. */
  @Abi public static final int O_CLOEXEC = 02000000;

  /** What a closed descriptor answers; no open file has it. */
  private static final int CLOSED = -1;

  private static final MethodHandle OPEN =
      CLibrary.bindVariadic(
          "open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT), 2);
  private static final MethodHandle CLOSE = CLibrary.bind("close", CLibrary.status(JAVA_INT));

  private volatile int fd;

  private Descriptor(int fd) {
    this.fd = fd;
  }

  /** Takes a descriptor over; from now on this object closes it. */
  public static Descriptor owning(int fd) {
    return new Descriptor(fd);
  }

  /**
   * Opens a file or device.
   *
   * @param flags O_ values
   * @throws PosixException ENOENT, EACCES, ENODEV, EMFILE...
   */
  public static Descriptor open(String path, int flags) {
    int fd = tryOpen(path, flags);
    if (fd < 0) {
      throw new PosixException("open", path, Errno.of(-fd));
    }
    return new Descriptor(fd);
  }

  /** Like {@link #open}, for callers that know a better cure: a descriptor, or minus errno. */
  public static int tryOpen(String path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      int fd = (int) OPEN.invokeExact(CLibrary.capture(), arena.allocateFrom(path), flags, 0);
      return fd < 0 ? -CLibrary.errno() : fd;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /** The number for system calls, or -1 once closed. */
  public int fd() {
    return fd;
  }

  /** Whether {@link #close()} has not been called yet. */
  public boolean isOpen() {
    return fd != CLOSED;
  }

  /** Closes it; a second call does nothing. */
  @Override
  public synchronized void close() {
    int open = fd;
    if (open == CLOSED) {
      return;
    }
    fd = CLOSED;
    try {
      int result = (int) CLOSE.invokeExact(CLibrary.capture(), open);
      if (result < 0) {
        throw CLibrary.failure("close", "fd " + open);
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  @Override
  public String toString() {
    return "fd " + fd;
  }
}
