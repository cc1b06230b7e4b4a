package org.pluribus.vmm.emulator;

/** Turns hot blocks into JVM bytecode. One per node, shared by its CPUs. */
interface BlockCompiler {
  /** Runs after which a block is offered. */
  int threshold();

  /**
   * A block has become hot on {@code cpu}: compile it now, later or never. On return {@link
   * Block#compiled} may be set, and {@link Block#heat} lowered to be asked again. vCPU thread.
   */
  void offer(Cpu cpu, Block block);
}
