package org.pluribus.vmm.loader;

import java.lang.foreign.MemorySegment;
import org.pluribus.vmm.memory.GuestMemory;

/**
 * Page tables that map the first 4 GiB to themselves in 2 MiB pages: what boot.rst asks for
 * (kernel, boot_params and command line must be mapped), and enough for an initrd anywhere in low
 * RAM.
 */
final class IdentityPageTables {

  /** Present, writable (SDM vol. 3, 5.5.4); accessed, so that the CPU need not write it back. */
  private static final long TABLE_FLAGS = 0x23;

  /** Present, writable, accessed, dirty, page size 2 MiB. */
  private static final long LARGE_PAGE_FLAGS = 0xE3;

  private static final int ENTRIES = GuestMemory.PAGE_SIZE / Long.BYTES;
  private static final int GIGABYTES = 4;
  private static final long LARGE_PAGE = 2L << 20;

  private IdentityPageTables() {}

  /** Writes six pages from {@link BootAddresses#PML4}. */
  static void write(GuestMemory memory) {
    long pdpt = BootAddresses.PML4 + GuestMemory.PAGE_SIZE;
    long firstDirectory = pdpt + GuestMemory.PAGE_SIZE;
    int pages = 2 + GIGABYTES;
    MemorySegment tables = MemorySegment.ofArray(new byte[pages * GuestMemory.PAGE_SIZE]);
    tables.set(GuestMemory.LE_LONG, 0, pdpt | TABLE_FLAGS);
    for (int i = 0; i < GIGABYTES; i++) {
      long directory = firstDirectory + (long) i * GuestMemory.PAGE_SIZE;
      tables.set(
          GuestMemory.LE_LONG,
          GuestMemory.PAGE_SIZE + (long) i * Long.BYTES,
          directory | TABLE_FLAGS);
    }
    for (int i = 0; i < GIGABYTES * ENTRIES; i++) {
      tables.set(
          GuestMemory.LE_LONG,
          2L * GuestMemory.PAGE_SIZE + (long) i * Long.BYTES,
          i * LARGE_PAGE | LARGE_PAGE_FLAGS);
    }
    memory.write(BootAddresses.PML4, tables);
  }
}
