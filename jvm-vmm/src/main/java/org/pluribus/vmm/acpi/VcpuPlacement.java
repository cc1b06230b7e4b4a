package org.pluribus.vmm.acpi;

/**
 * A vCPU as ACPI tells of it. Its ACPI processor UID is its index in the machine's list.
 *
 * @param apicId local APIC ID, as CPUID tells it to the guest
 * @param node Pluribus node that runs it: its proximity domain
 */
public record VcpuPlacement(int apicId, int node) {

  /** Largest ID an xAPIC can have; 0xFF is its broadcast (SDM vol. 3, 12.4.6). */
  static final int MAX_XAPIC_ID = 0xFE;

  /** True if the ID needs an x2APIC. */
  boolean needsX2apic() {
    return apicId > MAX_XAPIC_ID;
  }
}
