package org.pluribus.transport.wire;

import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Frames that the network did not take yet, first in first out. A ring of records, each in one
 * piece; it starts small and doubles when full, up to a bound. One thread at a time.
 *
 * <pre>
 *   record: | length (int) | frame ... | padding to 8 |        PADDING as length: skip to the start
 * </pre>
 */
final class OutboundQueue {
  private static final int INITIAL_BYTES = 64 << 10;
  private static final int ALIGNMENT = 8;
  private static final int PREFIX = Integer.BYTES;
  private static final int PADDING = -1;

  private final int maxBytes;
  private UnsafeBuffer ring = new UnsafeBuffer(0, 0);

  /** Byte positions ever written and read; their low bits are the place in the ring. */
  private long tail;

  private long head;
  private int claimedAt;
  private int claimedRecord;

  OutboundQueue(int maxBytes) {
    this.maxBytes = Integer.highestOneBit(maxBytes);
  }

  boolean isEmpty() {
    return head == tail;
  }

  /** Bytes in use, paddings included. */
  long bytes() {
    return tail - head;
  }

  /** Makes room for a frame at {@link #claimOffset} of {@link #buffer}; false if it won't fit. */
  boolean claim(int length) {
    int record = BitUtil.align(PREFIX + length, ALIGNMENT);
    while (!fits(record)) {
      if (!grow()) {
        return false;
      }
    }
    int index = index(tail);
    int toEnd = ring.capacity() - index;
    if (record > toEnd) {
      ring.putInt(index, PADDING);
      tail += toEnd;
      index = 0;
    }
    ring.putInt(index, length);
    claimedAt = index + PREFIX;
    claimedRecord = record;
    return true;
  }

  UnsafeBuffer buffer() {
    return ring;
  }

  int claimOffset() {
    return claimedAt;
  }

  /** Makes the claimed frame the last of the queue. */
  void commit() {
    tail += claimedRecord;
    claimedRecord = 0;
  }

  /** Offset of the first frame in {@link #buffer}; the queue must not be empty. */
  int firstOffset() {
    skipPadding();
    return index(head) + PREFIX;
  }

  /** Length of the first frame; the queue must not be empty. */
  int firstLength() {
    skipPadding();
    return ring.getInt(index(head));
  }

  /** Drops the first frame. */
  void removeFirst() {
    head += BitUtil.align(PREFIX + firstLength(), ALIGNMENT);
  }

  void clear() {
    head = tail;
    claimedRecord = 0;
  }

  private void skipPadding() {
    int index = index(head);
    if (ring.getInt(index) == PADDING) {
      head += ring.capacity() - index;
    }
  }

  private boolean fits(int record) {
    int capacity = ring.capacity();
    if (capacity == 0) {
      return false;
    }
    int toEnd = capacity - index(tail);
    int needed = record > toEnd ? toEnd + record : record;
    return needed <= capacity - bytes();
  }

  private int index(long position) {
    return (int) position & (ring.capacity() - 1);
  }

  private boolean grow() {
    int capacity = ring.capacity() == 0 ? INITIAL_BYTES : ring.capacity() * 2;
    if (capacity > maxBytes || capacity <= 0) {
      return false;
    }
    UnsafeBuffer larger = new UnsafeBuffer(BufferUtil.allocateDirectAligned(capacity, ALIGNMENT));
    int end = 0;
    while (!isEmpty()) {
      int record = BitUtil.align(PREFIX + firstLength(), ALIGNMENT);
      larger.putBytes(end, ring, index(head), record);
      end += record;
      head += record;
    }
    ring = larger;
    head = 0;
    tail = end;
    return true;
  }
}
