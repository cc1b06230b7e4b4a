package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The locked instructions of x86-64 that Java has no operation for: compare-and-exchange of 16
 * bytes, and of 2, 4 and 8 bytes at addresses that are not naturally aligned.
 *
 * <p>A guest may use LOCK on any address, even across cache lines or pages, and every observer must
 * see the operation as one. Only the instruction itself gives that, so each method here runs it: a
 * stub of a few bytes (System V AMD64 calling convention, see {@link MachineCode}), called without
 * a thread-state transition ({@link Linker.Option#critical}), which costs about as much as a plain
 * C call.
 *
 * <p>Why that is safe: a stub touches the operand, the witness and call-clobbered registers (it
 * restores RBX), makes no call, takes bounded time and cannot throw. What the caller vouches for:
 * the operand lies in mapped, writable memory that stays mapped, else the JVM dies of SIGSEGV, as
 * with {@link HostMemory}; and it is not guarded by userfaultfd, for a thread that waits for a page
 * inside a critical call would hold up every safepoint.
 *
 * <p>An operand across two cache lines locks the bus ("split lock"). Linux on hardware that can
 * detect it slows the thread down, or with {@code split_lock_detect=fatal} ends the process; that
 * is what the same guest would meet on that hardware.
 *
 * <p>Every operation is a full memory barrier. Safe for any thread.
 */
public final class HostAtomics {
  /** Width and required alignment of {@link #compareExchange16}'s operand, bytes. */
  public static final int WIDE_BYTES = 16;

  /**
   * bool cmpxchg16b(void* p, u64 expectedLo, u64 expectedHi, u64 newLo, u64 newHi, u64* witness).
   */
  private static final String CMPXCHG16B =
      """
      F3 0F 1E FA     endbr64
      53              push   rbx
      48 89 CB        mov    rbx, rcx            ; new value, low
      4C 89 C1        mov    rcx, r8             ; new value, high
      48 89 F0        mov    rax, rsi            ; expected, low (high is in rdx already)
      F0 48 0F C7 0F  lock cmpxchg16b [rdi]
      49 89 01        mov    [r9], rax           ; what was there
      49 89 51 08     mov    [r9+8], rdx
      0F 94 C0        sete   al                  ; ZF: it was what we expected
      5B              pop    rbx
      C3              ret
      """;

  /** u64 cmpxchg(u64* p, u64 expected, u64 new). */
  private static final String CMPXCHG_64 =
      """
      F3 0F 1E FA     endbr64
      48 89 F0        mov    rax, rsi
      F0 48 0F B1 17  lock cmpxchg [rdi], rdx
      C3              ret
      """;

  /** u32 cmpxchg(u32* p, u32 expected, u32 new). */
  private static final String CMPXCHG_32 =
      """
      F3 0F 1E FA     endbr64
      89 F0           mov    eax, esi
      F0 0F B1 17     lock cmpxchg [rdi], edx
      C3              ret
      """;

  /** u16 cmpxchg(u16* p, u16 expected, u16 new). */
  private static final String CMPXCHG_16 =
      """
      F3 0F 1E FA     endbr64
      89 F0           mov    eax, esi
      66 F0 0F B1 17  lock cmpxchg [rdi], dx
      C3              ret
      """;

  private static final MethodHandle COMPARE_EXCHANGE_16 =
      link(
          CMPXCHG16B, JAVA_BOOLEAN, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS);
  private static final MethodHandle COMPARE_EXCHANGE_8 =
      link(CMPXCHG_64, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle COMPARE_EXCHANGE_4 =
      link(CMPXCHG_32, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);
  private static final MethodHandle COMPARE_EXCHANGE_2 =
      link(CMPXCHG_16, JAVA_SHORT, JAVA_LONG, JAVA_SHORT, JAVA_SHORT);

  private HostAtomics() {}

  private static MethodHandle link(String listing, MemoryLayout result, MemoryLayout... arguments) {
    Platform.require();
    MemorySegment entry = MachineCode.placeListing(listing);
    try {
      return Linker.nativeLinker()
          .downcallHandle(
              entry, FunctionDescriptor.of(result, arguments), Linker.Option.critical(false));
    } catch (IllegalCallerException e) {
      throw CLibrary.nativeAccessDenied(e);
    }
  }

  /**
   * {@code LOCK CMPXCHG16B} (SDM volume 2, CMPXCHG8B/CMPXCHG16B): stores the new value if the
   * operand equals the expected one.
   *
   * @param address of the operand, a multiple of 16
   * @param witness receives the 16 bytes that were there; native memory
   * @return whether the new value was stored
   * @throws IllegalArgumentException if the address is not aligned (the instruction would raise
   *     #GP) or the witness is too small
   */
  public static boolean compareExchange16(
      long address,
      long expectedLow,
      long expectedHigh,
      long newLow,
      long newHigh,
      MemorySegment witness) {
    if ((address & (WIDE_BYTES - 1)) != 0) {
      throw new IllegalArgumentException(
          "CMPXCHG16B operand at 0x%x: it must be 16-byte aligned".formatted(address));
    }
    if (witness.byteSize() < WIDE_BYTES) {
      throw new IllegalArgumentException(
          "witness of " + witness.byteSize() + " bytes: 16 are needed");
    }
    try {
      return (boolean)
          COMPARE_EXCHANGE_16.invokeExact(
              address, expectedLow, expectedHigh, newLow, newHigh, witness);
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /**
   * {@code LOCK CMPXCHG m64, r64} at any address.
   *
   * @return what was there; the new value was stored if that equals {@code expected}
   */
  public static long compareExchange8Unaligned(long address, long expected, long newValue) {
    try {
      return (long) COMPARE_EXCHANGE_8.invokeExact(address, expected, newValue);
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /** {@code LOCK CMPXCHG m32, r32} at any address; returns what was there. */
  public static int compareExchange4Unaligned(long address, int expected, int newValue) {
    try {
      return (int) COMPARE_EXCHANGE_4.invokeExact(address, expected, newValue);
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /** {@code LOCK CMPXCHG m16, r16} at any address; returns what was there. */
  public static short compareExchange2Unaligned(long address, short expected, short newValue) {
    try {
      return (short) COMPARE_EXCHANGE_2.invokeExact(address, expected, newValue);
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }
}
