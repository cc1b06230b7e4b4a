package org.pluribus.posix;

import java.io.Serializable;

/**
 * Error numbers of Linux system calls that a VMM meets, with what usually cures each.
 *
 * <p>Numbers: {@code include/uapi/asm-generic/errno-base.h} and {@code errno.h} (Linux).
 *
 * @param number the value of {@code errno}
 * @param name its C name, or {@code errno N} if this table has no row for it
 * @param cure what the operator can do about it
 */
public record Errno(int number, String name, String cure) implements Serializable {
  public static final Errno EPERM =
      new Errno(1, "EPERM", "the caller lacks a privilege; run as root or grant the capability");
  public static final Errno ENOENT =
      new Errno(2, "ENOENT", "the file or device does not exist; load its kernel module");
  public static final Errno ESRCH =
      new Errno(3, "ESRCH", "the thread or process has ended, or nothing is registered there");
  public static final Errno EINTR =
      new Errno(4, "EINTR", "a signal interrupted the call; repeat it");
  public static final Errno EIO = new Errno(5, "EIO", "the device failed; see the kernel log");
  public static final Errno EBADF =
      new Errno(9, "EBADF", "the file descriptor is closed or was never open");
  public static final Errno E2BIG =
      new Errno(7, "E2BIG", "the list does not fit; give it more room or fewer entries");
  public static final Errno ENXIO =
      new Errno(6, "ENXIO", "the device does not have this attribute");
  public static final Errno EAGAIN =
      new Errno(
          11, "EAGAIN", "nothing is ready, or a limit is reached; try again or raise ulimit -l");
  public static final Errno ENOMEM =
      new Errno(
          12,
          "ENOMEM",
          "not enough memory or too many mappings (or an unmapped range); give the VM less memory,"
              + " or raise ulimit -v or vm.max_map_count");
  public static final Errno EACCES =
      new Errno(13, "EACCES", "permission denied; check the file's mode and the caller's groups");
  public static final Errno EFAULT =
      new Errno(14, "EFAULT", "an address passed to the kernel is not mapped");
  public static final Errno EBUSY =
      new Errno(16, "EBUSY", "somebody else uses the resource; free it");
  public static final Errno EEXIST = new Errno(17, "EEXIST", "it exists already");
  public static final Errno ENODEV =
      new Errno(19, "ENODEV", "the device is missing or cannot be mapped");
  public static final Errno EINVAL =
      new Errno(
          22,
          "EINVAL",
          "an argument is out of range or not page-aligned, or this kernel is too old for the request");
  public static final Errno EMFILE =
      new Errno(24, "EMFILE", "too many open files in this process; raise ulimit -n");
  public static final Errno ENFILE =
      new Errno(23, "ENFILE", "too many open files on this host; raise fs.file-max");
  public static final Errno ENOTTY =
      new Errno(25, "ENOTTY", "the file does not know this ioctl; is it the right device?");
  public static final Errno EFBIG =
      new Errno(27, "EFBIG", "the size is larger than a file may be; ask for less");
  public static final Errno ENOSPC =
      new Errno(28, "ENOSPC", "no space is left; free memory or raise the limit of /dev/shm");
  public static final Errno ENOSYS =
      new Errno(38, "ENOSYS", "this kernel or sandbox lacks the system call; use a newer kernel");
  public static final Errno EOPNOTSUPP =
      new Errno(95, "EOPNOTSUPP", "the file does not support the operation");

  private static final Errno[] KNOWN = {
    EPERM,
    ENOENT,
    ESRCH,
    EINTR,
    EIO,
    ENXIO,
    E2BIG,
    EBADF,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    EBUSY,
    EEXIST,
    ENODEV,
    EINVAL,
    EMFILE,
    ENFILE,
    ENOTTY,
    EFBIG,
    ENOSPC,
    ENOSYS,
    EOPNOTSUPP
  };

  /** The row for a number; a number without one gets a row that shows the number. */
  public static Errno of(int number) {
    for (Errno known : KNOWN) {
      if (known.number == number) {
        return known;
      }
    }
    return new Errno(number, "errno " + number, "see the manual page of the call");
  }
}
