package org.pluribus.vmm.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Guest RAM, addressed by guest-physical address (GPA), for everybody in Java who touches it.
 *
 * <p>An access covers any length and may cross pages; it must lie inside RAM. It is not atomic as a
 * whole: on a cluster each 4 KiB page is acquired, copied and let go in turn, so a vCPU may see the
 * first page of a long write before the last. Multi-byte values are little-endian, as x86's are.
 *
 * <p>Safe from any thread except one that itself serves coherence messages: an access may wait for
 * another node.
 */
public interface GuestMemory {

  /** x86 base page size, the unit of coherence, in bytes. */
  int PAGE_SIZE = 4096;

  /** Bytes of RAM; not the highest GPA, which lies above holes (see {@link GuestRamLayout}). */
  long size();

  /**
   * Copies {@code dst.byteSize()} bytes from guest RAM.
   *
   * @throws IndexOutOfBoundsException if any of them is not RAM
   */
  void read(long gpa, MemorySegment dst);

  /**
   * Copies {@code src.byteSize()} bytes into guest RAM.
   *
   * @throws IndexOutOfBoundsException if any of them is not RAM
   */
  void write(long gpa, MemorySegment src);

  /** Reads {@code length} bytes. */
  default byte[] readBytes(long gpa, int length) {
    byte[] bytes = new byte[length];
    read(gpa, MemorySegment.ofArray(bytes));
    return bytes;
  }

  /** Writes all of {@code bytes}. */
  default void writeBytes(long gpa, byte[] bytes) {
    write(gpa, MemorySegment.ofArray(bytes));
  }

  /** Reads one byte. */
  default byte readByte(long gpa) {
    return readBytes(gpa, 1)[0];
  }

  /** Writes one byte. */
  default void writeByte(long gpa, byte value) {
    writeBytes(gpa, new byte[] {value});
  }

  /** Reads 2 bytes. */
  default short readShort(long gpa) {
    byte[] bytes = readBytes(gpa, Short.BYTES);
    return MemorySegment.ofArray(bytes).get(LE_SHORT, 0);
  }

  /** Writes 2 bytes. */
  default void writeShort(long gpa, short value) {
    byte[] bytes = new byte[Short.BYTES];
    MemorySegment.ofArray(bytes).set(LE_SHORT, 0, value);
    writeBytes(gpa, bytes);
  }

  /** Reads 4 bytes. */
  default int readInt(long gpa) {
    byte[] bytes = readBytes(gpa, Integer.BYTES);
    return MemorySegment.ofArray(bytes).get(LE_INT, 0);
  }

  /** Writes 4 bytes. */
  default void writeInt(long gpa, int value) {
    byte[] bytes = new byte[Integer.BYTES];
    MemorySegment.ofArray(bytes).set(LE_INT, 0, value);
    writeBytes(gpa, bytes);
  }

  /** Reads 8 bytes. */
  default long readLong(long gpa) {
    byte[] bytes = readBytes(gpa, Long.BYTES);
    return MemorySegment.ofArray(bytes).get(LE_LONG, 0);
  }

  /** Writes 8 bytes. */
  default void writeLong(long gpa, long value) {
    byte[] bytes = new byte[Long.BYTES];
    MemorySegment.ofArray(bytes).set(LE_LONG, 0, value);
    writeBytes(gpa, bytes);
  }

  /** Sets {@code length} bytes to {@code value}. */
  default void fill(long gpa, long length, byte value) {
    byte[] page = new byte[(int) Math.min(length, PAGE_SIZE)];
    Arrays.fill(page, value);
    MemorySegment chunk = MemorySegment.ofArray(page);
    for (long done = 0; done < length; ) {
      long step = Math.min(page.length, length - done);
      write(gpa + done, chunk.asSlice(0, step));
      done += step;
    }
  }

  /** Sets {@code length} bytes to zero. */
  default void zero(long gpa, long length) {
    fill(gpa, length, (byte) 0);
  }

  /** Unaligned little-endian 16-bit layout. */
  ValueLayout.OfShort LE_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Unaligned little-endian 32-bit layout. */
  ValueLayout.OfInt LE_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Unaligned little-endian 64-bit layout. */
  ValueLayout.OfLong LE_LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
}
