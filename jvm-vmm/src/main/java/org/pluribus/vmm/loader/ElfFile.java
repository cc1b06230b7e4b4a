package org.pluribus.vmm.loader;

import java.util.ArrayList;
import java.util.List;
import org.pluribus.vmm.memory.AddressMap;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/** The parts of an x86 ELF executable that loading needs (System V ABI, chapters 4 and 5). */
final class ElfFile {

  /** Program header types. */
  static final int PT_LOAD = 1;

  static final int PT_NOTE = 4;

  private static final int CLASS_OFFSET = 4;
  private static final int CLASS_32 = 1;
  private static final int CLASS_64 = 2;
  private static final int MACHINE_OFFSET = 18;
  private static final int EM_386 = 3;
  private static final int EM_X86_64 = 62;
  private static final int MAX_PROGRAM_HEADERS = 128;

  /**
   * One program header. Virtual and physical address differ in kernels that map themselves high.
   */
  record Segment(
      int type, long offset, long virtualAddress, long physicalAddress, long fileSize, long size) {}

  private final ImageFile image;
  private final boolean is64;
  private final long entry;
  private final List<Segment> segments;

  private ElfFile(ImageFile image, boolean is64, long entry, List<Segment> segments) {
    this.image = image;
    this.is64 = is64;
    this.entry = entry;
    this.segments = segments;
  }

  static ElfFile parse(ImageFile image) throws BadImageException {
    int elfClass = image.u8(CLASS_OFFSET);
    int machine = image.u16(MACHINE_OFFSET);
    boolean is64 = elfClass == CLASS_64;
    if ((!is64 && elfClass != CLASS_32) || (machine != EM_386 && machine != EM_X86_64)) {
      throw image.bad("is an ELF file for another processor: give a kernel for x86-64");
    }
    long entry = is64 ? image.u64(24) : image.u32(24);
    long headers = is64 ? image.u64(32) : image.u32(28);
    int headerSize = image.u16(is64 ? 54 : 42);
    int headerCount = image.u16(is64 ? 56 : 44);
    if (headerCount > MAX_PROGRAM_HEADERS) {
      throw image.bad(
          "has %d program headers, which no kernel has: fetch it again".formatted(headerCount));
    }
    List<Segment> segments = new ArrayList<>();
    for (int i = 0; i < headerCount; i++) {
      long at = headers + (long) i * headerSize;
      segments.add(is64 ? segment64(image, at) : segment32(image, at));
    }
    return new ElfFile(image, is64, entry, List.copyOf(segments));
  }

  private static Segment segment64(ImageFile image, long at) throws BadImageException {
    return new Segment(
        image.i32(at),
        image.u64(at + 8),
        image.u64(at + 16),
        image.u64(at + 24),
        image.u64(at + 32),
        image.u64(at + 40));
  }

  private static Segment segment32(ImageFile image, long at) throws BadImageException {
    return new Segment(
        image.i32(at),
        image.u32(at + 4),
        image.u32(at + 8),
        image.u32(at + 12),
        image.u32(at + 16),
        image.u32(at + 20));
  }

  boolean is64() {
    return is64;
  }

  List<Segment> segments() {
    return segments;
  }

  /**
   * Entry point as a physical address: e_entry may be virtual in kernels that map themselves high.
   */
  long physicalEntry() {
    for (Segment segment : segments) {
      if (segment.type() == PT_LOAD
          && entry >= segment.virtualAddress()
          && entry - segment.virtualAddress() < segment.size()) {
        return segment.physicalAddress() + (entry - segment.virtualAddress());
      }
    }
    return entry;
  }

  /**
   * Copies all PT_LOAD segments to their physical addresses and clears what follows them (.bss).
   *
   * @return first address after the highest
   * @throws BadImageException if one lies below 1 MiB, outside RAM, or outside the file
   */
  long load(GuestMemory memory, GuestRamLayout layout) throws BadImageException {
    long end = 0;
    for (Segment segment : segments) {
      if (segment.type() == PT_LOAD && segment.size() > 0) {
        loadBytes(
            image,
            memory,
            layout,
            segment.physicalAddress(),
            segment.fileSize(),
            segment.offset(),
            segment.size());
        end = Math.max(end, segment.physicalAddress() + segment.size());
      }
    }
    if (end == 0) {
      throw image.bad("has nothing to load: give a linked kernel");
    }
    return end;
  }

  /**
   * Copies {@code fileSize} bytes from the file to {@code address} and clears up to {@code size}.
   */
  static void loadBytes(
      ImageFile image,
      GuestMemory memory,
      GuestRamLayout layout,
      long address,
      long fileSize,
      long offset,
      long size)
      throws BadImageException {
    if (size < fileSize) {
      throw image.bad("has a segment larger in the file than in memory: fetch it again");
    }
    if (address < AddressMap.HIGH_MEMORY_START) {
      throw image.bad("loads at 0x%x: link it at 1 MiB (0x100000) or higher".formatted(address));
    }
    if (size > layout.lowRamEnd() - address) {
      throw image.bad(
          "needs RAM up to %d MiB, the machine has %d: give --memory more"
              .formatted(Math.ceilDiv(address + size, 1L << 20), layout.ramSize() >> 20));
    }
    memory.write(address, image.slice(offset, fileSize));
    memory.zero(address + fileSize, size - fileSize);
  }
}
