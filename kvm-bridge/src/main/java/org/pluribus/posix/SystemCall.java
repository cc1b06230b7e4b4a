package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Linux system calls by number, for hot paths: the kernel's own answer comes back, minus errno on
 * failure.
 *
 * <p>The C library would turn that answer into -1 and {@code errno}, and the JVM's way of capturing
 * errno allocates an object per call until its second compiler has seen the caller (some nodes run
 * without that compiler). So this runs the SYSCALL instruction itself, as a stub of a few bytes:
 * see {@link MachineCode}. Nothing is allocated, whatever compiles the caller.
 *
 * <p>Whoever passes addresses vouches for what lies there until the call is back. Safe for any
 * thread.
 */
@Abi.Headers({"sys/syscall.h"})
public final class SystemCall {
  // Numbers; asm/unistd_64.h.
  @Abi("SYS_read")
  public static final int READ = 0;

  @Abi("SYS_write")
  public static final int WRITE = 1;

  @Abi("SYS_fstat")
  public static final int FSTAT = 5;

  @Abi("SYS_ioctl")
  public static final int IOCTL = 16;

  @Abi("SYS_madvise")
  public static final int MADVISE = 28;

  @Abi("SYS_getpriority")
  public static final int GETPRIORITY = 140;

  @Abi("SYS_clock_gettime")
  public static final int CLOCK_GETTIME = 228;

  @Abi("SYS_tgkill")
  public static final int TGKILL = 234;

  @Abi("SYS_sched_setattr")
  public static final int SCHED_SETATTR = 314;

  @Abi("SYS_userfaultfd")
  public static final int USERFAULTFD = 323;

  /** Linux 5.11. */
  @Abi("SYS_epoll_pwait2")
  public static final int EPOLL_PWAIT2 = 441;

  /**
   * long call(long number, long a, long b, long c, long d, long e): from the C calling convention
   * to the kernel's (System V ABI for AMD64, A.2.1: number in RAX, arguments in RDI, RSI, RDX, R10,
   * R8; RCX and R11 lost). A call with fewer arguments hands over what happens to be in the other
   * registers, which the kernel does not look at.
   */
  private static final String STUB =
      """
      F3 0F 1E FA  endbr64
      48 89 F8     mov  rax, rdi
      48 89 F7     mov  rdi, rsi
      48 89 D6     mov  rsi, rdx
      48 89 CA     mov  rdx, rcx
      4D 89 C2     mov  r10, r8
      4D 89 C8     mov  r8, r9
      0F 05        syscall
      C3           ret
      """;

  private static final FunctionDescriptor TYPE =
      FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final FunctionDescriptor LONG_TYPE =
      TYPE.appendArgumentLayouts(JAVA_LONG, JAVA_LONG);
  private static final MemorySegment ENTRY = place();
  private static final MethodHandle CALL = link(TYPE);
  private static final MethodHandle CALL_OF_FIVE = link(LONG_TYPE);
  private static final MethodHandle CALL_SHORT = link(TYPE, Linker.Option.critical(false));

  private SystemCall() {}

  private static MemorySegment place() {
    Platform.require();
    return MachineCode.placeListing(STUB);
  }

  private static MethodHandle link(FunctionDescriptor type, Linker.Option... options) {
    try {
      return Linker.nativeLinker().downcallHandle(ENTRY, type, options);
    } catch (IllegalCallerException e) {
      throw CLibrary.nativeAccessDenied(e);
    }
  }

  /**
   * Makes a system call, which may block.
   *
   * @return the kernel's answer, or minus errno
   */
  public static long call(int number, long a, long b, long c) {
    try {
      return (long) CALL.invokeExact((long) number, a, b, c);
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /**
   * Makes a system call of four or five arguments, which may block.
   *
   * @return the kernel's answer, or minus errno
   */
  public static long call(int number, long a, long b, long c, long d, long e) {
    try {
      return (long) CALL_OF_FIVE.invokeExact((long) number, a, b, c, d, e);
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /**
   * Makes a system call that never sleeps and is back within microseconds, without the JVM's
   * thread-state transition: no safepoint is reached (no garbage collection starts) meanwhile.
   *
   * @return the kernel's answer, or minus errno
   */
  public static long callShort(int number, long a, long b, long c) {
    try {
      return (long) CALL_SHORT.invokeExact((long) number, a, b, c);
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }
}
