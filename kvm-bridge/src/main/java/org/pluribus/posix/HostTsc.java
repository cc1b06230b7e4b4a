package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;

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

  /** Column at which a listing's comments begin. */
  private static final int BYTES_END = 16;

  private static final MethodHandle READ = link();

  private HostTsc() {}

  private static MethodHandle link() {
    Platform.require();
    StringBuilder hex = new StringBuilder();
    RDTSC.lines().forEach(line -> hex.append(line, 0, Math.min(BYTES_END, line.length())));
    byte[] code = HexFormat.of().parseHex(hex.toString().replaceAll("\\s", ""));
    MemorySegment entry = MachineCode.place(code);
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
