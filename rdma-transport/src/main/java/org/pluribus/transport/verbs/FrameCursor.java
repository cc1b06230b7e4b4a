package org.pluribus.transport.verbs;

import org.agrona.BitUtil;
import org.agrona.DirectBuffer;

/**
 * Goes through the frames of one message. One thread at a time; allocates nothing.
 *
 * <pre>
 *   message: | length (int) | padding to 8 | frame ... | padding to 8 | length | ...
 * </pre>
 */
final class FrameCursor {
  /** Bytes before a frame. */
  static final int PREFIX = 8;

  private int next;
  private int end;
  private int length;

  /** Bytes that a frame takes in a message. */
  static int recordBytes(int frameBytes) {
    return PREFIX + BitUtil.align(frameBytes, PREFIX);
  }

  /** Begins with a message at an offset of a buffer. */
  void begin(int offset, int messageBytes) {
    next = offset;
    end = offset + messageBytes;
    length = 0;
  }

  /** Whether there is another frame, or what should be one. */
  boolean hasNext() {
    return next < end;
  }

  /**
   * Goes on to the next frame.
   *
   * @return its offset, or -1 if the message's lengths make no sense
   */
  int next(DirectBuffer buffer) {
    if (end - next < PREFIX) {
      return -1;
    }
    length = buffer.getInt(next);
    if (length < 0 || length > end - next - PREFIX || recordBytes(length) > end - next) {
      return -1;
    }
    int at = next + PREFIX;
    next += recordBytes(length);
    return at;
  }

  /** Where the next frame's record starts. */
  int position() {
    return next;
  }

  /** Bytes of the frames to come. */
  int remaining() {
    return end - next;
  }

  /** Length of the frame gone to last. */
  int length() {
    return length;
  }
}
