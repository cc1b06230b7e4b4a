package org.pluribus.transport;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The page bytes of the message being delivered: a view of the transport's own buffer, valid until
 * the handler returns. Copies go straight from there to guest RAM.
 */
public final class PagePayload {
  /** Bytes in a page of guest RAM. */
  public static final int PAGE_BYTES = 4096;

  private final UnsafeBuffer view = new UnsafeBuffer(0, 0);
  private final UnsafeBuffer target = new UnsafeBuffer(0, 0);
  private volatile long copies;

  /** Shows the bytes at an offset of a buffer. For transports. */
  public void wrap(DirectBuffer buffer, int offset) {
    view.wrap(buffer, offset, PAGE_BYTES);
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

  /** Copies the page into a native segment (the address form spares the checks). */
  public void copyTo(MemorySegment segment, long offset) {
    if (!segment.isNative() || segment.isReadOnly()) {
      throw new IllegalArgumentException("page target must be writable native memory");
    }
    Objects.checkFromIndexSize(offset, (long) PAGE_BYTES, segment.byteSize());
    copyTo(segment.address() + offset);
  }
}
