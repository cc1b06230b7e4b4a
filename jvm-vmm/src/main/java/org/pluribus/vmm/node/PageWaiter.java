package org.pluribus.vmm.node;

import org.jspecify.annotations.Nullable;
import org.pluribus.hw.HostProfile;

/**
 * Somebody of this node who waits for a page, at most one at a time: a vCPU thread, or a thread
 * that works on guest RAM.
 *
 * <p>When a vCPU's page arrives, whoever runs the duty cycle marks that vCPU as running on its
 * behalf. A revoke that comes right behind then needs the vCPU's acknowledgement, which it gives
 * only after its access: each fault makes at least one access succeed, so two nodes that want the
 * same page cannot keep each other from going on.
 */
final class PageWaiter {
  /** First sleep; later ones grow up to the profile's bound. */
  private static final long MIN_PARK_NANOS = 20_000;

  private static final long NANOS_PER_MICRO = 1_000;

  private final @Nullable ShootdownQueue vcpu;
  private final IdleBackoff idle;
  private long page;
  private boolean write;
  private boolean asked;
  private volatile boolean granted = true;

  /**
   * @param profile how patient it is
   * @param vcpu the waiting emulated vCPU's queue, or null for another thread
   */
  PageWaiter(@Nullable ShootdownQueue vcpu, HostProfile profile) {
    this.vcpu = vcpu;
    idle =
        new IdleBackoff(
            profile.faultYields(),
            MIN_PARK_NANOS,
            Math.max(MIN_PARK_NANOS, profile.faultMaxSleepMicros() * NANOS_PER_MICRO));
  }

  IdleBackoff idle() {
    return idle;
  }

  /** Starts waiting; a vCPU is quiet by now. The waiting thread. */
  void begin(long page, boolean write) {
    this.write = write;
    asked = false;
    this.page = page;
    granted = false; // last: who sees it false sees the rest
  }

  boolean granted() {
    return granted;
  }

  /** Whether a fault has to be raised (again). Token holder. */
  boolean mustAsk() {
    boolean must = !asked;
    asked = true;
    return must;
  }

  /** The page's rights may have changed. Token holder. */
  void wake(long wokenPage, PageRights rights) {
    if (granted || page != wokenPage) {
      return;
    }
    if (rights.suffices(wokenPage, write)) {
      grant();
    } else {
      asked = false;
    }
  }

  /** The right is there. Token holder. */
  void grant() {
    if (vcpu != null) {
      vcpu.run();
    }
    granted = true;
  }

  /** Waiting is over. The waiting thread. */
  void end() {
    granted = true;
  }
}
