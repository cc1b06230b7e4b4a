package org.pluribus.vmm.apic;

import org.pluribus.vmm.memory.AddressMap;

/**
 * Where an APIC is to be found: IA32_APIC_BASE with mode and page, and its ids on the bus.
 *
 * <p>The vCPU's thread writes, any thread reads. A message that meets the vCPU in the middle of a
 * change is matched by the old ids or the new ones.
 */
final class ApicAddress {

  private final int id;
  private final boolean bsp;
  private volatile long base;
  private volatile int logicalId;
  private volatile int destinationFormat;

  ApicAddress(int id, boolean bsp) {
    this.id = id;
    this.bsp = bsp;
    setBase(AddressMap.LAPIC_BASE | ApicRegister.BASE_ENABLED);
    reset();
  }

  int id() {
    return id;
  }

  boolean isBsp() {
    return bsp;
  }

  long base() {
    return base;
  }

  boolean isEnabled() {
    return (base & ApicRegister.BASE_ENABLED) != 0;
  }

  boolean isX2apic() {
    return (base & ApicRegister.BASE_X2APIC) != 0;
  }

  /** Where the xAPIC's page is, or -1 if it has none now. */
  long mmioBase() {
    long now = base;
    boolean page = (now & ApicRegister.BASE_ENABLED) != 0 && (now & ApicRegister.BASE_X2APIC) == 0;
    return page ? now & ApicRegister.BASE_ADDRESS : -1;
  }

  /** Sets IA32_APIC_BASE, the transition being legal; its BSP flag stays as it is. */
  void setBase(long value) {
    boolean wasX2apic = isX2apic();
    base = value & ~ApicRegister.BASE_BSP | (bsp ? ApicRegister.BASE_BSP : 0);
    if (isX2apic() && !wasX2apic) {
      logicalId = DestinationMatch.x2apicLogicalId(id);
    }
  }

  /** As after INIT: base address and mode stay. */
  void reset() {
    logicalId = isX2apic() ? DestinationMatch.x2apicLogicalId(id) : 0;
    destinationFormat = ApicRegister.DFR_FLAT;
  }

  int logicalId() {
    return logicalId;
  }

  void setLogicalId(int value) {
    logicalId = value;
  }

  int destinationFormat() {
    return destinationFormat;
  }

  void setDestinationFormat(int value) {
    destinationFormat = value;
  }

  /** Whether the APIC is among a message's destinations, shorthand aside. */
  boolean matches(long message) {
    return DestinationMatch.matches(message, id, logicalId, destinationFormat, isX2apic());
  }
}
