package org.pluribus.vmm.acpi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.pluribus.vmm.memory.AddressMap;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/** Builds all ACPI tables and lays them out in the firmware area. */
public final class AcpiTables {

  /** Bytes of the root pointer, revision 2 (ACPI 6.5, 5.2.5.3). */
  private static final int RSDP_SIZE = 36;

  /** The root pointer's first checksum covers the bytes ACPI 1.0 knew. */
  private static final int RSDP_1_SIZE = 20;

  private static final int RSDP_CHECKSUM = 8;
  private static final int RSDP_EXTENDED_CHECKSUM = 32;
  private static final int RSDP_REVISION = 2;

  /** Bytes of the firmware control structure, and its version (ACPI 6.5, 5.2.10). */
  private static final int FACS_SIZE = 64;

  private static final int FACS_VERSION = 2;

  /** The FACS must start on 64 bytes; the others are glad to. */
  private static final int ALIGNMENT = 64;

  private final GuestMemory memory;
  private long next = AddressMap.ACPI_START;

  private AcpiTables(GuestMemory memory) {
    this.memory = memory;
  }

  /**
   * Writes all tables for a machine.
   *
   * @param vcpus the vCPUs in order; the first is the boot vCPU
   * @param layout RAM and its nodes
   * @param moreDevices AML terms to add to \_SB, such as a PCI host bridge (see {@link Aml})
   * @return GPA of the root pointer (RSDP)
   * @throws IllegalArgumentException if a vCPU names a node that isn't there, or the tables don't
   *     fit
   */
  public static long write(
      GuestMemory memory,
      List<VcpuPlacement> vcpus,
      GuestRamLayout layout,
      List<byte[]> moreDevices) {
    for (VcpuPlacement vcpu : vcpus) {
      if (vcpu.node() < 0 || vcpu.node() >= layout.nodeCount()) {
        throw new IllegalArgumentException(
            "vCPU with APIC ID %d is on node %d of %d"
                .formatted(vcpu.apicId(), vcpu.node(), layout.nodeCount()));
      }
    }
    AcpiTables tables = new AcpiTables(memory);
    long rsdp = tables.reserve(RSDP_SIZE);
    long facs = tables.place(facs());
    long dsdt = tables.place(Dsdt.build(vcpus.size(), moreDevices));
    List<Long> roots = new ArrayList<>();
    roots.add(tables.place(Fadt.build(facs, dsdt)));
    roots.add(tables.place(Madt.build(vcpus)));
    roots.add(tables.place(Srat.build(vcpus, layout)));
    roots.add(tables.place(Slit.build(layout.nodeCount())));
    TableWriter rsdt = new TableWriter("RSDT", 1);
    TableWriter xsdt = new TableWriter("XSDT", 1);
    for (long table : roots) {
      rsdt.u32(table);
      xsdt.u64(table);
    }
    memory.writeBytes(rsdp, rsdp(tables.place(rsdt.finish()), tables.place(xsdt.finish())));
    return rsdp;
  }

  private long reserve(int size) {
    long at = next;
    next = (next + size + ALIGNMENT - 1) & -ALIGNMENT;
    if (next > AddressMap.ACPI_END) {
      throw new IllegalArgumentException(
          "ACPI tables need more than the %d KiB they have: give fewer vCPUs or nodes"
              .formatted((AddressMap.ACPI_END - AddressMap.ACPI_START) >> 10));
    }
    return at;
  }

  private long place(byte[] table) {
    long at = reserve(table.length);
    memory.writeBytes(at, table);
    return at;
  }

  private static byte[] facs() {
    ByteBuffer facs = ByteBuffer.allocate(FACS_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    facs.put("FACS".getBytes(StandardCharsets.US_ASCII)).putInt(FACS_SIZE);
    facs.put(32, (byte) FACS_VERSION);
    return facs.array();
  }

  private static byte[] rsdp(long rsdt, long xsdt) {
    ByteBuffer rsdp = ByteBuffer.allocate(RSDP_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    rsdp.put("RSD PTR ".getBytes(StandardCharsets.US_ASCII)).put((byte) 0);
    rsdp.put("PLURIB".getBytes(StandardCharsets.US_ASCII)).put((byte) RSDP_REVISION);
    rsdp.putInt((int) rsdt).putInt(RSDP_SIZE).putLong(xsdt);
    byte[] bytes = rsdp.array();
    bytes[RSDP_CHECKSUM] = TableWriter.checksum(bytes, RSDP_1_SIZE);
    bytes[RSDP_EXTENDED_CHECKSUM] = TableWriter.checksum(bytes, RSDP_SIZE);
    return bytes;
  }
}
