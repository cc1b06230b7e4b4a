package org.pluribus.posix;

/**
 * {@code ioctl(2)}: how request numbers are made, and the call itself.
 *
 * <p>A call answers as the kernel does inside: zero or more on success, minus {@code errno} on
 * failure. So a caller on a hot path can look at the number and nothing is allocated; everybody
 * else turns it into a {@link PosixException}.
 *
 * <p>Whoever passes an address vouches that the request's struct lies there and stays there until
 * the call returns. Safe for any thread.
 */
public final class Ioctl {
  /** Bit positions of a request number; asm-generic/ioctl.h:35-38. */
  private static final int TYPE_SHIFT = 8;

  private static final int SIZE_SHIFT = 16;
  private static final int DIRECTION_SHIFT = 30;

  /** The struct is read by the kernel; asm-generic/ioctl.h:62. */
  private static final long DIRECTION_WRITE = 1;

  /** The struct is written by the kernel; asm-generic/ioctl.h:66. */
  private static final long DIRECTION_READ = 2;

  private Ioctl() {}

  /** Request without a struct: {@code _IO}. */
  public static long none(int type, int number) {
    return (long) type << TYPE_SHIFT | number;
  }

  /** Request whose struct the kernel fills: {@code _IOR}. */
  public static long read(int type, int number, int bytes) {
    return none(type, number) | (long) bytes << SIZE_SHIFT | DIRECTION_READ << DIRECTION_SHIFT;
  }

  /** Request whose struct the kernel reads: {@code _IOW}. */
  public static long write(int type, int number, int bytes) {
    return none(type, number) | (long) bytes << SIZE_SHIFT | DIRECTION_WRITE << DIRECTION_SHIFT;
  }

  /** Request whose struct goes both ways: {@code _IOWR}. */
  public static long readWrite(int type, int number, int bytes) {
    return read(type, number, bytes) | write(type, number, bytes);
  }

  /**
   * Calls {@code ioctl}; may block for as long as the request does.
   *
   * @param argument an address or a number, as the request has it
   * @return the kernel's answer, or minus errno
   */
  public static int call(int fd, long request, long argument) {
    return (int) SystemCall.call(SystemCall.IOCTL, fd, request, argument);
  }

  /**
   * Like {@link #call}, for requests that never sleep and take a few microseconds at most: see
   * {@link SystemCall#callShort}.
   */
  public static int callShort(int fd, long request, long argument) {
    return (int) SystemCall.callShort(SystemCall.IOCTL, fd, request, argument);
  }
}
