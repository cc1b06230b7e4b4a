package org.pluribus.vmm.devices;

/** Every I/O port and interrupt of the machine's fixed devices, with its reason. */
public final class PortMap {

  private PortMap() {}

  /** i8042 data port (PC/AT). */
  public static final int I8042_DATA = 0x60;

  /** i8042 command and status port (PC/AT). */
  public static final int I8042_COMMAND = 0x64;

  /** RTC and CMOS index port; data is at the next (PC/AT). */
  public static final int RTC = 0x70;

  /** Ports of the RTC. */
  public static final int RTC_SIZE = 2;

  /** POST code display (PC/AT); Linux writes to it to pass a microsecond (native_io_delay). */
  public static final int POST_CODE = 0x80;

  /** Debug console of Bochs and QEMU: each byte written is printed. */
  public static final int DEBUG_CONSOLE = 0xE9;

  /** isa-debug-exit as bare-metal test kernels expect it (kvm-unit-tests, lib/x86/io.c). */
  public static final int DEBUG_EXIT = 0xF4;

  /** Ports of the debug exit, so that it can be written 4 bytes wide. */
  public static final int DEBUG_EXIT_SIZE = 4;

  /** First serial port (PC/AT): ttyS0. */
  public static final int COM1 = 0x3F8;

  /** Ports of a 16550. */
  public static final int COM_SIZE = 8;

  /** ISA interrupt of the first serial port (PC/AT). */
  public static final int COM1_IRQ = 4;

  /**
   * ACPI power management block: PM1 status and enable (4 bytes), PM1 control (2), a gap (2), PM
   * timer (4). Free choice, told in the FADT; QEMU's chipsets have it here too.
   */
  public static final int ACPI_PM = 0x600;

  /** Bytes of the ACPI power management block. */
  public static final int ACPI_PM_SIZE = 12;

  /** PM1 event registers. */
  public static final int ACPI_PM1_EVENT = ACPI_PM;

  /** PM1 control register. */
  public static final int ACPI_PM1_CONTROL = ACPI_PM + 4;

  /** PM timer. */
  public static final int ACPI_PM_TIMER = ACPI_PM + 8;

  /** ACPI's system control interrupt: IRQ 9 as on every PC chipset. */
  public static final int ACPI_SCI_IRQ = 9;

  /** Reset control register of PC chipsets since the PIIX; the FADT names it too. */
  public static final int RESET_CONTROL = 0xCF9;
}
