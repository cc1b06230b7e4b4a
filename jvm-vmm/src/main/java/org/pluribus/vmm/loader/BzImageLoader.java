package org.pluribus.vmm.loader;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.pluribus.vmm.memory.AddressMap;
import org.pluribus.vmm.memory.E820Entry;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Loads a bzImage (vmlinuz) by the 64-bit Linux boot protocol.
 *
 * <p>A bzImage is a real-mode setup part of a few sectors, which we only read the header of, and
 * the protected-mode kernel behind it, which unpacks itself. The header says where it wants to be
 * ({@code pref_address}) and how much memory from there on it uses until it is unpacked ({@code
 * init_size}). In 64-bit mode the kernel is entered 0x200 bytes behind its start, with RSI pointing
 * to a page of {@code boot_params}: our copy of the header plus memory map, initrd and command
 * line.
 *
 * <p>Source of all offsets: kernel Documentation/arch/x86/boot.rst and zero-page.rst,
 * arch/x86/include/uapi/asm/bootparam.h.
 */
public final class BzImageLoader implements KernelImage {

  /** Header fields: offsets in the file, and the same in boot_params. */
  private static final int SETUP_SECTS = 0x1F1;

  private static final int SYSSIZE = 0x1F4;
  private static final int BOOT_FLAG = 0x1FE;

  /** Second byte of the header's jump instruction: its distance, so where the header ends. */
  private static final int JUMP_DISTANCE = 0x201;

  private static final int HEADER_MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int KERNEL_VERSION = 0x20E;
  private static final int TYPE_OF_LOADER = 0x210;
  private static final int LOADFLAGS = 0x211;
  private static final int RAMDISK_IMAGE = 0x218;
  private static final int RAMDISK_SIZE = 0x21C;
  private static final int CMD_LINE_PTR = 0x228;
  private static final int INITRD_ADDR_MAX = 0x22C;
  private static final int XLOADFLAGS = 0x236;
  private static final int CMDLINE_SIZE = 0x238;
  private static final int SETUP_DATA = 0x250;
  private static final int PREF_ADDRESS = 0x258;
  private static final int INIT_SIZE = 0x260;
  private static final int MIN_HEADER_END = 0x264;

  /** Fields of boot_params outside the header. */
  private static final int ACPI_RSDP_ADDR = 0x70;

  private static final int E820_COUNT = 0x1E8;
  private static final int E820_TABLE = 0x2D0;
  private static final int E820_ENTRY_SIZE = 20;

  /**
   * Where the header must end at the latest, for the tables behind it (zero-page.rst: edd_mbr_sig).
   */
  private static final int HEADER_ROOM_END = 0x290;

  private static final int BOOT_FLAG_VALUE = 0xAA55;

  /** "HdrS". */
  private static final int HEADER_MAGIC_VALUE = 0x5372_6448;

  /** First protocol version with xloadflags, which tells of the 64-bit entry (Linux 3.8). */
  private static final int MIN_VERSION = 0x020C;

  /** loadflags: the protected-mode kernel is to be loaded at 1 MiB or higher. */
  private static final int LOADED_HIGH = 0x01;

  /** xloadflags: XLF_KERNEL_64, the entry point at 0x200 exists. */
  private static final int KERNEL_64 = 0x01;

  /** type_of_loader for loaders without a number of their own. */
  private static final int LOADER_UNDEFINED = 0xFF;

  private static final int ENTRY_64_OFFSET = 0x200;
  private static final int SECTOR = 512;

  /** What setup_sects = 0 stands for, for ancient kernels' sake. */
  private static final int DEFAULT_SETUP_SECTS = 4;

  /** Unit of syssize. */
  private static final int PARAGRAPH = 16;

  /** Type of the setup_data entry with a seed for the random number generator (Linux 6.0). */
  private static final int SETUP_RNG_SEED = 9;

  /** struct setup_data: next pointer, type, length. */
  private static final int SETUP_DATA_HEADER = 16;

  private static final int MAX_VERSION_TEXT = 128;

  private final ImageFile image;
  private final int headerEnd;
  private final long kernelOffset;
  private final long kernelSize;
  private final long loadAddress;
  private final long initSize;

  private BzImageLoader(ImageFile image, int headerEnd, long kernelOffset, long kernelSize)
      throws BadImageException {
    this.image = image;
    this.headerEnd = headerEnd;
    this.kernelOffset = kernelOffset;
    this.kernelSize = kernelSize;
    this.loadAddress = image.u64(PREF_ADDRESS);
    this.initSize = image.u32(INIT_SIZE);
  }

  static boolean recognises(ImageFile image) throws BadImageException {
    return image.size() >= HEADER_MAGIC + Integer.BYTES
        && image.u16(BOOT_FLAG) == BOOT_FLAG_VALUE
        && image.i32(HEADER_MAGIC) == HEADER_MAGIC_VALUE;
  }

