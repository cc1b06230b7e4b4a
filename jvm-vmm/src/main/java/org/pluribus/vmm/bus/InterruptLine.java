package org.pluribus.vmm.bus;

/**
 * The wire from a device to the interrupt controllers.
 *
 * <p>The level stays until it is set again: an edge-triggered input fires when it goes from false
 * to true, a level-triggered one is asserted for as long as it is true. Setting the same level
 * again changes nothing. May be called from any thread; never blocks on the guest.
 */
@FunctionalInterface
public interface InterruptLine {

  /** Drives the wire high (asserted) or low. */
  void set(boolean level);

  /** A wire that leads nowhere, for devices without an interrupt. */
  InterruptLine UNCONNECTED = level -> {};
}
