package org.pluribus.vmm.emulator;

/**
 * The code pages into which one CPU is storing right now. The CPU announces a page before it throws
 * out the blocks that hold the bytes, and takes that back after the bytes are there; whoever
 * decodes in between may read the old bytes and must not keep what it made of them.
 *
 * <p>The CPU writes, the others read.
 */
final class CodeWriter {
  private static final long NONE = -1;

  /** A store or update touches two pages at most. */
  private volatile long first = NONE;

  private volatile long second = NONE;

  /** Bytes of this page are about to be stored. */
  void begin(long page) {
    if (page != first) {
      second = first;
      first = page;
    }
  }

  /** What was begun is in memory. */
  void end() {
    if (isWriting()) {
      first = NONE;
      second = NONE;
    }
  }

  boolean isWriting() {
    return first != NONE;
  }

  boolean isWriting(long page) {
    return first == page || second == page;
  }
}
