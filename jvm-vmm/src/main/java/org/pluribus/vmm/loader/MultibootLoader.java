package org.pluribus.vmm.loader;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.pluribus.vmm.memory.AddressMap;
import org.pluribus.vmm.memory.E820Entry;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Loads a Multiboot 1 kernel, as bare-metal test kernels are: a header in the first 8 KiB of an
 * ELF32 file, or of any file if the header itself says what to load where (the "a.out kludge", flag
 * bit 16). Entered in 32-bit protected mode with EAX = 0x2BADB002 and EBX pointing to the
 * information structure.
 *
 * <p>Source: Multiboot Specification 0.6.96.
 */
public final class MultibootLoader implements KernelImage {

  private static final int HEADER_MAGIC = 0x1BAD_B002;
  private static final int BOOT_MAGIC = 0x2BAD_B002;

  /** The header lies completely in this much of the file, on a 4-byte boundary (3.1). */
  private static final int SEARCH_END = 8192;

  private static final int MIN_HEADER = 12;

  /** Header flags: features a loader must know, bits 0 to 15. */
  private static final int MUST_KNOW = 0xFFFF;

  /** Of those, the ones we know: page-aligned modules, memory information, video mode (a wish). */
  private static final int KNOWN = 0b111;

  /** Header flag: address fields valid. */
  private static final int HAS_ADDRESSES = 1 << 16;

  /** Information flags: memory sizes, command line, modules, memory map, loader name (3.3). */
  private static final int INFO_FLAGS = 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9;

  private static final int INFO_SIZE = 88;
  private static final int MODULE_ENTRY_SIZE = 16;
  private static final int MEMORY_MAP_ENTRY_SIZE = 24;

  /** More than the table and name areas could hold is refused. */
  private static final int MAX_MODULES = 64;

  private static final int MAX_MODULE_NAME = 255;
  private static final String LOADER_NAME = "Pluribus";

  /** Behind the information structure, in the same page. */
  private static final long LOADER_NAME_ADDRESS = BootAddresses.PROTOCOL_INFO + 0x100;

  private final ImageFile image;
  private final long header;

  private MultibootLoader(ImageFile image, long header) {
    this.image = image;
    this.header = header;
  }

  static boolean recognises(ImageFile image) throws BadImageException {
    return findHeader(image) >= 0;
  }

  static MultibootLoader of(ImageFile image) throws BadImageException {
    long header = findHeader(image);
    int flags = image.i32(header + 4);
    if ((flags & MUST_KNOW & ~KNOWN) != 0) {
      throw image.bad(
          "asks for Multiboot features 0x%x, of which 0x%x are unknown: build it without"
              .formatted(flags & MUST_KNOW, flags & MUST_KNOW & ~KNOWN));
    }
    if ((flags & HAS_ADDRESSES) == 0) {
      if (!image.isElf()) {
        throw image.bad(
            "has a Multiboot header without addresses and is no ELF file: link it as ELF32");
      }
      if (ElfFile.parse(image).is64()) {
        throw image.bad("is a Multiboot kernel in ELF64: convert it with objcopy -O elf32-i386");
      }
    }
    return new MultibootLoader(image, header);
  }

  private static long findHeader(ImageFile image) throws BadImageException {
    long last = Math.min(image.size(), SEARCH_END) - MIN_HEADER;
    for (long at = 0; at <= last; at += Integer.BYTES) {
      if (image.i32(at) == HEADER_MAGIC
          && HEADER_MAGIC + image.i32(at + 4) + image.i32(at + 8) == 0) {
        return at;
      }
    }
    return -1;
  }

  @Override
  public String describe() {
    return "Multiboot kernel " + image.fileName();
  }

  @Override
  public EntryState load(GuestMemory memory, GuestRamLayout layout, BootOptions options)
      throws BadImageException, IOException {
    boolean hasAddresses = (image.i32(header + 4) & HAS_ADDRESSES) != 0;
    String commandLine = (image.fileName() + " " + options.commandLine()).stripTrailing();
    CommandLine.write(memory, commandLine, BootAddresses.COMMAND_LINE_ROOM - 1);
    long entry;
    long kernelEnd;
    if (hasAddresses) {
      entry = image.u32(header + 28);
      kernelEnd = loadByAddresses(memory, layout);
    } else {
      ElfFile elf = ElfFile.parse(image);
      entry = elf.physicalEntry();
      kernelEnd = elf.load(memory, layout);
    }
    int modules = loadModules(memory, layout, kernelEnd, options.initrds());
    int mapLength = writeMemoryMap(memory, layout.e820());
    writeInfo(memory, layout, modules, mapLength);
    BiosDataArea.write(memory);
    Gdt.write(memory, EntryState.Mode.PROTECTED32);
    return Gdt.protectedMode(entry, BOOT_MAGIC, BootAddresses.PROTOCOL_INFO);
  }

