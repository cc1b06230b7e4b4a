/**
 * The few POSIX and Linux surfaces a virtual machine monitor needs for its memory, bound through
 * the Foreign Function and Memory API.
 *
 * <p>One class per kernel surface, in the manner of rust-vmm's crates; every constant stands once,
 * with the header that defines it:
 *
 * <ul>
 *   <li>{@link org.pluribus.posix.Memfd}: an anonymous file in memory, the bytes of guest RAM.
 *   <li>{@link org.pluribus.posix.Mapping}: a piece of address space over such a file, or over
 *       nothing. Guest RAM is one {@code Memfd} mapped twice.
 *   <li>{@link org.pluribus.posix.Descriptor}, {@link org.pluribus.posix.Ioctl}: open files, and
 *       the call that asks devices for everything else.
 *   <li>{@link org.pluribus.posix.EventFd}, {@link org.pluribus.posix.Epoll}: wake a thread, wait
 *       for several descriptors.
 *   <li>{@link org.pluribus.posix.ThreadKick}: a signal that ends another thread's system call.
 *   <li>{@link org.pluribus.posix.HostMemory}: loads, stores and compare-and-exchange at raw host
 *       addresses, for the emulator's hot path.
 *   <li>{@link org.pluribus.posix.HostAtomics}: the locked instructions Java has no operation for
 *       (16 bytes wide, or unaligned), run as a few bytes of machine code.
 *   <li>{@link org.pluribus.posix.MachineCode}: where such bytes are made executable.
 *   <li>{@link org.pluribus.posix.CLibrary}: finds C functions and captures {@code errno}; the
 *       packages beside this one bind their calls through it.
 * </ul>
 *
 * <p>{@link org.pluribus.posix.Abi} ties each constant to the C expression it must equal; a test
 * has gcc check them all.
 *
 * <p>A call that fails throws {@link org.pluribus.posix.PosixException}, which names the call, its
 * {@link org.pluribus.posix.Errno} and what usually cures it. Everything here is for Linux on
 * x86-64; elsewhere the first use fails with one line that says so.
 */
@NullMarked
package org.pluribus.posix;

import org.jspecify.annotations.NullMarked;
