package org.pluribus.vmm.node;

/** Unwinds a thread that waits for something when the machine stops. No stack trace. */
public final class VcpuStopped extends RuntimeException {
  private static final long serialVersionUID = 1L;

  static final VcpuStopped INSTANCE = new VcpuStopped();

  private VcpuStopped() {
    super("the machine stops", null, false, false);
  }
}
