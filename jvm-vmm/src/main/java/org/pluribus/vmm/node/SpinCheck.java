package org.pluribus.vmm.node;

import org.pluribus.kvm.Regs;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.posix.HostMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Tells whether a guest that was interrupted somewhere is about to go round a short loop with a
 * PAUSE in it: so kernels wait for locks and for other CPUs' answers (SDM volume 2, PAUSE).
 *
 * <p>Threads: the vCPU's, between two runs. Allocates nothing after its construction.
 */
final class SpinCheck {
  /** A loop that waits is a load, a test, a PAUSE and a jump or two. */
  private static final int LOOP_BYTES = 24;

  /** F3 90 as it is read from memory. */
  private static final short PAUSE = (short) 0x90F3;

  private static final long PAGE = 4096;
  private static final int PAGE_SHIFT = 12;

  private final VcpuFd fd;
  private final GuestRamLayout layout;
  private final PluribusNode node;
  private final Regs regs = new Regs();

  SpinCheck(VcpuFd fd, GuestRamLayout layout, PluribusNode node) {
    this.fd = fd;
    this.layout = layout;
    this.node = node;
  }

  /** Whether the guest spins, as far as the code around its instruction pointer tells. */
  boolean now() {
    fd.getRegs(regs);
    long gpa = fd.translate(regs.rip());
    if (gpa < 0 || !layout.isRam(gpa)) {
      return false;
    }
    long at = layout.ramOffset(gpa);
    if (!node.suffices(at >>> PAGE_SHIFT, false)) {
      return false; // went meanwhile
    }
    long page = at & -PAGE;
    long from = Math.max(at - LOOP_BYTES, page);
    long to = Math.min(at + LOOP_BYTES, page + PAGE - Short.BYTES);
    long ram = node.hostAddress(0);
    for (long i = from; i <= to; i++) {
      if (HostMemory.getShort(ram + i) == PAUSE) {
        return true;
      }
    }
    return false;
  }
}
