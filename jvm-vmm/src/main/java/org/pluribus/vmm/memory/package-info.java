/**
 * Guest-physical RAM as the machine sees it.
 *
 * <p>{@link org.pluribus.vmm.memory.GuestRamLayout} says which guest-physical addresses are RAM, in
 * which order they follow each other in the RAM image, and which Pluribus node is home of which
 * stretch. {@link org.pluribus.vmm.memory.GuestMemory} is the door through which Java code (the
 * loader, ACPI, devices doing DMA) touches that RAM: on a cluster every access first brings the
 * page to this node through the coherence engine, and holds it until the copy is done.
 */
@NullMarked
package org.pluribus.vmm.memory;

import org.jspecify.annotations.NullMarked;
