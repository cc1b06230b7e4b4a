package org.pluribus.uffd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.pluribus.posix.Abi;

/**
 * Room for the events of one {@link UserfaultFd#read}: {@code struct uffd_msg}
 * (linux/userfaultfd.h). Make one per reading thread and reuse it. Not synchronised.
 */
@Abi.Headers({"linux/userfaultfd.h"})
public final class UffdEvents {
  /** {@link #event}: a page fault; UFFD_EVENT_ values. */
  @Abi("UFFD_EVENT_PAGEFAULT")
  public static final int PAGEFAULT = 0x12;

  /** {@link #flags}: a store; UFFD_PAGEFAULT_FLAG_ bits. Without it, a load. */
  @Abi("UFFD_PAGEFAULT_FLAG_WRITE")
  public static final long FLAG_WRITE = 1;

  /** {@link #flags}: a store to a write-protected page. */
  @Abi("UFFD_PAGEFAULT_FLAG_WP")
  public static final long FLAG_WP = 2;

  /** {@link #flags}: the page is in the file but not in this mapping. */
  @Abi("UFFD_PAGEFAULT_FLAG_MINOR")
  public static final long FLAG_MINOR = 4;

  private final MemorySegment messages;
  private final int capacity;
  private int count;

  /**
   * @param capacity most events per read, at least 1
   */
  public UffdEvents(int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("room for " + capacity + " events: at least 1");
    }
    this.capacity = capacity;
    this.messages = Arena.ofAuto().allocate((long) capacity * UffdAbi.MESSAGE_BYTES, Long.BYTES);
  }

  /** Most events per read. */
  public int capacity() {
    return capacity;
  }

  /** How many the last read brought. */
  public int count() {
    return count;
  }

  void count(int received) {
    count = received;
  }

  long address() {
    return messages.address();
  }

  long byteSize() {
    return messages.byteSize();
  }

  /** The kind: {@link #PAGEFAULT} unless others were asked for as features. */
  public int event(int index) {
    return Byte.toUnsignedInt(messages.get(JAVA_BYTE, at(index) + UffdAbi.MESSAGE_EVENT));
  }

  /** FLAG_ bits of a page fault. */
  public long flags(int index) {
    return messages.get(JAVA_LONG, at(index) + UffdAbi.MESSAGE_FLAGS);
  }

  /** The page's address (the exact one under {@link UffdFeature#EXACT_ADDRESS}). */
  public long address(int index) {
    return messages.get(JAVA_LONG, at(index) + UffdAbi.MESSAGE_ADDRESS);
  }

  /** The faulting thread's kernel id under {@link UffdFeature#THREAD_ID}, else 0. */
  public int threadId(int index) {
    return messages.get(JAVA_INT, at(index) + UffdAbi.MESSAGE_THREAD);
  }

  /** Whether it was a store. */
  public boolean isWrite(int index) {
    return (flags(index) & FLAG_WRITE) != 0;
  }

  /** Whether the page is there, write-protected. */
  public boolean isWriteProtect(int index) {
    return (flags(index) & FLAG_WP) != 0;
  }

  /** Whether the page is in the file but not in this mapping. */
  public boolean isMinor(int index) {
    return (flags(index) & FLAG_MINOR) != 0;
  }

  private long at(int index) {
    if (index < 0 || index >= count) {
      throw new IndexOutOfBoundsException("event " + index + " of " + count);
    }
    return (long) index * UffdAbi.MESSAGE_BYTES;
  }
}
