/**
 * How a vCPU reaches a device, and how a device reaches a vCPU.
 *
 * <p>An x86 machine has two address spaces in which devices answer: 64 Ki I/O ports (IN and OUT)
 * and guest-physical addresses outside RAM (MMIO). Each is one {@link org.pluribus.vmm.bus.Bus}: a
 * sorted table of address ranges, each with a {@link org.pluribus.vmm.bus.BusDevice} behind it. A
 * device is told an offset into its own range, never an address, so the same UART can sit at 0x3F8
 * or behind a link to another node.
 *
 * <p>The other way round a device pulls an {@link org.pluribus.vmm.bus.InterruptLine}, which the
 * interrupt controllers hand out; a device knows neither its vector nor its GSI.
 */
@NullMarked
package org.pluribus.vmm.bus;

import org.jspecify.annotations.NullMarked;
