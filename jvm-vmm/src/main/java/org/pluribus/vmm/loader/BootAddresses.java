package org.pluribus.vmm.loader;

/**
 * Where the loaders put their tables: conventional memory below 640 KiB, which no kernel's image
 * covers and which Linux reserves while it boots (the whole first megabyte, reserve_real_mode()).
 * Nothing here is read any more once the kernel runs on its own tables.
 */
final class BootAddresses {

  private BootAddresses() {}

  /** GDT: just above the real-mode interrupt table and the BIOS data area (0 to 0x4FF). */
  static final long GDT = 0x500;

  /** PVH start info, Multiboot info, or Linux setup_data: a page of its own. */
  static final long PROTOCOL_INFO = 0x6000;

  /** Linux boot_params (one page), or the module list of the other protocols. */
  static final long BOOT_PARAMS = 0x7000;

  /** Module list of PVH and Multiboot; that protocol has no boot_params. */
  static final long MODULE_LIST = 0x7000;

  /** Memory map of PVH and Multiboot: in the page after the module list. */
  static final long MEMORY_MAP = 0x8000;

  /** Top of the first stack, which grows down through the page of {@link #MEMORY_MAP}. */
  static final long STACK_TOP = 0x8FF0;

  /** Root of the identity page tables: one PML4, one PDPT, four page directories, back to back. */
  static final long PML4 = 0x9000;

  /** Command line; 64 KiB are free from here. */
  static final long COMMAND_LINE = 0x2_0000;

  /** Room for the command line and its terminator, in bytes. */
  static final int COMMAND_LINE_ROOM = 0x1_0000;

  /** Names of Multiboot modules; 64 KiB are free from here. */
  static final long MODULE_NAMES = 0x3_0000;
}
