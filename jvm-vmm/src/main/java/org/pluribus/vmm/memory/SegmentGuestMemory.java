package org.pluribus.vmm.memory;

import java.lang.foreign.MemorySegment;

/**
 * Guest RAM that is all on this node: one segment, the RAM image in {@link GuestRamLayout} order.
 *
 * <p>For a machine of one node, where nothing has to be acquired, and for tests.
 */
public final class SegmentGuestMemory implements GuestMemory {

  private final MemorySegment ram;
  private final GuestRamLayout layout;

  /**
   * @param ram the RAM image; at least {@code layout.ramSize()} bytes
   * @throws IllegalArgumentException if the segment is smaller than the layout's RAM
   */
  public SegmentGuestMemory(MemorySegment ram, GuestRamLayout layout) {
    if (ram.byteSize() < layout.ramSize()) {
      throw new IllegalArgumentException(
          "segment of %d bytes can't hold %d bytes of RAM"
              .formatted(ram.byteSize(), layout.ramSize()));
    }
    this.ram = ram;
    this.layout = layout;
  }

  @Override
  public long size() {
    return layout.ramSize();
  }

  @Override
  public void read(long gpa, MemorySegment dst) {
    long offset = offsetOf(gpa, dst.byteSize());
    MemorySegment.copy(ram, offset, dst, 0, dst.byteSize());
  }

  @Override
  public void write(long gpa, MemorySegment src) {
    long offset = offsetOf(gpa, src.byteSize());
    MemorySegment.copy(src, 0, ram, offset, src.byteSize());
  }

  private long offsetOf(long gpa, long length) {
    if (!layout.isRam(gpa, length)) {
      throw new IndexOutOfBoundsException("GPA 0x%x+0x%x is not RAM".formatted(gpa, length));
    }
    return layout.ramOffset(gpa);
  }
}
