package org.pluribus.posix;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Field;
import java.nio.ByteOrder;
import sun.misc.Unsafe;

/**
 * Raw memory of this process, by host address: what the emulator's soft TLB hands out.
 *
 * <p>Nothing is checked here. <b>The caller vouches</b> that the address lies in a live {@link
 * Mapping} of sufficient length and protection: in the emulator that is the soft TLB, whose entries
 * point into the alias mapping of guest RAM and are shot down before a page's rights change; the
 * mapping itself outlives every vCPU. A wrong address ends the JVM with SIGSEGV or corrupts it.
 *
 * <p>Values are little-endian, any alignment. A naturally aligned access is one access: it never
 * tears. Plain accesses may be reordered by the JIT; the {@code Acquire} loads and {@code Release}
 * stores may not pass later accesses and earlier ones respectively, which on x86-64 costs no
 * instruction and gives x86-TSO when a guest's accesses all go through them. Compare-and-exchange
 * is a full barrier and needs natural alignment; see {@link HostAtomics} for the rest.
 *
 * <p>Everything is static and final so that the JIT sees constants and an access compiles to one
 * instruction. Safe for any thread, in the sense above.
 */
@SuppressWarnings("removal") // sun.misc.Unsafe; the launcher allows its use
public final class HostMemory {
  /**
   * The whole address space. Safe only by the contract above: {@code reinterpret} gives the zero
   * address a length, so no bounds are left to check.
   */
  private static final MemorySegment ALL = all();

  // x86-64 hosts only (Platform.require): native byte order is the guest's, little-endian.
  private static final VarHandle ALIGNED_INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle ALIGNED_LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private static final int BYTE_MASK = 0xFF;
  private static final int SHORT_MASK = 0xFFFF;

  /**
   * Plain accesses go through this rather than a MemorySegment: each is one machine instruction
   * from the JVM's first compiler on, unaligned ones too, where a segment's access methods take the
   * second compiler's inlining, which comes late in a short run.
   */
  private static final Unsafe UNSAFE = unsafe();

  private HostMemory() {}

  private static Unsafe unsafe() {
    try {
      Field f = Unsafe.class.getDeclaredField("theUnsafe");
      f.setAccessible(true);
      return (Unsafe) f.get(null);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static MemorySegment all() {
    Platform.require();
    try {
      return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    } catch (IllegalCallerException e) {
      throw CLibrary.nativeAccessDenied(e);
    }
  }

  public static byte getByte(long address) {
    return UNSAFE.getByte(address);
  }

  public static short getShort(long address) {
    return UNSAFE.getShort(address);
  }

  public static int getInt(long address) {
    return UNSAFE.getInt(address);
  }

  public static long getLong(long address) {
    return UNSAFE.getLong(address);
  }

  public static void putByte(long address, byte value) {
    UNSAFE.putByte(address, value);
  }

  public static void putShort(long address, short value) {
    UNSAFE.putShort(address, value);
  }

  public static void putInt(long address, int value) {
    UNSAFE.putInt(address, value);
  }

  public static void putLong(long address, long value) {
    UNSAFE.putLong(address, value);
  }

  // Fences rather than acquire/release access modes: those demand alignment, guests do not keep it.

  public static byte getByteAcquire(long address) {
    byte value = UNSAFE.getByte(address);
    VarHandle.acquireFence();
    return value;
  }

  public static short getShortAcquire(long address) {
    short value = UNSAFE.getShort(address);
    VarHandle.acquireFence();
    return value;
  }

  public static int getIntAcquire(long address) {
    int value = UNSAFE.getInt(address);
    VarHandle.acquireFence();
    return value;
  }

  public static long getLongAcquire(long address) {
    long value = UNSAFE.getLong(address);
    VarHandle.acquireFence();
    return value;
  }

  public static void putByteRelease(long address, byte value) {
    VarHandle.releaseFence();
    UNSAFE.putByte(address, value);
  }

  public static void putShortRelease(long address, short value) {
    VarHandle.releaseFence();
    UNSAFE.putShort(address, value);
  }

  public static void putIntRelease(long address, int value) {
    VarHandle.releaseFence();
    UNSAFE.putInt(address, value);
  }

  public static void putLongRelease(long address, long value) {
    VarHandle.releaseFence();
    UNSAFE.putLong(address, value);
  }

  /** Copies bytes as memmove does: right for overlapping ranges too; no order is promised. */
  public static void copy(long from, long to, long bytes) {
    MemorySegment.copy(ALL, from, ALL, to, bytes);
  }

  /**
   * Compare-and-exchange of 8 aligned bytes.
   *
   * @return what was there; the new value was stored if that equals {@code expected}
   * @throws IllegalArgumentException if the address is not a multiple of 8
   */
  public static long compareExchangeLong(long address, long expected, long newValue) {
    return (long) ALIGNED_LONG.compareAndExchange(ALL, address, expected, newValue);
  }

  /** As {@link #compareExchangeLong}, of 4 aligned bytes. */
  public static int compareExchangeInt(long address, int expected, int newValue) {
    return (int) ALIGNED_INT.compareAndExchange(ALL, address, expected, newValue);
  }

  /**
   * As {@link #compareExchangeLong}, of 2 aligned bytes. Works on the 4 bytes around them and keeps
   * trying while only the neighbours change (each such change is another thread's progress).
   *
   * @throws IllegalArgumentException if the address is odd
   */
  public static short compareExchangeShort(long address, short expected, short newValue) {
    if ((address & 1) != 0) {
      throw new IllegalArgumentException("misaligned 2-byte operand at 0x%x".formatted(address));
    }
    return (short) compareExchangeWithinInt(address, SHORT_MASK, expected, newValue);
  }

  /** As {@link #compareExchangeShort}, of one byte. */
  public static byte compareExchangeByte(long address, byte expected, byte newValue) {
    return (byte) compareExchangeWithinInt(address, BYTE_MASK, expected, newValue);
  }

  private static int compareExchangeWithinInt(long address, int mask, int expected, int newValue) {
    long container = address & ~3L;
    int shift = (int) (address & 3) * Byte.SIZE;
    int placedMask = mask << shift;
    int placedNew = (newValue & mask) << shift;
    int current = (int) ALIGNED_INT.getVolatile(ALL, container);
    while (true) {
      int found = (current >>> shift) & mask;
      if (found != (expected & mask)) {
        return found;
      }
      int replaced = (current & ~placedMask) | placedNew;
      int witness = (int) ALIGNED_INT.compareAndExchange(ALL, container, current, replaced);
      if (witness == current) {
        return found;
      }
      current = witness;
    }
  }
}
