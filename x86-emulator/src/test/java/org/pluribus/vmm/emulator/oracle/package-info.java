/**
 * Differential tests of the emulator: the same instruction on the same state, run by us, by the
 * host CPU and by libunicorn, must leave the same registers, flags and memory, or the same fault.
 *
 * <ul>
 *   <li>{@link org.pluribus.vmm.emulator.oracle.MachineImage}: a user-visible CPU state, a few
 *       instruction bytes and two pages of data; the common currency.
 *   <li>{@link org.pluribus.vmm.emulator.oracle.OracleProcess}: an oracle in a child process.
 *       {@code native-oracle.c} runs images on the host CPU in user mode, by signal frames: the
 *       best oracle for what it can run.
 *   <li>{@link org.pluribus.vmm.emulator.oracle.Unicorn}: runs images in libunicorn (QEMU's
 *       translator), an independent implementation with a few known errors of its own.
 *   <li>{@link org.pluribus.vmm.emulator.oracle.EmulatedCpu}: runs images in our emulator.
 *   <li>{@link org.pluribus.vmm.emulator.oracle.EncodingGenerator} and {@link
 *       org.pluribus.vmm.emulator.oracle.CaseGenerator}: random encodings of an opcode row, and
 *       random states for them.
 *   <li>{@link org.pluribus.vmm.emulator.oracle.DifferentialTest}: draws, runs, compares and writes
 *       which rows were covered. {@link org.pluribus.vmm.emulator.oracle.OracleLimits} lists what
 *       an oracle cannot judge, with the reason.
 * </ul>
 */
@NullMarked
package org.pluribus.vmm.emulator.oracle;

import org.jspecify.annotations.NullMarked;