  static BzImageLoader of(ImageFile image) throws BadImageException {
    int version = image.u16(VERSION);
    if (version < MIN_VERSION) {
      throw image.bad(
          "speaks Linux boot protocol %d.%02d, 2.12 is needed: give a kernel of Linux 3.8 or later"
              .formatted(version >> 8, version & 0xFF));
    }
    if ((image.u16(XLOADFLAGS) & KERNEL_64) == 0) {
      throw image.bad("is a 32-bit Linux kernel: give a 64-bit (amd64) one");
    }
    if ((image.u8(LOADFLAGS) & LOADED_HIGH) == 0) {
      throw image.bad("is a zImage, which loads below 1 MiB: give a bzImage");
    }
    int headerEnd = HEADER_MAGIC + image.u8(JUMP_DISTANCE);
    if (headerEnd < MIN_HEADER_END || headerEnd > HEADER_ROOM_END) {
      throw image.bad("has a damaged setup header: fetch it again");
    }
    int setupSectors = image.u8(SETUP_SECTS);
    long kernelOffset =
        (long) SECTOR * (1 + (setupSectors == 0 ? DEFAULT_SETUP_SECTS : setupSectors));
    long kernelSize = image.u32(SYSSIZE) * PARAGRAPH;
    long present = image.size() - kernelOffset;
    // syssize is rounded up to paragraphs, so the last one may be incomplete.
    if (present <= kernelSize - PARAGRAPH) {
      throw image.bad(
          "is truncated (%d of %d bytes): fetch it again"
              .formatted(image.size(), kernelOffset + kernelSize));
    }
    BzImageLoader loader =
        new BzImageLoader(image, headerEnd, kernelOffset, Math.min(kernelSize, present));
    if (loader.loadAddress < AddressMap.HIGH_MEMORY_START || loader.initSize < loader.kernelSize) {
      throw image.bad("has a damaged setup header: fetch it again");
    }
    return loader;
  }

  @Override
  public String describe() {
    try {
      int pointer = image.u16(KERNEL_VERSION);
      String version = image.text(SECTOR + pointer, MAX_VERSION_TEXT);
      int space = version.indexOf(' ');
      return "Linux bzImage " + (space < 0 ? version : version.substring(0, space));
    } catch (BadImageException e) {
      return "Linux bzImage";
    }
  }

  @Override
  public EntryState load(GuestMemory memory, GuestRamLayout layout, BootOptions options)
      throws BadImageException, IOException {
    long kernelEnd = loadAddress + initSize;
    if (initSize > layout.lowRamEnd() - loadAddress) {
      throw image.bad(
          "needs %d MiB of RAM to unpack itself, the machine has %d: give --memory at least %1$dM"
              .formatted(
                  Math.ceilDiv(kernelEnd, GuestRamLayout.GRANULE) * 2, layout.ramSize() >> 20));
    }
    Initrd initrd = Initrd.open(options.initrds());
    CommandLine.writeForLinux(memory, options, image.u32(CMDLINE_SIZE));
    long initrdStart = initrd.load(memory, layout, kernelEnd, image.u32(INITRD_ADDR_MAX) + 1);
    memory.write(loadAddress, image.slice(kernelOffset, kernelSize));
    long setupData = writeRngSeed(memory, options.rngSeed());
    memory.write(
        BootAddresses.BOOT_PARAMS,
        bootParams(layout, options.rsdp(), initrdStart, initrd.size(), setupData));
    IdentityPageTables.write(memory);
    BiosDataArea.write(memory);
    Gdt.write(memory, EntryState.Mode.LONG64);
    return Gdt.longMode(loadAddress + ENTRY_64_OFFSET, BootAddresses.BOOT_PARAMS);
  }

  private MemorySegment bootParams(
      GuestRamLayout layout, long rsdp, long initrdStart, long initrdSize, long setupData)
      throws BadImageException {
    MemorySegment params = MemorySegment.ofArray(new byte[GuestMemory.PAGE_SIZE]);
    int headerSize = headerEnd - SETUP_SECTS;
    MemorySegment.copy(image.slice(SETUP_SECTS, headerSize), 0, params, SETUP_SECTS, headerSize);
    params.set(ValueLayout.JAVA_BYTE, TYPE_OF_LOADER, (byte) LOADER_UNDEFINED);
    params.set(GuestMemory.LE_INT, RAMDISK_IMAGE, (int) initrdStart);
    params.set(GuestMemory.LE_INT, RAMDISK_SIZE, (int) initrdSize);
    params.set(GuestMemory.LE_INT, CMD_LINE_PTR, (int) BootAddresses.COMMAND_LINE);
    params.set(GuestMemory.LE_LONG, SETUP_DATA, setupData);
    params.set(GuestMemory.LE_LONG, ACPI_RSDP_ADDR, rsdp);
    List<E820Entry> map = layout.e820();
    params.set(ValueLayout.JAVA_BYTE, E820_COUNT, (byte) map.size());
    for (int i = 0; i < map.size(); i++) {
      long at = E820_TABLE + (long) i * E820_ENTRY_SIZE;
      params.set(GuestMemory.LE_LONG, at, map.get(i).start());
      params.set(GuestMemory.LE_LONG, at + 8, map.get(i).length());
      params.set(GuestMemory.LE_INT, at + 16, map.get(i).type().code);
    }
    return params;
  }

  /** Writes a setup_data entry; gives its GPA, or 0 if there is no seed. */
  private static long writeRngSeed(GuestMemory memory, byte[] seed) throws BadImageException {
    if (seed.length == 0) {
      return 0;
    }
    if (seed.length > GuestMemory.PAGE_SIZE - SETUP_DATA_HEADER) {
      throw new BadImageException("random seed of %d bytes is too long".formatted(seed.length));
    }
    long at = BootAddresses.PROTOCOL_INFO;
    memory.writeLong(at, 0);
    memory.writeInt(at + 8, SETUP_RNG_SEED);
    memory.writeInt(at + 12, seed.length);
    memory.writeBytes(at + SETUP_DATA_HEADER, seed);
    return at;
  }
}
