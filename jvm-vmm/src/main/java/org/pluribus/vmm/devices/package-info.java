/**
 * The devices every PC has, as far as an operating system without PCI uses them.
 *
 * <p>All sit on the port bus ({@link org.pluribus.vmm.devices.PortMap} says where), hold no
 * reference to each other, and reach the rest of the machine by three ways only: an {@link
 * org.pluribus.vmm.bus.InterruptLine}, a clock passed in, and {@link
 * org.pluribus.vmm.devices.MachineControl} for what ends or restarts the machine. {@link
 * org.pluribus.vmm.devices.PlatformDevices} builds the whole set and attaches it to a bus.
 *
 * <p>Devices are called by vCPU threads; each guards its registers with its own monitor, which is
 * held for a few instructions and across calls to its interrupt line and output.
 */
@NullMarked
package org.pluribus.vmm.devices;

import org.jspecify.annotations.NullMarked;
