package org.pluribus.vmm.acpi;

import org.pluribus.vmm.devices.CmosRtc;
import org.pluribus.vmm.devices.PortMap;
import org.pluribus.vmm.devices.ResetControl;

/** Fixed ACPI description table: the power management registers' addresses (ACPI 6.5, 5.2.9). */
final class Fadt {

  /** Bytes of revision 6. */
  static final int SIZE = 276;

  private static final int REVISION = 6;
  private static final int MINOR_REVISION = 5;

  /** Preferred_PM_Profile: enterprise server. */
  private static final int ENTERPRISE_SERVER = 4;

  /** Latencies that mean "this C state isn't there" (5.2.9, P_LVL2_LAT and P_LVL3_LAT). */
  private static final int NO_C2 = 101;

  private static final int NO_C3 = 1001;

  /**
   * IAPC_BOOT_ARCH: there are legacy devices (the serial port), no VGA, no MSI yet. Bit 1 stays
   * clear: no keyboard controller to probe for, though its port 0x64 resets the machine.
   */
  private static final int BOOT_ARCH = 1 << 0 | 1 << 2 | 1 << 3;

  /**
   * Flags: WBINVD works, C1 on every CPU, no sleep button, RTC can't wake, 32-bit PM timer, reset
   * register; physical destinations, please: a logical one would have to go to every node.
   */
  private static final long FLAGS = 1 << 0 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 19;

  private static final int PM1_EVENT_BITS = 32;
  private static final int PM1_CONTROL_BITS = 16;
  private static final int PM_TIMER_BITS = 32;

  private Fadt() {}

  static byte[] build(long facs, long dsdt) {
    TableWriter table = new TableWriter("FACP", REVISION);
    table.u32(facs).u32(dsdt).u8(0).u8(ENTERPRISE_SERVER).u16(PortMap.ACPI_SCI_IRQ);
    // No SMI command: there is no firmware to take over from.
    table.u32(0).zeros(4);
    table.u32(PortMap.ACPI_PM1_EVENT).u32(0).u32(PortMap.ACPI_PM1_CONTROL).u32(0).u32(0);
    table.u32(PortMap.ACPI_PM_TIMER).u32(0).u32(0);
    table.u8(PM1_EVENT_BITS / 8).u8(PM1_CONTROL_BITS / 8).u8(0).u8(PM_TIMER_BITS / 8);
    // No general-purpose events, no C-state control.
    table.u8(0).u8(0).u8(0).u8(0);
    table.u16(NO_C2).u16(NO_C3);
    // Cache flush and duty cycle: not used. RTC alarms: none.
    table.u16(0).u16(0).u8(0).u8(0).u8(0).u8(0).u8(CmosRtc.CENTURY);
    table.u16(BOOT_ARCH).u8(0).u32(FLAGS);
    table.ioRegister(PortMap.RESET_CONTROL, Byte.SIZE).u8(ResetControl.RESET_VALUE);
    table.u16(0).u8(MINOR_REVISION);
    // FACS: the 32-bit field above, not both (5.2.9, X_FIRMWARE_CTRL).
    table.u64(0).u64(dsdt);
    table.ioRegister(PortMap.ACPI_PM1_EVENT, PM1_EVENT_BITS).noRegister();
    table.ioRegister(PortMap.ACPI_PM1_CONTROL, PM1_CONTROL_BITS).noRegister();
    table.noRegister();
    table.ioRegister(PortMap.ACPI_PM_TIMER, PM_TIMER_BITS);
    // GPE blocks, sleep control and status (hardware-reduced machines only), hypervisor vendor.
    table.noRegister().noRegister().noRegister().noRegister().u64(0);
    return table.finish();
  }
}
