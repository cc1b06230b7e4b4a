package org.pluribus.kvm;

/** What a vCPU is about to do; linux/kvm.h, KVM_MP_STATE_ values. */
public enum MpState {
  /** Runs guest code. */
  RUNNABLE,
  /** An application processor that waits for INIT. */
  UNINITIALIZED,
  /** Got INIT, waits for the start-up IPI. */
  INIT_RECEIVED,
  /** Executed HLT, waits for an interrupt. */
  HALTED,
  /** Got the start-up IPI. */
  SIPI_RECEIVED;

  /** The KVM_MP_STATE_ value. */
  int number() {
    return ordinal();
  }

  static MpState of(int number) {
    if (number < 0 || number >= values().length) {
      throw new IllegalStateException("KVM reports MP state " + number + ", unknown on x86");
    }
    return values()[number];
  }
}
