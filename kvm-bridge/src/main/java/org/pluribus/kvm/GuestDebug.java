package org.pluribus.kvm;

/** Control bits of {@link VcpuFd#setGuestDebug}; linux/kvm.h:789 and asm/kvm.h:303. */
public final class GuestDebug {
  /** Debug registers that can be passed, DR0 to DR7. */
  static final int REGISTERS = 8;

  /** Debugging is on. */
  public static final int ENABLE = 0x1;

  /** Exit after each instruction. */
  public static final int SINGLE_STEP = 0x2;

  /** INT3 exits instead of raising #BP. */
  public static final int SOFTWARE_BREAKPOINTS = 0x1_0000;

  /** The debug registers passed are used in place of the guest's. */
  public static final int HARDWARE_BREAKPOINTS = 0x2_0000;

  /** No interrupts while single-stepping. */
  public static final int BLOCK_IRQ = 0x10_0000;

  private GuestDebug() {}
}
