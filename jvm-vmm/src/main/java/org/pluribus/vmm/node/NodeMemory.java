package org.pluribus.vmm.node;

import java.lang.foreign.MemorySegment;
import org.pluribus.hw.HostProfile;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Guest RAM for Java code of this node: takes each page through the coherence engine, pins it,
 * copies and lets go. One caller at a time.
 */
public final class NodeMemory implements GuestMemory {
  private final PluribusNode node;
  private final GuestRamLayout layout;
  private final MemorySegment ram;
  private final PageWaiter waiter;

  /**
   * @param ram the RAM image at {@link PluribusNode#hostAddress} of page 0
   */
  public NodeMemory(PluribusNode node, MemorySegment ram, HostProfile profile) {
    this.node = node;
    this.layout = node.layout();
    this.ram = ram;
    waiter = new PageWaiter(null, profile);
    node.add(waiter);
  }

  @Override
  public long size() {
    return layout.ramSize();
  }

  @Override
  public void read(long gpa, MemorySegment dst) {
    copy(gpa, dst, false);
  }

  @Override
  public void write(long gpa, MemorySegment src) {
    copy(gpa, src, true);
  }

  private synchronized void copy(long gpa, MemorySegment other, boolean write) {
    long length = other.byteSize();
    if (!layout.isRam(gpa, length)) {
      throw new IndexOutOfBoundsException("GPA 0x%x+0x%x is not RAM".formatted(gpa, length));
    }
    long offset = layout.ramOffset(gpa);
    for (long done = 0; done < length; ) {
      long at = offset + done;
      long step = Math.min(length - done, PAGE_SIZE - at % PAGE_SIZE);
      long page = at / PAGE_SIZE;
      node.pin(waiter, page, write);
      try {
        if (write) {
          MemorySegment.copy(other, done, ram, at, step);
        } else {
          MemorySegment.copy(ram, at, other, done, step);
        }
      } finally {
        node.unpin(page, write);
      }
      done += step;
    }
  }
}
