package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Finds functions of the C library and captures {@code errno}.
 *
 * <p>A bound handle takes {@link #capture()} as its first argument, before the C function's own.
 * The JVM may itself change {@code errno} between the call and a later look at it, so the linker
 * copies it into that segment right after the call. There is one such segment per thread, allocated
 * once: a call allocates nothing.
 *
 * <pre>{@code
 * private static final MethodHandle CLOSE =
 *     CLibrary.bind("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
 * ...
 * int result = (int) CLOSE.invokeExact(CLibrary.capture(), fd);
 * if (result < 0) throw CLibrary.failure("close", "fd " + fd);
 * }</pre>
 */
public final class CLibrary {
  private static final Linker LINKER = linker();
  private static final StructLayout CAPTURE_LAYOUT = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURE_LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final ThreadLocal<MemorySegment> CAPTURE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE_LAYOUT));

  private CLibrary() {}

  private static Linker linker() {
    Platform.require();
    return Linker.nativeLinker();
  }

  /**
   * Binds a C function whose failures are told through {@code errno}.
   *
   * @param name the C name, for example {@code "mmap"}
   * @param type its result and arguments, without the capture segment
   * @return a handle that takes the capture segment, then the arguments
   * @throws UnsatisfiedLinkError if the C library has no such function, or if the JVM was told to
   *     deny native access
   */
  public static MethodHandle bind(String name, FunctionDescriptor type) {
    return bind(name, type, Linker.Option.captureCallState("errno"));
  }

  /**
   * Binds a variadic C function such as {@code ioctl}.
   *
   * @param firstVariadic index of the first variadic argument in {@code type}
   */
  public static MethodHandle bindVariadic(String name, FunctionDescriptor type, int firstVariadic) {
    return bind(
        name,
        type,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(firstVariadic));
  }

  /** Address of a C function, to hand to the kernel. */
  static long address(String name) {
    return find(name).address();
  }

  private static MemorySegment find(String name) {
    return LINKER
        .defaultLookup()
        .find(name)
        .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no " + name + "()"));
  }

  private static MethodHandle bind(String name, FunctionDescriptor type, Linker.Option... options) {
    try {
      return LINKER.downcallHandle(find(name), type, options);
    } catch (IllegalCallerException e) {
      throw nativeAccessDenied(e);
    }
  }

  /** An error that names the JVM flag to add. */
  static UnsatisfiedLinkError nativeAccessDenied(IllegalCallerException cause) {
    UnsatisfiedLinkError error =
        new UnsatisfiedLinkError(
            "native access is denied; start java with --enable-native-access=ALL-UNNAMED");
    error.initCause(cause);
    return error;
  }

  /** The calling thread's segment for {@code errno}; pass it as a bound handle's first argument. */
  public static MemorySegment capture() {
    return CAPTURE.get();
  }

  /** The {@code errno} value that the calling thread's last failed call left. */
  public static int errno() {
    return errno(capture());
  }

  /** The same, for a caller that has the thread's segment at hand. */
  public static int errno(MemorySegment capture) {
    return (int) ERRNO.get(capture, 0L);
  }

  /**
   * The exception for the call that has just failed on this thread.
   *
   * @param call the C function's name
   * @param detail what it was asked to do, for the message
   */
  public static PosixException failure(String call, String detail) {
    return new PosixException(call, detail, Errno.of(errno()));
  }

  /** Wraps what {@code MethodHandle.invokeExact} declares but a downcall never throws. */
  public static AssertionError unexpected(Throwable fromDowncall) {
    return new AssertionError("a downcall threw", fromDowncall);
  }

  /** The C type {@code int}, for descriptors that return a status. */
  static FunctionDescriptor status(MemoryLayout... arguments) {
    return FunctionDescriptor.of(JAVA_INT, arguments);
  }
}
