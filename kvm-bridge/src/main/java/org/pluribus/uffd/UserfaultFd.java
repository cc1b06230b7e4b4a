package org.pluribus.uffd;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.EnumSet;
import java.util.Set;
import org.pluribus.posix.Abi;
import org.pluribus.posix.Descriptor;
import org.pluribus.posix.Errno;
import org.pluribus.posix.PosixException;
import org.pluribus.posix.SystemCall;

/**
 * Page faults of a range of this process's memory, handled here: {@code userfaultfd(2)}.
 *
 * <p>A thread that touches a guarded page sleeps in the kernel until somebody resolves the fault.
 * So a Java thread must never touch one: asleep inside the access it would hold up every safepoint,
 * and with it the thread that ought to resolve the fault.
 *
 * <p>The calls that resolve faults answer with numbers, since some refusals belong to normal
 * operation: 0 for success, minus errno else ({@link Errno} has the numbers). They never sleep and
 * allocate nothing. {@link #check} turns an answer into an exception. Safe for any thread; but the
 * caller must see to it that one thread at a time decides about a page.
 */
@Abi.Headers({"linux/userfaultfd.h"})
public final class UserfaultFd implements AutoCloseable {
  /** The device that gives userfaultfds to whoever may open it (Linux 6.1 and later). */
  public static final String DEVICE = "/dev/userfaultfd";

  /** {@link #register}: faults on pages that the file lacks; UFFDIO_REGISTER_MODE_ bits. */
  @Abi("UFFDIO_REGISTER_MODE_MISSING")
  public static final long REGISTER_MISSING = 1;

  /** {@link #register}: stores to write-protected pages. */
  @Abi("UFFDIO_REGISTER_MODE_WP")
  public static final long REGISTER_WP = 2;

  /** {@link #register}: faults on pages that the file has and this mapping lacks. */
  @Abi("UFFDIO_REGISTER_MODE_MINOR")
  public static final long REGISTER_MINOR = 4;

  /** {@link #continueRange}, {@link #copy}, {@link #zeropage}, {@link #poison}: wake nobody. */
  @Abi("UFFDIO_CONTINUE_MODE_DONTWAKE")
  public static final long DONTWAKE = 1;

  /** {@link #continueRange} (Linux 6.4 and later), {@link #copy}: map write-protected. */
  @Abi("UFFDIO_COPY_MODE_WP")
  public static final long MAP_WP = UffdAbi.UFFDIO_CONTINUE_MODE_WP;

  /** {@link #writeProtect}: protect; without it, unprotect. */
  @Abi("UFFDIO_WRITEPROTECT_MODE_WP")
  public static final long WP_PROTECT = 1;

  /** {@link #writeProtect}: unprotect, but wake nobody. */
  @Abi("UFFDIO_WRITEPROTECT_MODE_DONTWAKE")
  public static final long WP_DONTWAKE = 2;

  private static final int SCRATCH_BYTES = 64;

