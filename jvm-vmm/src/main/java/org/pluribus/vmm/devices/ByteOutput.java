package org.pluribus.vmm.devices;

/**
 * Where a console device's bytes go. Called with the device's lock held: don't call back into it.
 */
@FunctionalInterface
public interface ByteOutput {

  /** Takes one byte, in the order the guest wrote them. */
  void accept(byte value);
}
