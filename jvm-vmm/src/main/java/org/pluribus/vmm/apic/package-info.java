/**
 * Interrupts: from a device's wire, or a vCPU's request to another, to the vCPU that takes them.
 *
 * <p>All interrupt controllers are in this package, none in the kernel: one code serves KVM and the
 * emulator, and messages can cross nodes. Follow an interrupt from start to end:
 *
 * <ol>
 *   <li>A device drives its wire, made by {@link org.pluribus.vmm.apic.InterruptLines}, which leads
 *       to a pin of the {@link org.pluribus.vmm.apic.IoApic} and, for ISA, of the {@link
 *       org.pluribus.vmm.apic.Pic8259} pair. Or a vCPU writes the ICR of its {@link
 *       org.pluribus.vmm.apic.LocalApic}.
 *   <li>Both make an {@link org.pluribus.vmm.apic.IpiMessage} and give it to the node's {@link
 *       org.pluribus.vmm.apic.IpiRouter}, which works out who receives it.
 *   <li>On the receiving node, {@link org.pluribus.vmm.apic.LocalApic#accept} notes the vector in
 *       the IRR, from whatever thread, and kicks the vCPU.
 *   <li>The vCPU's thread asks {@link org.pluribus.vmm.apic.LocalApic#pendingVector}, takes the
 *       vector with {@link org.pluribus.vmm.apic.LocalApic#acknowledge}, and later the guest writes
 *       EOI. The EOI of a level-triggered interrupt goes back to the IOAPIC through the router.
 * </ol>
 *
 * <p>Threads: everything that other threads may do to a local APIC is an atomic OR into a word; all
 * the rest of its state belongs to the vCPU's thread. Timers, too: the timer thread only notes that
 * a timer is due, and the vCPU's thread checks it against the clock. So an interrupt cannot come
 * out of a timer that the guest has already disarmed.
 *
 * <p>The reference throughout is the Intel SDM, volume 3A, chapter 11 "Advanced Programmable
 * Interrupt Controller (APIC)"; sections are cited by title, as their numbers differ between
 * editions.
 */
@NullMarked
package org.pluribus.vmm.apic;

import org.jspecify.annotations.NullMarked;
