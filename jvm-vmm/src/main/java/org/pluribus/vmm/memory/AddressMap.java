package org.pluribus.vmm.memory;

/**
 * Every fixed guest-physical address of the machine, with its reason. One PC, as PC/AT, ACPI and
 * Linux expect it; where we are free to choose, the reason says so.
 *
 * <pre>
 *   0x0000_0000  start block: GDT, boot parameters, first page tables (gone once the kernel runs)
 *   0x0009_FC00  extended BIOS data area (reserved)
 *   0x000A_0000  legacy video and option ROM window (not offered as RAM)
 *   0x000E_0000  firmware area: ACPI tables
 *   0x0010_0000  RAM: kernel, initrd, everything else
 *   0xC000_0000  hole for PCI devices (MMIO), when RAM is larger it goes on at 4 GiB
 *   0xFEC0_0000  IOAPIC
 *   0xFEE0_0000  local APICs
 *   0x1_0000_0000  RAM above the hole
 * </pre>
 */
public final class AddressMap {

  private AddressMap() {}

  /**
   * End of conventional memory that is offered as RAM. The last KiB below 640 KiB is where a PC
   * BIOS keeps its extended data area; Linux looks there for an RSDP and expects it not to be RAM
   * (arch/x86/kernel/ebda.c).
   */
  public static final long EBDA_START = 0x9_FC00;

  /** Start of the video memory window; end of conventional memory (PC/AT). */
  public static final long LEGACY_HOLE_START = 0xA_0000;

  /**
   * Firmware area, where operating systems search for the RSDP on 16-byte boundaries (ACPI 6.5,
   * 5.2.5.1). All our ACPI tables are in it.
   */
  public static final long ACPI_START = 0xE_0000;

  /** End of the firmware area and of the first megabyte. */
  public static final long ACPI_END = 0x10_0000;

  /** RAM above the first megabyte; the lowest address at which kernels are loaded. */
  public static final long HIGH_MEMORY_START = 0x10_0000;

  /**
   * Largest end of RAM below 4 GiB. The gigabyte above it belongs to devices: BARs of 32-bit PCI
   * functions, IOAPIC, local APICs, firmware flash. A whole gigabyte, so that RAM on both sides of
   * the hole can be mapped with 1 GiB pages.
   */
  public static final long PCI_HOLE_START = 0xC000_0000L;

  /**
   * Where RAM goes on when it doesn't fit below {@link #PCI_HOLE_START}: the first 4 GiB end here.
   */
  public static final long PCI_HOLE_END = 0x1_0000_0000L;

  /** IOAPIC registers: the address every PC chipset since the 82093AA uses. */
  public static final long IOAPIC_BASE = 0xFEC0_0000L;

  /** Bytes of the IOAPIC's window. */
  public static final long IOAPIC_SIZE = 0x1000;

  /** Local APIC registers after reset (SDM vol. 3, 12.4.1). */
  public static final long LAPIC_BASE = 0xFEE0_0000L;

  /** Bytes of the local APIC's window (SDM vol. 3, 12.4.1). */
  public static final long LAPIC_SIZE = 0x1000;
}
