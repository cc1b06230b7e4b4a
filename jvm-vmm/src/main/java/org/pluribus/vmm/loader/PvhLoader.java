package org.pluribus.vmm.loader;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.pluribus.vmm.memory.E820Entry;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Loads an uncompressed ELF kernel through its PVH entry: 32-bit protected mode, paging off, EBX
 * pointing to an hvm_start_info with memory map, modules and command line. An ELF note of owner
 * "Xen" and type XEN_ELFNOTE_PHYS32_ENTRY tells the entry point (Linux: CONFIG_PVH).
 *
 * <p>Source: Xen's docs/misc/pvh.pandoc, include/public/arch-x86/hvm/start_info.h and elfnote.h.
 */
public final class PvhLoader implements KernelImage {

  /** XEN_ELFNOTE_PHYS32_ENTRY. */
  private static final int PHYS32_ENTRY = 18;

  /** Name of the note's owner, "Xen" and NUL, little-endian. */
  private static final int OWNER_XEN = 0x006E_6558;

  private static final int NOTE_HEADER = 12;
  private static final int NOTE_ALIGNMENT = 4;

  /** XEN_HVM_START_MAGIC_VALUE. */
  private static final int START_MAGIC = 0x336E_C578;

  /** Version with a memory map. */
  private static final int START_VERSION = 1;

  private static final int START_INFO_SIZE = 56;
  private static final int MODULE_ENTRY_SIZE = 32;
  private static final int MEMORY_MAP_ENTRY_SIZE = 24;

  /** Linux copies at most this many bytes (COMMAND_LINE_SIZE 2048 with terminator, x86). */
  private static final int MAX_COMMAND_LINE = 2047;

  private final ImageFile image;
  private final ElfFile elf;
  private final long entry;

  private PvhLoader(ImageFile image, ElfFile elf, long entry) {
    this.image = image;
    this.elf = elf;
    this.entry = entry;
  }

  static boolean recognises(ImageFile image) throws BadImageException {
    return image.isElf() && findEntry(image, ElfFile.parse(image)) != 0;
  }

  static PvhLoader of(ImageFile image) throws BadImageException {
    ElfFile elf = ElfFile.parse(image);
    return new PvhLoader(image, elf, findEntry(image, elf));
  }

  /** The entry point the Xen note names; 0 if there is no such note. */
  private static long findEntry(ImageFile image, ElfFile elf) throws BadImageException {
    for (ElfFile.Segment segment : elf.segments()) {
      if (segment.type() == ElfFile.PT_NOTE) {
        long entry = findEntry(image, segment.offset(), segment.offset() + segment.fileSize());
        if (entry != 0) {
          return entry;
        }
      }
    }
    return 0;
  }

  private static long findEntry(ImageFile image, long start, long end) throws BadImageException {
    long at = start;
    while (at + NOTE_HEADER <= end) {
      long nameSize = image.u32(at);
      long descriptorSize = image.u32(at + 4);
      int type = image.i32(at + 8);
      long name = at + NOTE_HEADER;
      long descriptor = name + align(nameSize);
      if (type == PHYS32_ENTRY && nameSize == Integer.BYTES && image.i32(name) == OWNER_XEN) {
        return image.u32(descriptor);
      }
      at = descriptor + align(descriptorSize);
    }
    return 0;
  }

  private static long align(long size) {
    return (size + NOTE_ALIGNMENT - 1) & -NOTE_ALIGNMENT;
  }

  @Override
  public String describe() {
    return "PVH kernel (ELF%d) %s".formatted(elf.is64() ? 64 : 32, image.fileName());
  }

  @Override
  public EntryState load(GuestMemory memory, GuestRamLayout layout, BootOptions options)
      throws BadImageException, IOException {
    Initrd initrd = Initrd.open(options.initrds());
    CommandLine.writeForLinux(memory, options, MAX_COMMAND_LINE);
    long kernelEnd = elf.load(memory, layout);
    long initrdStart = initrd.load(memory, layout, kernelEnd, layout.lowRamEnd());
    int modules = initrd.size() == 0 ? 0 : 1;
    if (modules != 0) {
      MemorySegment list = MemorySegment.ofArray(new byte[MODULE_ENTRY_SIZE]);
      list.set(GuestMemory.LE_LONG, 0, initrdStart);
      list.set(GuestMemory.LE_LONG, 8, initrd.size());
      memory.write(BootAddresses.MODULE_LIST, list);
    }
    List<E820Entry> map = layout.e820();
    writeMemoryMap(memory, map);
    writeStartInfo(memory, modules, map.size(), options.rsdp());
    BiosDataArea.write(memory);
    Gdt.write(memory, EntryState.Mode.PROTECTED32);
    return Gdt.protectedMode(entry, 0, BootAddresses.PROTOCOL_INFO);
  }

  private static void writeMemoryMap(GuestMemory memory, List<E820Entry> map) {
    MemorySegment table = MemorySegment.ofArray(new byte[map.size() * MEMORY_MAP_ENTRY_SIZE]);
    for (int i = 0; i < map.size(); i++) {
      long at = (long) i * MEMORY_MAP_ENTRY_SIZE;
      table.set(GuestMemory.LE_LONG, at, map.get(i).start());
      table.set(GuestMemory.LE_LONG, at + 8, map.get(i).length());
      table.set(GuestMemory.LE_INT, at + 16, map.get(i).type().code);
    }
    memory.write(BootAddresses.MEMORY_MAP, table);
  }

  private static void writeStartInfo(
      GuestMemory memory, int modules, int memoryMapEntries, long rsdp) {
    MemorySegment info = MemorySegment.ofArray(new byte[START_INFO_SIZE]);
    info.set(GuestMemory.LE_INT, 0, START_MAGIC);
    info.set(GuestMemory.LE_INT, 4, START_VERSION);
    info.set(GuestMemory.LE_INT, 12, modules);
    info.set(GuestMemory.LE_LONG, 16, modules == 0 ? 0 : BootAddresses.MODULE_LIST);
    info.set(GuestMemory.LE_LONG, 24, BootAddresses.COMMAND_LINE);
    info.set(GuestMemory.LE_LONG, 32, rsdp);
    info.set(GuestMemory.LE_LONG, 40, BootAddresses.MEMORY_MAP);
    info.set(GuestMemory.LE_INT, 48, memoryMapEntries);
    memory.write(BootAddresses.PROTOCOL_INFO, info);
  }
}
