package org.pluribus.posix;

/** A system call failed. The message names the call, what it was for, the errno and the cure. */
public final class PosixException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final Errno errno;
  private final String cure;

  public PosixException(String call, String detail, Errno errno) {
    this(call, detail, errno, errno.cure());
  }

  /**
   * With a cure that fits the call better than the errno's general one.
   *
   * @param call the C function or the ioctl, by its C name
   */
  public PosixException(String call, String detail, Errno errno, String cure) {
    super("%s(%s) failed: %s: %s".formatted(call, detail, errno.name(), cure));
    this.call = call;
    this.errno = errno;
    this.cure = cure;
  }

  /** The C function's or ioctl's name. */
  public String call() {
    return call;
  }

  /** Why it failed. */
  public Errno errno() {
    return errno;
  }

  /** What the operator can do about it: the message's last part. */
  public String cure() {
    return cure;
  }
}
