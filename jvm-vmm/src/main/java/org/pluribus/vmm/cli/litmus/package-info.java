/**
 * Tests of memory order inside the guest, from their description to the verdict.
 *
 * <p>A {@link org.pluribus.vmm.cli.litmus.LitmusTest} says what a few CPUs execute and which
 * outcome is in question; the {@link org.pluribus.vmm.cli.litmus.LitmusCatalogue} has all of them,
 * read from {@code tests.txt}. {@link org.pluribus.vmm.cli.litmus.MemoryModel} works out every
 * outcome that x86-TSO allows. {@link org.pluribus.vmm.cli.litmus.LitmusProgram} makes machine code
 * of the tests, which the payload {@code native/payloads/litmus.c} runs on CPUs of different nodes;
 * {@link org.pluribus.vmm.cli.litmus.LitmusReport} judges the outcomes that it counted.
 */
@NullMarked
package org.pluribus.vmm.cli.litmus;

import org.jspecify.annotations.NullMarked;
