package org.pluribus.vmm.node;

import org.pluribus.vmm.emulator.CpuidTable;

/**
 * MSRs that the guest's CPUID promises and that a host's KVM may not have: the same few words the
 * emulator keeps (SDM volume 4). One vCPU's; its thread only.
 */
final class KvmMsrs {
  private static final int SPEC_CTRL = 0x48;
  private static final int PRED_CMD = 0x49;

  /** IA32_ARCH_CAPABILITIES (SDM volume 4, table 2-2). */
  static final int ARCH_CAPABILITIES = 0x10A;

  /** NODE_ID of AMD's processors (BKDG family 10h); others do not have it. */
  private static final int NODE_ID = 0xC001_100C;

  private static final long SPEC_CTRL_BITS = 3;

  private final long archCapabilities;
  private final boolean hasNodeId;
  private final long nodeId;
  private long specCtrl;

  /**
   * @param cpuid what the vCPU's CPUID promises
   */
  KvmMsrs(CpuidTable cpuid) {
    archCapabilities = cpuid.model().archCapabilities();
    hasNodeId = !cpuid.model().isIntel();
    nodeId = cpuid.nodeId();
  }

  /** Whether {@link #get} knows it. */
  boolean has(int msr) {
    return msr == SPEC_CTRL || msr == ARCH_CAPABILITIES || (msr == NODE_ID && hasNodeId);
  }

  long get(int msr) {
    return switch (msr) {
      case SPEC_CTRL -> specCtrl;
      case NODE_ID -> nodeId;
      default -> archCapabilities;
    };
  }

  /** Writes; false when the guest gets #GP(0). */
  boolean set(int msr, long value) {
    switch (msr) {
      case SPEC_CTRL -> {
        specCtrl = value;
        return (value & ~SPEC_CTRL_BITS) == 0;
      }
      case PRED_CMD -> {
        return (value & ~1L) == 0;
      }
      default -> {
        return false;
      }
    }
  }
}
