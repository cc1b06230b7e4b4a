/**
 * The ACPI tables: how the guest learns of its CPUs, interrupt controllers, NUMA nodes, power
 * management and fixed devices.
 *
 * <p>{@link org.pluribus.vmm.acpi.AcpiTables#write} puts all of them into the firmware area. The
 * static tables ({@link org.pluribus.vmm.acpi.Madt}, {@link org.pluribus.vmm.acpi.Srat}, {@link
 * org.pluribus.vmm.acpi.Slit}, {@link org.pluribus.vmm.acpi.Fadt}) are byte layouts from the ACPI
 * specification (release 6.5, whose section numbers the Javadoc gives); the DSDT is a program in
 * AML, assembled with {@link org.pluribus.vmm.acpi.Aml}.
 *
 * <p>The topology told is the truth: each Pluribus node is one proximity domain, with its own vCPUs
 * and the RAM whose home it is, and other nodes are farther away. The guest's own NUMA policy then
 * keeps most accesses on their node.
 */
@NullMarked
package org.pluribus.vmm.acpi;

import org.jspecify.annotations.NullMarked;
