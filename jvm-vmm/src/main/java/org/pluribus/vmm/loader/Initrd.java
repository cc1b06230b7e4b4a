package org.pluribus.vmm.loader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.memory.RamRange;

/**
 * The initial RAM disk: any number of files, loaded as one, each from a 4-byte boundary (where
 * Linux looks for the next cpio archive,
 * Documentation/driver-api/early-userspace/buffer-format.rst).
 */
final class Initrd {

  private static final int CPIO_ALIGNMENT = 4;

  private final List<ImageFile> parts;
  private final long size;

  private Initrd(List<ImageFile> parts, long size) {
    this.parts = parts;
    this.size = size;
  }

  static Initrd open(List<Path> files) throws BadImageException, IOException {
    List<ImageFile> parts = new ArrayList<>();
    long size = 0;
    for (Path file : files) {
      ImageFile part = ImageFile.open(file, "initrd");
      parts.add(part);
      size = align(size) + part.size();
    }
    return new Initrd(parts, size);
  }

  /** Bytes altogether; 0 if there is none. */
  long size() {
    return size;
  }

  /**
   * Copies it to the highest place below {@code maxEnd}: in RAM of node 0, where the boot vCPU
   * reads it, if there is room, else anywhere in low RAM.
   *
   * @param kernelEnd first free address after the kernel and the memory it unpacks itself into
   * @param maxEnd first address the kernel can't reach
   * @return GPA of its first byte; 0 if there is none
   * @throws BadImageException if there is no room
   */
  long load(GuestMemory memory, GuestRamLayout layout, long kernelEnd, long maxEnd)
      throws BadImageException {
    if (size == 0) {
      return 0;
    }
    RamRange nodeZero = layout.rangesOf(0).get(0);
    long start = placeBelow(Math.min(nodeZero.end(), maxEnd));
    if (start < kernelEnd) {
      start = placeBelow(Math.min(layout.lowRamEnd(), maxEnd));
    }
    if (start < kernelEnd) {
      throw new BadImageException(tooLarge(layout, kernelEnd, maxEnd));
    }
    long offset = 0;
    for (ImageFile part : parts) {
      offset = align(offset);
      memory.write(start + offset, part.slice(0, part.size()));
      offset += part.size();
    }
    return start;
  }

  private String tooLarge(GuestRamLayout layout, long kernelEnd, long maxEnd) {
    long needed = kernelEnd + size + GuestMemory.PAGE_SIZE;
    String what =
        "initrd %s of %d KiB doesn't fit behind the kernel into RAM of %d MiB"
            .formatted(parts.get(0).fileName(), size >> 10, layout.ramSize() >> 20);
    return needed <= maxEnd
        ? "%s: give --memory at least %dM"
            .formatted(what, Math.ceilDiv(needed, GuestRamLayout.GRANULE) * 2)
        : what + ": this kernel takes one of at most %d KiB".formatted((maxEnd - kernelEnd) >> 10);
  }

  private long placeBelow(long end) {
    return (end - size) & -GuestMemory.PAGE_SIZE;
  }

  private static long align(long offset) {
    return (offset + CPIO_ALIGNMENT - 1) & -CPIO_ALIGNMENT;
  }
}