  /** Each thread's memory for an ioctl's struct. */
  private static final ThreadLocal<MemorySegment> SCRATCH =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(SCRATCH_BYTES, Long.BYTES));

  private final Descriptor uffd;
  private final Set<UffdFeature> features;

  private UserfaultFd(Descriptor uffd, Set<UffdFeature> features) {
    this.uffd = uffd;
    this.features = features;
  }

  /**
   * Opens a userfaultfd with the features asked for.
   *
   * @throws PosixException EACCES or EPERM without permission
   * @throws UnsupportedOperationException naming the features that this kernel lacks
   */
  public static UserfaultFd open(Set<UffdFeature> required) {
    Set<UffdFeature> lacking = EnumSet.noneOf(UffdFeature.class);
    lacking.addAll(required);
    lacking.removeAll(offered());
    if (!lacking.isEmpty()) {
      throw new UnsupportedOperationException(lackingText(lacking));
    }
    Descriptor fd = open();
    try {
      handshake(fd, required);
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
    return new UserfaultFd(fd, Set.copyOf(required));
  }

  static String lackingText(Set<UffdFeature> lacking) {
    StringBuilder text = new StringBuilder("this kernel's userfaultfd lacks");
    String separator = " ";
    for (UffdFeature feature : lacking) {
      text.append(separator).append(feature).append(" (Linux ").append(feature.since()).append(')');
      separator = ", ";
    }
    return text.append("; use a newer kernel").toString();
  }

  /**
   * The features this kernel has.
   *
   * @throws PosixException EACCES or EPERM without permission
   */
  public static Set<UffdFeature> offered() {
    try (Descriptor fd = open()) {
      long mask = handshake(fd, Set.of());
      EnumSet<UffdFeature> offered = EnumSet.noneOf(UffdFeature.class);
      for (UffdFeature feature : UffdFeature.values()) {
        if ((mask & feature.mask()) != 0) {
          offered.add(feature);
        }
      }
      return offered;
    }
  }

  private static long handshake(Descriptor fd, Set<UffdFeature> wanted) {
    MemorySegment api = SCRATCH.get().fill((byte) 0);
    api.set(JAVA_LONG, 0, UffdAbi.UFFD_API);
    api.set(
        JAVA_LONG,
        UffdAbi.API_FEATURES,
        wanted.stream().mapToLong(UffdFeature::mask).reduce(0, (a, b) -> a | b));
    int answer = UffdIoctl.UFFDIO_API.call(fd.fd(), api.address());
    if (answer < 0) {
      throw UffdIoctl.UFFDIO_API.failure(-answer, wanted.toString());
    }
    return api.get(JAVA_LONG, UffdAbi.API_FEATURES);
  }

  /** Through the device if there is one, else by the system call. Never blocks on read. */
  private static Descriptor open() {
    int flags = Descriptor.O_CLOEXEC | Descriptor.O_NONBLOCK;
    int device = Descriptor.tryOpen(DEVICE, Descriptor.O_RDWR | Descriptor.O_CLOEXEC);
    if (device >= 0) {
      try (Descriptor opened = Descriptor.owning(device)) {
        int fd = UffdIoctl.USERFAULTFD_IOC_NEW.call(opened.fd(), flags);
        if (fd < 0) {
          throw UffdIoctl.USERFAULTFD_IOC_NEW.failure(-fd, DEVICE);
        }
        return Descriptor.owning(fd);
      }
    }
    int fd = (int) SystemCall.call(SystemCall.USERFAULTFD, flags, 0, 0);
    if (fd < 0) {
      Errno errno = Errno.of(-fd);
      throw new PosixException(
          "userfaultfd", DEVICE + ": " + Errno.of(-device).name(), errno, openCure(errno));
    }
    return Descriptor.owning(fd);
  }

  private static String openCure(Errno errno) {
    if (errno.equals(Errno.EPERM) || errno.equals(Errno.EACCES)) {
      return "grant access to %s (chgrp kvm, chmod 660), or sysctl vm.unprivileged_userfaultfd=1, or run as root"
          .formatted(DEVICE);
    }
    if (errno.equals(Errno.ENOSYS)) {
      return "this kernel or sandbox has no userfaultfd; use one with CONFIG_USERFAULTFD, or in a"
          + " container --device "
          + DEVICE;
    }
    return errno.cure();
  }

  /** The descriptor's number, for {@link org.pluribus.posix.Epoll}; -1 once closed. */
  public int fd() {
    return uffd.fd();
  }

  /** The features it was opened with. */
  public Set<UffdFeature> features() {
    return features;
  }

  /**
   * Guards a range.
   *
   * @param address multiple of 4096
   * @param bytes multiple of 4096
   * @param modes REGISTER_ bits
   * @return which ioctls the kernel allows on the range: bit n for _UFFDIO_ number n
   * @throws PosixException EINVAL, EBUSY if another userfaultfd guards it, ENOMEM
   */
  public long register(long address, long bytes, long modes) {
    MemorySegment struct = range(address, bytes);
    struct.set(JAVA_LONG, UffdAbi.REGISTER_MODE, modes);
    struct.set(JAVA_LONG, UffdAbi.REGISTER_IOCTLS, 0);
    int answer = UffdIoctl.UFFDIO_REGISTER.call(fd(), struct.address());
    if (answer < 0) {
      throw UffdIoctl.UFFDIO_REGISTER.failure(-answer, text(address, bytes) + ", modes " + modes);
    }
    return struct.get(JAVA_LONG, UffdAbi.REGISTER_IOCTLS);
  }

  /** Stops guarding a range and wakes who waits there. */
  public void unregister(long address, long bytes) {
    int answer = UffdIoctl.UFFDIO_UNREGISTER.call(fd(), range(address, bytes).address());
    if (answer < 0) {
      throw UffdIoctl.UFFDIO_UNREGISTER.failure(-answer, text(address, bytes));
    }
  }

  /**
   * Maps pages that the file has ({@code UFFDIO_CONTINUE}) and wakes who waits for them.
   *
   * @param mode {@link #DONTWAKE}, {@link #MAP_WP}
   * @return 0, or minus errno: EEXIST if a page is mapped already (nobody is woken then), EFAULT if
   *     the file lacks it, EAGAIN if the address space is changing (retry), ENOENT if the range is
   *     not mapped, ESRCH if the process ends
   */
  public int continueRange(long address, long bytes, long mode) {
    MemorySegment struct = range(address, bytes);
    struct.set(JAVA_LONG, UffdAbi.CONTINUE_MODE, mode);
    struct.set(JAVA_LONG, UffdAbi.CONTINUE_MAPPED, 0);
    return UffdIoctl.UFFDIO_CONTINUE.callShort(fd(), struct.address());
  }

  /**
   * Write-protects mapped pages, or ends that and wakes who waits ({@code UFFDIO_WRITEPROTECT}).
   * Pages that are not mapped are passed over, with answer 0.
   *
   * @param mode {@link #WP_PROTECT}, or 0 to unprotect, or {@link #WP_DONTWAKE} with the latter
   * @return 0, or minus errno: EAGAIN (retry), ENOENT if the range is not registered for it
   */
  public int writeProtect(long address, long bytes, long mode) {
    MemorySegment struct = range(address, bytes);
    struct.set(JAVA_LONG, UffdAbi.WRITEPROTECT_MODE, mode);
    return UffdIoctl.UFFDIO_WRITEPROTECT.callShort(fd(), struct.address());
  }

  /** Wakes who waits for a range, without changing it. @return 0, or minus errno */
  public int wake(long address, long bytes) {
    return UffdIoctl.UFFDIO_WAKE.callShort(fd(), range(address, bytes).address());
  }

  /**
   * Allocates missing pages with the bytes given, maps them and wakes ({@code UFFDIO_COPY}).
   *
   * @param mode {@link #DONTWAKE}, {@link #MAP_WP}
   * @return 0, or minus errno: EEXIST if a page is there already, EAGAIN (retry), ENOSPC...
   */
  public int copy(long address, long source, long bytes, long mode) {
    MemorySegment struct = SCRATCH.get().fill((byte) 0);
    struct.set(JAVA_LONG, 0, address);
    struct.set(JAVA_LONG, UffdAbi.COPY_SOURCE, source);
    struct.set(JAVA_LONG, UffdAbi.COPY_LENGTH, bytes);
    struct.set(JAVA_LONG, UffdAbi.COPY_MODE, mode);
    return UffdIoctl.UFFDIO_COPY.call(fd(), struct.address());
  }

  /**
   * Allocates missing pages as zeros, maps them and wakes ({@code UFFDIO_ZEROPAGE}).
   *
   * @param mode {@link #DONTWAKE}
   * @return 0, or minus errno: EEXIST, EAGAIN, EINVAL on memory that has no zero page
   */
  public int zeropage(long address, long bytes, long mode) {
    MemorySegment struct = range(address, bytes);
    struct.set(JAVA_LONG, UffdAbi.ZEROPAGE_MODE, mode);
    return UffdIoctl.UFFDIO_ZEROPAGE.call(fd(), struct.address());
  }

  /**
   * Makes every later touch of the pages raise SIGBUS, and wakes who waits. Needs {@link
   * UffdFeature#POISON}; {@code Mapping.drop} ends it.
   *
   * <p>Not for pages that a vCPU of this process may touch: KVM then sends SIGBUS to the vCPU's
   * thread, which ends the JVM.
   *
   * @param mode {@link #DONTWAKE}
   * @return 0, or minus errno: EEXIST, EAGAIN, EINVAL
   */
  public int poison(long address, long bytes, long mode) {
    MemorySegment struct = range(address, bytes);
    struct.set(JAVA_LONG, UffdAbi.POISON_MODE, mode);
    return UffdIoctl.UFFDIO_POISON.call(fd(), struct.address());
  }

  /**
   * Takes what events there are. Never waits: poll {@link #fd()} for that.
   *
   * @return how many {@code into} now holds, 0 if none, or minus errno
   */
  public int read(UffdEvents into) {
    long bytes = SystemCall.callShort(SystemCall.READ, fd(), into.address(), into.byteSize());
    Reference.reachabilityFence(into);
    into.count(0);
    if (bytes < 0) {
      return bytes == -Errno.EAGAIN.number() ? 0 : (int) bytes;
    }
    into.count((int) (bytes / UffdAbi.MESSAGE_BYTES));
    return into.count();
  }

  /**
   * Passes an answer of the calls above on if it is 0 or more, else throws what it says.
   *
   * @param call the ioctl's C name
   * @param detail what was asked for
   */
  public static int check(int answer, String call, String detail) {
    if (answer >= 0) {
      return answer;
    }
    for (UffdIoctl ioctl : UffdIoctl.values()) {
      if (ioctl.name().equals(call)) {
        throw ioctl.failure(-answer, detail);
      }
    }
    throw new PosixException(call, detail, Errno.of(-answer));
  }

  private static MemorySegment range(long address, long bytes) {
    MemorySegment struct = SCRATCH.get();
    struct.set(JAVA_LONG, 0, address);
    struct.set(JAVA_LONG, UffdAbi.RANGE_LENGTH, bytes);
    return struct;
  }

  private static String text(long address, long bytes) {
    return "0x%x, %d bytes".formatted(address, bytes);
  }

  /** Closes it: guarded ranges are free again and whoever waits goes on. */
  @Override
  public void close() {
    uffd.close();
  }
}
