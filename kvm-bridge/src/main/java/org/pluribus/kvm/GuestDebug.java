package org.pluribus.kvm;

import org.pluribus.posix.Abi;

/** Control bits of {@link VcpuFd#setGuestDebug}; linux/kvm.h:789 and asm/kvm.h:303. */
@Abi.Headers({"linux/kvm.h"})
public final class GuestDebug {
  /** Debug registers that can be passed, DR0 to DR7. */
  static final int REGISTERS = 8;

  /** Debugging is on. */
  @Abi("KVM_GUESTDBG_ENABLE")
  public static final int ENABLE = 0x1;

  /** Exit after each instruction. */
  @Abi("KVM_GUESTDBG_SINGLESTEP")
  public static final int SINGLE_STEP = 0x2;

  /** INT3 exits instead of raising #BP. */
  @Abi("KVM_GUESTDBG_USE_SW_BP")
  public static final int SOFTWARE_BREAKPOINTS = 0x1_0000;

  /** The debug registers passed are used in place of the guest's. */
  @Abi("KVM_GUESTDBG_USE_HW_BP")
  public static final int HARDWARE_BREAKPOINTS = 0x2_0000;

  /** No interrupts while single-stepping. */
  @Abi("KVM_GUESTDBG_BLOCKIRQ")
  public static final int BLOCK_IRQ = 0x10_0000;

  private GuestDebug() {}
}
