package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A range of this process's address space made by {@code mmap(2)}, until {@link #close()}.
 *
 * <p>Any thread may use it. Whoever closes it vouches that nobody touches it afterwards: the {@link
 * #segment()} and the raw {@link #address()} are not guarded, a late access ends the JVM with
 * SIGSEGV (or, worse, hits whatever was mapped there since).
 */
@Abi.Headers({"sys/mman.h"})
public final class Mapping implements AutoCloseable {
  /** Size of a page on x86-64, bytes; {@code arch/x86/include/asm/page_types.h}. */
  public static final long PAGE_BYTES = 4096;

  /** Pages may be read; asm-generic/mman-common.h, as all PROT_ values. */
  @Abi public static final int PROT_READ = 0x1;

  /** Pages may be written. */
  @Abi public static final int PROT_WRITE = 0x2;

  /** Pages may be executed. */
  @Abi public static final int PROT_EXEC = 0x4;

  /** Stores reach the file and every other mapping of it; linux/mman.h. */
  @Abi private static final int MAP_SHARED = 0x01;

  /** Stores stay in this mapping; linux/mman.h. */
  @Abi private static final int MAP_PRIVATE = 0x02;

  /** No file behind it; asm-generic/mman-common.h. */
  @Abi private static final int MAP_ANONYMOUS = 0x20;

  /** Do not reserve swap for it: guest RAM is sparse; asm-generic/mman.h. */
  @Abi private static final int MAP_NORESERVE = 0x4000;

  /**
   * How many bytes {@link #drop} may drop without the JVM's thread-state transition: 64 pages take
   * some 8 microseconds.
   */
  private static final long SHORT_DROP_BYTES = 64 * PAGE_BYTES;

  /** What {@code mmap} returns on failure; bits/mman-shared.h of the C library. */
  @Abi("(long)MAP_FAILED")
  private static final long MAP_FAILED = -1;

  /** What {@link #advise} can ask of the kernel; values from asm-generic/mman-common.h. */
  public enum Advice {
    /** Drop the pages of this mapping; a shared file keeps its bytes. */
    DONTNEED(4),
    /** Punch a hole in the file behind a shared mapping: the bytes are gone everywhere. */
    REMOVE(9),
    /** Do not copy this range into a forked child. */
    DONTFORK(10),
    /** Use transparent huge pages here. */
    HUGEPAGE(14),
    /** Never use transparent huge pages here. */
    NOHUGEPAGE(15),
    /** Leave this range out of core dumps. */
    DONTDUMP(16),
    /** Map every page for reading now (Linux 5.14 and later). */
    POPULATE_READ(22),
    /** Map every page for writing now, allocating holes (Linux 5.14 and later). */
    POPULATE_WRITE(23);

    private final int value;

    Advice(int value) {
      this.value = value;
    }

    /** The MADV_ value. */
    int value() {
      return value;
    }
  }

  private static final MethodHandle MMAP =
      CLibrary.bind(
          "mmap",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MUNMAP =
      CLibrary.bind("munmap", CLibrary.status(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle MADVISE =
      CLibrary.bind("madvise", CLibrary.status(JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final MethodHandle MLOCK =
      CLibrary.bind("mlock", CLibrary.status(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle MUNLOCK =
      CLibrary.bind("munlock", CLibrary.status(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle MPROTECT =
      CLibrary.bind("mprotect", CLibrary.status(JAVA_LONG, JAVA_LONG, JAVA_INT));

  private final long address;
  private final long length;
  private final MemorySegment segment;
  private boolean closed;

  private Mapping(long address, long length) {
    this.address = address;
    this.length = length;
    // Safe: the kernel has just given us exactly these bytes, and nobody else unmaps them.
    this.segment = MemorySegment.ofAddress(address).reinterpret(length);
  }

  /** Maps all of a file, shared, for reading and writing. */
  public static Mapping of(Memfd file) {
    return shared(file.fd(), 0, file.size(), PROT_READ | PROT_WRITE);
  }

  /**
   * Maps a range of a file, shared.
   *
   * @param fd an open descriptor; may be closed afterwards
   * @param offset in the file, a multiple of {@link #PAGE_BYTES}
   * @param length bytes, above zero
   * @param protection PROT_ values
   * @throws PosixException EBADF, EACCES, EINVAL, ENOMEM
   */
  public static Mapping shared(int fd, long offset, long length, int protection) {
    return map(fd, offset, length, protection, MAP_SHARED | MAP_NORESERVE);
  }

  /**
   * Maps fresh zeros without a file, private to this process.
   *
   * @param length bytes, above zero
   * @throws PosixException EINVAL, ENOMEM
   */
  public static Mapping anonymous(long length, int protection) {
    return map(-1, 0, length, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  }

  private static Mapping map(int fd, long offset, long length, int protection, int flags) {
    try {
      long address =
          (long) MMAP.invokeExact(CLibrary.capture(), 0L, length, protection, flags, fd, offset);
      if (address == MAP_FAILED) {
        throw CLibrary.failure("mmap", "fd %d, %d+%d bytes".formatted(fd, offset, length));
      }
      return new Mapping(address, length);
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /** First byte's address in this process. */
  public long address() {
    return address;
  }

  /** Length in bytes, as asked for. */
  public long length() {
    return length;
  }

  /** The mapped bytes. Valid until {@link #close()}, which it does not notice. */
  public MemorySegment segment() {
    return segment;
  }

  /**
   * Tells the kernel something about a range ({@code madvise(2)}).
   *
   * @param offset in this mapping, a multiple of {@link #PAGE_BYTES}
   * @param bytes length; the kernel rounds it up to whole pages
   * @throws IndexOutOfBoundsException if the range leaves this mapping
   * @throws PosixException EINVAL, ENOMEM, EACCES
   */
  public void advise(Advice advice, long offset, long bytes) {
    checkRange(offset, bytes);
    try {
      int result =
          (int) MADVISE.invokeExact(CLibrary.capture(), address + offset, bytes, advice.value);
      if (result < 0) {
        throw CLibrary.failure("madvise", range(offset, bytes) + ", " + advice);
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /**
   * Drops this mapping's pages of a range: {@link Advice#DONTNEED} for hot paths. The bytes stay in
   * a shared file, where other mappings see them. When the call is back, no CPU and no guest uses
   * the pages through this mapping any more. Allocates nothing.
   *
   * @param offset in this mapping, a multiple of {@link #PAGE_BYTES}; not checked, as the length
   * @return 0, or minus errno: EAGAIN (retry), EINVAL for locked pages, ENOMEM
   */
  public int drop(long offset, long bytes) {
    long at = address + offset;
    int advice = Advice.DONTNEED.value;
    return (int)
        (bytes <= SHORT_DROP_BYTES
            ? SystemCall.callShort(SystemCall.MADVISE, at, bytes, advice)
            : SystemCall.call(SystemCall.MADVISE, at, bytes, advice));
  }

  /**
   * Allocates all pages of a range and keeps them in memory ({@code mlock(2)}). Never for a range
   * that userfaultfd guards: the call would wait for its own faults.
   *
   * @throws IndexOutOfBoundsException if the range leaves this mapping
   * @throws PosixException ENOMEM or EPERM above the limit {@code ulimit -l}, EAGAIN
   */
  public void lock(long offset, long bytes) {
    checkRange(offset, bytes);
    call(MLOCK, "mlock", offset, bytes);
  }

  /** Lets the kernel reclaim a range again. */
  public void unlock(long offset, long bytes) {
    checkRange(offset, bytes);
    call(MUNLOCK, "munlock", offset, bytes);
  }

  private void call(MethodHandle handle, String name, long offset, long bytes) {
    try {
      int result = (int) handle.invokeExact(CLibrary.capture(), address + offset, bytes);
      if (result < 0) {
        Errno errno = Errno.of(CLibrary.errno());
        throw new PosixException(name, range(offset, bytes), errno, lockCure(errno));
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  private static String lockCure(Errno errno) {
    return errno.equals(Errno.EPERM) || errno.equals(Errno.ENOMEM) || errno.equals(Errno.EAGAIN)
        ? "the limit of locked memory is too low, or memory is short; raise ulimit -l (memlock in"
            + " /etc/security/limits.conf, LimitMEMLOCK= of a service)"
        : errno.cure();
  }

  /**
   * Changes what a range allows ({@code mprotect(2)}). A Java access that the new protection
   * forbids ends the JVM.
   *
   * @throws IndexOutOfBoundsException if the range leaves this mapping
   * @throws PosixException EACCES, EINVAL, ENOMEM
   */
  public void protect(long offset, long bytes, int protection) {
    checkRange(offset, bytes);
    try {
      int result =
          (int) MPROTECT.invokeExact(CLibrary.capture(), address + offset, bytes, protection);
      if (result < 0) {
        throw CLibrary.failure("mprotect", range(offset, bytes) + ", PROT " + protection);
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  private synchronized void checkRange(long offset, long bytes) {
    if (closed) {
      throw new IllegalStateException("mapping " + this + " is closed");
    }
    if (offset < 0 || bytes < 0 || offset > length - bytes) {
      throw new IndexOutOfBoundsException(
          "range %d+%d leaves a mapping of %d bytes".formatted(offset, bytes, length));
    }
  }

  private String range(long offset, long bytes) {
    return "0x%x, %d bytes".formatted(address + offset, bytes);
  }

  /** Unmaps the range; a second call does nothing. Nobody may touch it from now on. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      int result = (int) MUNMAP.invokeExact(CLibrary.capture(), address, length);
      if (result < 0) {
        throw CLibrary.failure("munmap", range(0, length));
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  @Override
  public String toString() {
    return "[0x%x, 0x%x)".formatted(address, address + length);
  }
}
