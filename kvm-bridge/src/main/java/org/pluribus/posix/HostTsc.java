package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The host processor's time-stamp counter (SDM volume 3, 18.17), which guest counters under KVM are
 * derived from. Any thread.
 */
public final class HostTsc {
  /** u64 rdtsc(void), ordered behind all earlier loads (SDM volume 2, RDTSC). */
  private static final String RDTSC =
      """
      F3 0F 1E FA     endbr64
      0F AE E8        lfence
      0F 31           rdtsc
      48 C1 E2 20     shl    rdx, 32
      48 09 D0        or     rax, rdx
      C3              ret
      """;

  private static final MethodHandle READ = link();

  private HostTsc() {}

  private static MethodHandle link() {
    Platform.require();
    MemorySegment entry = MachineCode.placeListing(RDTSC);
    try {
      return Linker.nativeLinker()
          .downcallHandle(entry, FunctionDescriptor.of(JAVA_LONG), Linker.Option.critical(false));
    } catch (IllegalCallerException e) {
      throw CLibrary.nativeAccessDenied(e);
    }
  }

  /** The counter now. */
  public static long read() {
    try {
      return (long) READ.invokeExact();
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }
}
