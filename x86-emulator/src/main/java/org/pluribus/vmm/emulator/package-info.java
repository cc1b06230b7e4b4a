/**
 * An x86-64 CPU in Java, complete enough to run an unmodified Linux.
 *
 * <p>The way of an instruction, top to bottom:
 *
 * <ol>
 *   <li>{@link org.pluribus.vmm.emulator.OpcodeTable} holds one {@link
 *       org.pluribus.vmm.emulator.OpcodeRow} per opcode, written in the SDM's operand letters
 *       (appendix A of volume 2). The rows stand in {@code IntegerRows}, {@code SystemRows}, {@code
 *       X87Rows} and {@code SseRows}. Decoder, interpreter, compiler and coverage report all derive
 *       from the rows.
 *   <li>{@link org.pluribus.vmm.emulator.Decoder} turns bytes into an {@link
 *       org.pluribus.vmm.emulator.Insn} with its operands resolved.
 *   <li>{@link org.pluribus.vmm.emulator.CodeCache} keeps decoded {@link
 *       org.pluribus.vmm.emulator.Block}s by guest-physical page.
 *   <li>{@link org.pluribus.vmm.emulator.Cpu} runs the blocks: it interprets them by calling each
 *       row's {@link org.pluribus.vmm.emulator.Handler}, or runs their compiled form when they are
 *       hot.
 *   <li>Memory accesses go through the soft TLB in {@link org.pluribus.vmm.emulator.CpuMemory},
 *       which is filled by a page walk and by asking {@link
 *       org.pluribus.vmm.emulator.CpuEnvironment} for the page. The environment (the node) may have
 *       to fetch the page from another server first.
 * </ol>
 *
 * <p>The way of hot code: {@link org.pluribus.vmm.emulator.RegionCompiler} takes a block that has
 * run often, gathers the {@code Region} around it (blocks of the same page that jumps and
 * fall-through reach), and {@code RegionEmitter} writes one JVM method for it: guest registers in
 * local variables, guest branches as JVM branches, arithmetic flags left pending ({@code
 * LazyFlags}) until somebody looks. {@code NativeForm} lists the instructions that are translated;
 * the others are calls of their handlers. The JVM's own compilers do the rest.
 *
 * <p>Guest faults are thrown as the CPU's one preallocated {@link
 * org.pluribus.vmm.emulator.GuestFault}: handlers commit their results only after the last access
 * that can fault, so that an instruction is either done or not begun.
 *
 * <p>System side: {@code Segments} loads segment registers and keeps what follows from them, {@code
 * Exceptions} delivers events through the IDT, {@code FarTransfers}, {@code InterruptReturn} and
 * {@code FastCalls} change privilege, {@code ControlRegisters} and {@code Msrs} switch modes,
 * {@code Debug} traps, and {@link org.pluribus.vmm.emulator.CpuidTable} says exactly what is there.
 * Left out, because no 64-bit Linux uses it and CPUID does not promise it: virtual-8086 mode,
 * hardware task switches, alignment checks (#AC), MONITOR and MWAIT, PCID, performance counters,
 * VMX.
 *
 * <p>Threads: a {@code Cpu} belongs to one thread, its vCPU thread. Other threads may only set
 * attention bits ({@link org.pluribus.vmm.emulator.Cpu#raiseAttention}). Several CPUs of one node
 * share one {@code CodeCache} and the same host memory.
 */
package org.pluribus.vmm.emulator;
