package org.pluribus.vmm.emulator;

import org.pluribus.posix.HostMemory;

/** Host memory accesses of a size known only at run time (1, 2, 4 or 8 bytes, little-endian). */
final class RawAccess {
  private RawAccess() {}

  /** Loads {@code size} bytes, zero-extended. */
  static long get(long host, int size) {
    return switch (size) {
      case 1 -> HostMemory.getByte(host) & 0xFFL;
      case 2 -> HostMemory.getShort(host) & 0xFFFFL;
      case 4 -> HostMemory.getInt(host) & 0xFFFFFFFFL;
      default -> HostMemory.getLong(host);
    };
  }

  /** Stores the low {@code size} bytes of {@code v}. */
  static void put(long host, int size, long v) {
    switch (size) {
      case 1 -> HostMemory.putByte(host, (byte) v);
      case 2 -> HostMemory.putShort(host, (short) v);
      case 4 -> HostMemory.putInt(host, (int) v);
      default -> HostMemory.putLong(host, v);
    }
  }
}
