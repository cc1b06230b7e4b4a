package org.pluribus.transport;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.TwinStore;

/**
 * The page bytes of the message being delivered, all or some blocks of them: a view of the
 * transport's own buffer, valid until the handler returns. Copies go straight from there to guest
 * RAM.
 */
public final class PagePayload {
  /** Bytes in a page of guest RAM. */
  public static final int PAGE_BYTES = 4096;

  private final UnsafeBuffer view = new UnsafeBuffer(0, 0);
  private final UnsafeBuffer target = new UnsafeBuffer(0, 0);
  private volatile long copies;

  /** Shows a page's bytes at an offset of a buffer. For transports. */
  public void wrap(DirectBuffer buffer, int offset) {
    wrap(buffer, offset, PAGE_BYTES);
  }

  /** Shows a page, or blocks of it, at an offset of a buffer. For transports. */
  public void wrap(DirectBuffer buffer, int offset, int bytes) {
    view.wrap(buffer, offset, bytes);
  }

  /** Shows the bytes at a native address, which may be where they belong. For transports. */
  public void wrap(long address) {
    view.wrap(address, PAGE_BYTES);
  }

  /** Shows nothing. For transports. */
  public void clear() {
    view.wrap(0, 0);
  }

  /** True if the message carries no page bytes. */
  public boolean isEmpty() {
    return view.capacity() == 0;
  }

  /** Pages that were copied: those the network had not put where they belong. Any thread. */
  public long copies() {
    return copies;
  }

  /** Copies the page to a native address, 4096 bytes of which the caller owns. */
  public void copyTo(long address) {
    if (view.byteArray() == null && view.addressOffset() == address) {
      return; // the network has put them there
    }
    target.wrap(address, PAGE_BYTES);
    view.getBytes(0, target, 0, PAGE_BYTES);
    copies = copies + 1; // by the holder of the duty token only
  }

  /**
   * Copies blocks of a page to their places in it.
   *
   * @param address native address of the page, which the caller owns
   * @param blocks which they are, as {@link CoherenceMessage#blocks}
   */
  public void copyBlocksTo(long address, long blocks) {
    if (view.capacity() != Long.bitCount(blocks) * TwinStore.BLOCK_BYTES) {
      throw new IllegalArgumentException(
          view.capacity() + " bytes for blocks 0x" + Long.toHexString(blocks));
    }
    target.wrap(address, PAGE_BYTES);
    int from = 0;
    for (long rest = blocks; rest != 0; rest &= rest - 1) {
      int to = Long.numberOfTrailingZeros(rest) * TwinStore.BLOCK_BYTES;
      view.getBytes(from, target, to, TwinStore.BLOCK_BYTES);
      from += TwinStore.BLOCK_BYTES;
    }
  }

  /**
   * Copies blocks of a page to their places in it and zeroes the rest of it.
   *
   * @param address native address of the page, which the caller owns
   * @param blocks which they are, as {@link CoherenceMessage#blocks}
   */
  public void copySparseTo(long address, long blocks) {
    copyBlocksTo(address, blocks);
    for (long rest = ~blocks; rest != 0; ) {
      int first = Long.numberOfTrailingZeros(rest);
      int count = Long.numberOfTrailingZeros(~(rest >>> first));
      target.setMemory(first * TwinStore.BLOCK_BYTES, count * TwinStore.BLOCK_BYTES, (byte) 0);
      rest &= first + count < Long.SIZE ? -1L << (first + count) : 0;
    }
  }

  /** Copies the page into a native segment (the address form spares the checks). */
  public void copyTo(MemorySegment segment, long offset) {
    if (!segment.isNative() || segment.isReadOnly()) {
      throw new IllegalArgumentException("page target must be writable native memory");
    }
    Objects.checkFromIndexSize(offset, (long) PAGE_BYTES, segment.byteSize());
    copyTo(segment.address() + offset);
  }
}
