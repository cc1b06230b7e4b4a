package org.pluribus.uffd;

import org.pluribus.posix.Errno;
import org.pluribus.posix.Ioctl;
import org.pluribus.posix.PosixException;

/**
 * The ioctls of userfaultfd; linux/userfaultfd.h:17 and 61-91. The constants bear their C names.
 */
enum UffdIoctl {
  USERFAULTFD_IOC_NEW(Ioctl.none(UffdAbi.USERFAULTFD_IOC, 0x00)),
  UFFDIO_API(Ioctl.readWrite(UffdAbi.UFFD_API, 0x3F, UffdAbi.API_BYTES)),
  UFFDIO_REGISTER(Ioctl.readWrite(UffdAbi.UFFD_API, 0x00, UffdAbi.REGISTER_BYTES)),
  UFFDIO_UNREGISTER(Ioctl.read(UffdAbi.UFFD_API, 0x01, UffdAbi.RANGE_BYTES)),
  UFFDIO_WAKE(Ioctl.read(UffdAbi.UFFD_API, 0x02, UffdAbi.RANGE_BYTES)),
  UFFDIO_COPY(Ioctl.readWrite(UffdAbi.UFFD_API, 0x03, UffdAbi.COPY_BYTES)),
  UFFDIO_ZEROPAGE(Ioctl.readWrite(UffdAbi.UFFD_API, 0x04, UffdAbi.ZEROPAGE_BYTES)),
  UFFDIO_WRITEPROTECT(Ioctl.readWrite(UffdAbi.UFFD_API, 0x06, UffdAbi.WRITEPROTECT_BYTES)),
  UFFDIO_CONTINUE(Ioctl.readWrite(UffdAbi.UFFD_API, 0x07, UffdAbi.CONTINUE_BYTES)),
  /** Linux 6.6 and later. */
  UFFDIO_POISON(Ioctl.readWrite(UffdAbi.UFFD_API, 0x08, UffdAbi.POISON_BYTES));

  private final long request;

  UffdIoctl(long request) {
    this.request = request;
  }

  /** The request number. */
  long request() {
    return request;
  }

  int call(int fd, long argument) {
    return Ioctl.call(fd, request, argument);
  }

  int callShort(int fd, long argument) {
    return Ioctl.callShort(fd, request, argument);
  }

  /** The exception for an errno of this ioctl. */
  PosixException failure(int errno, String detail) {
    Errno e = Errno.of(errno);
    return new PosixException(name(), detail, e, cure(e));
  }

  private String cure(Errno errno) {
    if (errno.equals(Errno.EBADF)) {
      return "the userfaultfd is closed; do not use it any more";
    }
    return switch (this) {
      case UFFDIO_API -> "the kernel lacks a feature or the handshake was done already";
      case UFFDIO_REGISTER ->
          errno.equals(Errno.EBUSY)
              ? "another userfaultfd guards the range; unregister it there first"
              : "the range must be page-aligned and mapped, shared memory or anonymous, and the"
                  + " kernel know every mode for it";
      case UFFDIO_CONTINUE, UFFDIO_WRITEPROTECT, UFFDIO_COPY, UFFDIO_ZEROPAGE, UFFDIO_POISON ->
          errno.equals(Errno.EINVAL)
              ? "the range must be page-aligned, registered in a mode that allows this, and the"
                  + " kernel know the mode bits (MODE_WP of CONTINUE: Linux 6.4)"
              : errno.cure();
      default -> errno.cure();
    };
  }
}
