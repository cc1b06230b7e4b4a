package org.pluribus.transport.verbs;

import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.PagePayload;

/**
 * Guest RAM as a device knows it: one registered region per GiB, as the length of a region is an
 * int in DiSNI. No page lies in two.
 *
 * @param base address of page 0 in its process
 * @param bytes size of the RAM; 0 for a node that has none to write to
 * @param keys a key per slab: the owner's local ones, or the remote ones that it gave its peers
 */
record Slabs(long base, long bytes, int[] keys) {
  /** Bytes in all slabs but the last. */
  static final long SLAB_BYTES = 1L << 30;

  /** Most slabs: the keys travel in one message. */
  static final int MAX_SLABS = 1024;

  static final Slabs NONE = new Slabs(0, 0, new int[0]);

  private static final int PAGE_SHIFT = 12;
  private static final int SLAB_SHIFT = 30;

  private static final int BYTES_OFFSET = 8;
  private static final int COUNT_OFFSET = 16;
  private static final int KEYS_OFFSET = 20;

  static int count(long bytes) {
    return Math.toIntExact((bytes + SLAB_BYTES - 1) >> SLAB_SHIFT);
  }

  /** Bytes of a slab, at most 1 GiB. */
  static int length(long bytes, int slab) {
    return (int) Math.min(SLAB_BYTES, bytes - slab * SLAB_BYTES);
  }

  boolean holds(long page) {
    return page >= 0 && page < bytes >> PAGE_SHIFT;
  }

  long address(long page) {
    return base + (page << PAGE_SHIFT);
  }

  int key(long page) {
    return keys[(int) (page >> SLAB_SHIFT - PAGE_SHIFT)];
  }

  /** Writes base, size and keys; returns the number of bytes written. */
  int encode(MutableDirectBuffer buffer, int offset) {
    buffer.putLong(offset, base);
    buffer.putLong(offset + BYTES_OFFSET, bytes);
    buffer.putInt(offset + COUNT_OFFSET, keys.length);
    for (int i = 0; i < keys.length; i++) {
      buffer.putInt(offset + KEYS_OFFSET + i * Integer.BYTES, keys[i]);
    }
    return KEYS_OFFSET + keys.length * Integer.BYTES;
  }

  /** What a peer sent, or null if it makes no sense. */
  static @Nullable Slabs decode(DirectBuffer buffer, int offset, int length) {
    if (length < KEYS_OFFSET) {
      return null;
    }
    long base = buffer.getLong(offset);
    long bytes = buffer.getLong(offset + BYTES_OFFSET);
    int count = buffer.getInt(offset + COUNT_OFFSET);
    if (count < 0
        || count > MAX_SLABS
        || length != KEYS_OFFSET + count * Integer.BYTES
        || bytes < 0
        || bytes > MAX_SLABS * SLAB_BYTES
        || count(bytes) != count
        || ((base | bytes) & PagePayload.PAGE_BYTES - 1) != 0) {
      return null;
    }
    int[] keys = new int[count];
    for (int i = 0; i < count; i++) {
      keys[i] = buffer.getInt(offset + KEYS_OFFSET + i * Integer.BYTES);
    }
    return new Slabs(base, bytes, keys);
  }
}
