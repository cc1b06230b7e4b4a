package org.pluribus.vmm.acpi;

import java.util.List;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.memory.RamRange;

/**
 * System resource affinity table: which vCPU and which RAM belong to which node (ACPI 6.5, 5.2.16).
 */
final class Srat {

  private static final int REVISION = 3;

  private static final int PROCESSOR_AFFINITY = 0;
  private static final int MEMORY_AFFINITY = 1;
  private static final int X2APIC_AFFINITY = 2;
  private static final int ENABLED = 1;

  private Srat() {}

  static byte[] build(List<VcpuPlacement> vcpus, GuestRamLayout layout) {
    TableWriter table = new TableWriter("SRAT", REVISION);
    // Reserved, but 1 for compatibility.
    table.u32(1).u64(0);
    for (VcpuPlacement vcpu : vcpus) {
      if (vcpu.needsX2apic()) {
        table.u8(X2APIC_AFFINITY).u8(24).u16(0).u32(vcpu.node()).u32(vcpu.apicId());
        table.u32(ENABLED).u32(0).u32(0);
      } else {
        table.u8(PROCESSOR_AFFINITY).u8(16).u8(vcpu.node() & 0xFF).u8(vcpu.apicId());
        table.u32(ENABLED).u8(0);
        // Bits 31:8 of the domain.
        table.u8(vcpu.node() >> 8 & 0xFF).u16(vcpu.node() >> 16).u32(0);
      }
    }
    for (int node = 0; node < layout.nodeCount(); node++) {
      for (RamRange range : layout.rangesOf(node)) {
        table.u8(MEMORY_AFFINITY).u8(40).u32(node).u16(0).u64(range.start());
        table.u64(range.length()).u32(0).u32(ENABLED).u64(0);
      }
    }
    return table.finish();
  }
}
