package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * An anonymous file that lives in memory ({@code memfd_create(2)}), of fixed size.
 *
 * <p>Guest RAM is one such file. It starts as a single hole: a page costs memory from its first
 * store, through whichever {@link Mapping}, until it is punched out. Safe for use by any thread;
 * {@link #close()} leaves existing mappings valid (the kernel keeps the file while it is mapped).
 */
@Abi.Headers({"linux/memfd.h", "linux/falloc.h", "sys/stat.h"})
public final class Memfd implements AutoCloseable {
  /** Close the descriptor in a child that executes another program; linux/memfd.h. */
  @Abi private static final int MFD_CLOEXEC = 0x0001;

  /** Do not change the file's size; linux/falloc.h. Required with a punched hole. */
  @Abi private static final int FALLOC_FL_KEEP_SIZE = 0x01;

  /** Deallocate the range, which then reads as zeros; linux/falloc.h. */
  @Abi private static final int FALLOC_FL_PUNCH_HOLE = 0x02;

  @Abi("sizeof(struct stat)")
  private static final int STAT_BYTES = 144;

  @Abi("offsetof(struct stat, st_blocks)")
  private static final int STAT_BLOCKS = 64;

  /** Unit of {@code st_blocks}; sys/stat.h, S_BLKSIZE. */
  @Abi("S_BLKSIZE")
  private static final int BLOCK_BYTES = 512;

  private static final MethodHandle MEMFD_CREATE =
      CLibrary.bind("memfd_create", CLibrary.status(ADDRESS, JAVA_INT));
  private static final MethodHandle FTRUNCATE =
      CLibrary.bind("ftruncate", CLibrary.status(JAVA_INT, JAVA_LONG));
  private static final MethodHandle FALLOCATE =
      CLibrary.bind("fallocate", CLibrary.status(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle CLOSE = CLibrary.bind("close", CLibrary.status(JAVA_INT));

  private final int fd;
  private final long size;
  private boolean closed;

  private Memfd(int fd, long size) {
    this.fd = fd;
    this.size = size;
  }

  /**
   * Makes a file of zeros.
   *
   * @param name shown in /proc/PID/maps as {@code /memfd:name}; need not be unique, at most 249
   *     bytes
   * @param size bytes, more than zero
   * @throws PosixException EINVAL for a name that is too long, EMFILE, ENFILE, ENOMEM, EFBIG
   */
  public static Memfd create(String name, long size) {
    if (size <= 0) {
      throw new IllegalArgumentException(
          "memfd '" + name + "' of " + size + " bytes: give it a size above zero");
    }
    int fd = open(name);
    try {
      int result = (int) FTRUNCATE.invokeExact(CLibrary.capture(), fd, size);
      if (result < 0) {
        PosixException failure = CLibrary.failure("ftruncate", name + ", " + size + " bytes");
        closeDescriptor(fd);
        throw failure;
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
    return new Memfd(fd, size);
  }

  private static int open(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cName = arena.allocateFrom(name);
      int fd = (int) MEMFD_CREATE.invokeExact(CLibrary.capture(), cName, MFD_CLOEXEC);
      if (fd < 0) {
        throw CLibrary.failure("memfd_create", name);
      }
      return fd;
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /** The file descriptor, for calls that take one. Still owned by this object. */
  public int fd() {
    return fd;
  }

  /** Size in bytes. */
  public long size() {
    return size;
  }

  /**
   * Gives a range back to the host: it reads as zeros afterwards, through every mapping, and costs
   * no memory ({@code fallocate(2)} with FALLOC_FL_PUNCH_HOLE).
   *
   * @param offset first byte in the file
   * @param length bytes, above zero; only whole pages inside the range give memory back, the rest
   *     is zeroed
   * @throws PosixException EINVAL for a negative or empty range, EBADF after close
   */
  public void punchHole(long offset, long length) {
    try {
      int result =
          (int)
              FALLOCATE.invokeExact(
                  CLibrary.capture(),
                  fd,
                  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  offset,
                  length);
      if (result < 0) {
        throw CLibrary.failure(
            "fallocate", "fd %d, punch hole, %d+%d bytes".formatted(fd, offset, length));
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /**
   * Memory that the file takes: its pages that are no holes. The kernel's own count ({@code
   * fstat(2)}, as {@code stat -L /proc/PID/fd/FD} shows it), whoever maps them.
   *
   * @return bytes
   * @throws PosixException EBADF after close
   */
  public long residentBytes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stat = arena.allocate(STAT_BYTES, Long.BYTES);
      long answer = SystemCall.call(SystemCall.FSTAT, fd, stat.address(), 0);
      if (answer < 0) {
        throw new PosixException("fstat", "fd " + fd, Errno.of((int) -answer));
      }
      return stat.get(JAVA_LONG, STAT_BLOCKS) * BLOCK_BYTES;
    }
  }

  /** Closes the descriptor; a second call does nothing. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      closeDescriptor(fd);
    }
  }

  private static void closeDescriptor(int fd) {
    try {
      int result = (int) CLOSE.invokeExact(CLibrary.capture(), fd);
      if (result < 0) {
        throw CLibrary.failure("close", "fd " + fd);
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }
}
