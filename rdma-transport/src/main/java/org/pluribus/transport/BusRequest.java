package org.pluribus.transport;

import org.jspecify.annotations.Nullable;

/**
 * An access by a vCPU to a device that lives on another node, as a reusable holder. Not
 * thread-safe.
 */
public final class BusRequest {
  /** Port numbers are below this (Intel SDM vol. 1, "I/O Port Addressing"). */
  public static final long PORT_LIMIT = 0x1_0000;

  /**
   * Guest physical addresses are below this: MAXPHYADDR is at most 52 bits (SDM vol. 3, paging).
   */
  public static final long MMIO_LIMIT = 1L << 52;

  /** Widest port access, bytes. */
  public static final int MAX_PORT_SIZE = 4;

  /** Widest MMIO access, bytes. */
  public static final int MAX_MMIO_SIZE = 8;

  /** Chosen by the requester, comes back with the reply. */
  public long id;

  /** True for MMIO, false for ports. */
  public boolean mmio;

  /** True for a write. */
  public boolean write;

  /** Port number or guest physical address. */
  public long address;

  /** Bytes: 1, 2, 4, and 8 for MMIO. */
  public int size;

  /** What to write, in the low {@link #size} bytes; 0 for reads. */
  public long value;

  /** Sets every field. Bits of {@code value} above {@code size} bytes are dropped. */
  @SuppressWarnings("TooManyParameters")
  public BusRequest set(long id, boolean mmio, boolean write, long address, int size, long value) {
    this.id = id;
    this.mmio = mmio;
    this.write = write;
    this.address = address;
    this.size = size;
    this.value = write ? value & mask(size) : 0;
    return this;
  }

  /** What is wrong with these fields, or null if they make sense. */
  public @Nullable String fault() {
    int maxSize = mmio ? MAX_MMIO_SIZE : MAX_PORT_SIZE;
    if (Integer.bitCount(size) != 1 || size < 1 || size > maxSize) {
      return "access size";
    }
    long limit = mmio ? MMIO_LIMIT : PORT_LIMIT;
    if (address < 0 || address > limit - size) {
      return "address";
    }
    if (write ? (value & ~mask(size)) != 0 : value != 0) {
      return "value";
    }
    return null;
  }

  private static long mask(int size) {
    return size >= Long.BYTES ? -1L : (1L << (size * Byte.SIZE)) - 1;
  }

  @Override
  public String toString() {
    return (mmio ? "MMIO " : "port ")
        + (write ? "write " : "read ")
        + size
        + " at "
        + Long.toHexString(address)
        + (write ? " value " + Long.toHexString(value) : "");
  }
}
