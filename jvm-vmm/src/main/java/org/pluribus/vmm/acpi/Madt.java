package org.pluribus.vmm.acpi;

import java.util.List;
import org.pluribus.vmm.devices.PortMap;
import org.pluribus.vmm.memory.AddressMap;

/** Multiple APIC description table: all interrupt controllers (ACPI 6.5, 5.2.12). */
final class Madt {

  private static final int REVISION = 5;

  /** Flag: there are two 8259 PICs too, to be masked. */
  private static final int PCAT_COMPAT = 1;

  /** Interrupt controller structure types. */
  private static final int LOCAL_APIC = 0;

  private static final int IO_APIC = 1;
  private static final int SOURCE_OVERRIDE = 2;
  private static final int LOCAL_APIC_NMI = 4;
  private static final int LOCAL_X2APIC = 9;
  private static final int LOCAL_X2APIC_NMI = 10;

  private static final int ENABLED = 1;

  /** The only IOAPIC: it has all GSIs from 0 on. */
  private static final int IO_APIC_ID = 0;

  /** The PIT's line goes to IOAPIC input 2, as on every PC (input 0 has the 8259's output). */
  private static final int TIMER_IRQ = 0;

  private static final int TIMER_GSI = 2;

  /** MPS INTI flags: as the bus does (ISA: edge, active high). */
  private static final int CONFORMING = 0;

  /** MPS INTI flags: level-triggered, active high (5.2.12.5, table 5.26). */
  private static final int LEVEL_HIGH = 0xD;

  /** NMIs come to LINT1 of all CPUs, which are named by these UIDs. */
  private static final int NMI_LINT = 1;

  private static final int ALL_PROCESSORS = 0xFF;
  private static final long ALL_X2APIC_PROCESSORS = 0xFFFF_FFFFL;

  private Madt() {}

  static byte[] build(List<VcpuPlacement> vcpus) {
    TableWriter table = new TableWriter("APIC", REVISION);
    table.u32(AddressMap.LAPIC_BASE).u32(PCAT_COMPAT);
    boolean anyX2apic = false;
    for (int uid = 0; uid < vcpus.size(); uid++) {
      VcpuPlacement vcpu = vcpus.get(uid);
      // A UID above 255 doesn't fit into the short structure either.
      if (vcpu.needsX2apic() || uid > VcpuPlacement.MAX_XAPIC_ID) {
        anyX2apic = true;
        table.u8(LOCAL_X2APIC).u8(16).u16(0).u32(vcpu.apicId()).u32(ENABLED).u32(uid);
      } else {
        table.u8(LOCAL_APIC).u8(8).u8(uid).u8(vcpu.apicId()).u32(ENABLED);
      }
    }
    table.u8(IO_APIC).u8(12).u8(IO_APIC_ID).u8(0).u32(AddressMap.IOAPIC_BASE).u32(0);
    override(table, TIMER_IRQ, TIMER_GSI, CONFORMING);
    override(table, PortMap.ACPI_SCI_IRQ, PortMap.ACPI_SCI_IRQ, LEVEL_HIGH);
    table.u8(LOCAL_APIC_NMI).u8(6).u8(ALL_PROCESSORS).u16(CONFORMING).u8(NMI_LINT);
    if (anyX2apic) {
      table.u8(LOCAL_X2APIC_NMI).u8(12).u16(CONFORMING).u32(ALL_X2APIC_PROCESSORS);
      table.u8(NMI_LINT).zeros(3);
    }
    return table.finish();
  }

  private static void override(TableWriter table, int irq, int gsi, int flags) {
    table.u8(SOURCE_OVERRIDE).u8(10).u8(0).u8(irq).u32(gsi).u16(flags);
  }
}
