package org.pluribus.vmm.acpi;

import java.util.List;
import org.pluribus.vmm.devices.AcpiPm;
import org.pluribus.vmm.devices.PortMap;

/**
 * Differentiated system description table: the devices that can't be probed for, and the sleep
 * state S5, as AML (ACPI 6.5, 5.2.11.1).
 */
final class Dsdt {

  /** Revision 2: integers are 64 bits wide. */
  private static final int REVISION = 2;

  /** Processor device names are C and three hexadecimal digits. */
  private static final int MAX_VCPUS = 0x1000;

  private static final String SERIAL_16550A = "PNP0501";
  private static final String AT_RTC = "PNP0B00";
  private static final String MOTHERBOARD_RESOURCES = "PNP0C02";

  /** A processor as a device (ACPI 6.5, 8.4). */
  private static final String PROCESSOR = "ACPI0007";

  private Dsdt() {}

  /**
   * @param moreDevices terms to put into \_SB besides ours, each a complete AML term
   */
  static byte[] build(int vcpus, List<byte[]> moreDevices) {
    if (vcpus > MAX_VCPUS) {
      throw new IllegalArgumentException(
          "%d vCPUs are more than the %d the DSDT can name".formatted(vcpus, MAX_VCPUS));
    }
    TableWriter table = new TableWriter("DSDT", REVISION);
    table.raw(sleepStateS5());
    table.raw(Aml.scope("\\_SB", processors(vcpus), fixedDevices(), join(moreDevices)));
    return table.finish();
  }

  /** What to write into SLP_TYP of PM1a and PM1b to power off; the rest is reserved. */
  private static byte[] sleepStateS5() {
    byte[] type = Aml.integer(AcpiPm.SLEEP_TYPE_S5);
    return Aml.named("\\_S5", Aml.packageOf(type, type, Aml.integer(0), Aml.integer(0)));
  }

  private static byte[] processors(int count) {
    byte[][] devices = new byte[count][];
    for (int uid = 0; uid < count; uid++) {
      devices[uid] =
          Aml.device(
              "C%03X".formatted(uid),
              Aml.named("_HID", Aml.string(PROCESSOR)),
              Aml.named("_UID", Aml.integer(uid)));
    }
    return Aml.join(devices);
  }

  private static byte[] fixedDevices() {
    return Aml.join(
        device(
            "COM1",
            SERIAL_16550A,
            Aml.io(PortMap.COM1, PortMap.COM_SIZE),
            Aml.irq(PortMap.COM1_IRQ)),
        device("RTC", AT_RTC, Aml.io(PortMap.RTC, PortMap.RTC_SIZE)),
        device("MBRD", MOTHERBOARD_RESOURCES, Aml.io(PortMap.ACPI_PM, PortMap.ACPI_PM_SIZE)));
  }

  private static byte[] device(String name, String id, byte[]... resources) {
    return Aml.device(
        name,
        Aml.named("_HID", Aml.eisaId(id)),
        Aml.named("_UID", Aml.integer(0)),
        Aml.named("_CRS", Aml.resourceTemplate(resources)));
  }

  private static byte[] join(List<byte[]> terms) {
    return Aml.join(terms.toArray(new byte[0][]));
  }
}