  /** Loads what the header's address fields name (3.1.3); gives the first address behind it. */
  private long loadByAddresses(GuestMemory memory, GuestRamLayout layout) throws BadImageException {
    long headerAddress = image.u32(header + 12);
    long loadAddress = image.u32(header + 16);
    long loadEnd = image.u32(header + 20);
    long bssEnd = image.u32(header + 24);
    long offset = header - (headerAddress - loadAddress);
    if (loadAddress > headerAddress || offset < 0) {
      throw image.bad("has Multiboot addresses that contradict each other: link it again");
    }
    // Zero stands for "to the end of the file" and "no bss".
    long fileSize = loadEnd == 0 ? image.size() - offset : loadEnd - loadAddress;
    long size = bssEnd == 0 ? fileSize : Math.max(fileSize, bssEnd - loadAddress);
    ElfFile.loadBytes(image, memory, layout, loadAddress, fileSize, offset, size);
    return loadAddress + size;
  }

  /** Loads each file behind the kernel, page-aligned, and writes the module list. */
  private static int loadModules(
      GuestMemory memory, GuestRamLayout layout, long kernelEnd, List<Path> files)
      throws BadImageException, IOException {
    if (files.size() > MAX_MODULES) {
      throw new BadImageException(
          "%d initrds are too many: give at most %d".formatted(files.size(), MAX_MODULES));
    }
    List<ImageFile> modules = new ArrayList<>();
    for (Path file : files) {
      modules.add(ImageFile.open(file, "initrd"));
    }
    MemorySegment list = MemorySegment.ofArray(new byte[modules.size() * MODULE_ENTRY_SIZE]);
    long next = pageUp(kernelEnd);
    for (int i = 0; i < modules.size(); i++) {
      ImageFile module = modules.get(i);
      if (module.size() > layout.lowRamEnd() - next) {
        throw module.bad(
            "of %d KiB doesn't fit behind the kernel into RAM of %d MiB: give --memory more"
                .formatted(module.size() >> 10, layout.ramSize() >> 20));
      }
      memory.write(next, module.slice(0, module.size()));
      long name = BootAddresses.MODULE_NAMES + (long) i * (MAX_MODULE_NAME + 1);
      writeText(memory, name, module.fileName(), MAX_MODULE_NAME);
      long at = (long) i * MODULE_ENTRY_SIZE;
      list.set(GuestMemory.LE_INT, at, (int) next);
      list.set(GuestMemory.LE_INT, at + 4, (int) (next + module.size()));
      list.set(GuestMemory.LE_INT, at + 8, (int) name);
      next = pageUp(next + module.size());
    }
    if (!modules.isEmpty()) {
      memory.write(BootAddresses.MODULE_LIST, list);
    }
    return modules.size();
  }

  private static int writeMemoryMap(GuestMemory memory, List<E820Entry> map) {
    MemorySegment table = MemorySegment.ofArray(new byte[map.size() * MEMORY_MAP_ENTRY_SIZE]);
    for (int i = 0; i < map.size(); i++) {
      long at = (long) i * MEMORY_MAP_ENTRY_SIZE;
      // An entry's size field doesn't count itself.
      table.set(GuestMemory.LE_INT, at, MEMORY_MAP_ENTRY_SIZE - Integer.BYTES);
      table.set(GuestMemory.LE_LONG, at + 4, map.get(i).start());
      table.set(GuestMemory.LE_LONG, at + 12, map.get(i).length());
      table.set(GuestMemory.LE_INT, at + 20, map.get(i).type().code);
    }
    memory.write(BootAddresses.MEMORY_MAP, table);
    return (int) table.byteSize();
  }

  private static void writeInfo(
      GuestMemory memory, GuestRamLayout layout, int modules, int mapLength) {
    MemorySegment info = MemorySegment.ofArray(new byte[INFO_SIZE]);
    info.set(GuestMemory.LE_INT, 0, INFO_FLAGS);
    info.set(GuestMemory.LE_INT, 4, (int) (AddressMap.EBDA_START >> 10));
    long upper = layout.lowRamEnd() - AddressMap.HIGH_MEMORY_START;
    info.set(GuestMemory.LE_INT, 8, (int) (upper >> 10));
    info.set(GuestMemory.LE_INT, 16, (int) BootAddresses.COMMAND_LINE);
    info.set(GuestMemory.LE_INT, 20, modules);
    info.set(GuestMemory.LE_INT, 24, (int) BootAddresses.MODULE_LIST);
    info.set(GuestMemory.LE_INT, 44, mapLength);
    info.set(GuestMemory.LE_INT, 48, (int) BootAddresses.MEMORY_MAP);
    info.set(GuestMemory.LE_INT, 64, (int) LOADER_NAME_ADDRESS);
    memory.write(BootAddresses.PROTOCOL_INFO, info);
    writeText(memory, LOADER_NAME_ADDRESS, LOADER_NAME, LOADER_NAME.length());
  }

  private static void writeText(GuestMemory memory, long at, String text, int maxLength) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(bytes.length, maxLength);
    memory.writeBytes(at, Arrays.copyOf(Arrays.copyOf(bytes, length), length + 1));
  }

  private static long pageUp(long address) {
    return (address + GuestMemory.PAGE_SIZE - 1) & -GuestMemory.PAGE_SIZE;
  }
}
