package org.pluribus.vmm.apic;

/** How a local APIC tells its vCPU that something has become pending. */
@FunctionalInterface
public interface VcpuSignal {

  /**
   * Makes the vCPU look at its APIC before it executes much further: wakes it from HLT, makes it
   * leave guest mode. Any thread, the vCPU's own included; must neither block nor allocate, and
   * must be cheap when the vCPU has already been told.
   */
  void kick();
}
