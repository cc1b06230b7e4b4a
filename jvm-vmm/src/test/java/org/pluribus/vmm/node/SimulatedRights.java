package org.pluribus.vmm.node;

import java.util.function.LongSupplier;

/**
 * The emulator's rights, with two differences: requests say since when their vCPU waits, as under
 * KVM, and it may be said that rights are gone before the vCPUs have let go.
 *
 * @param real what vCPUs go by
 * @param awaited whether the end of a right is awaited
 * @param since since when a vCPU waits that asks now
 */
record SimulatedRights(SoftMmuPageRights real, boolean awaited, LongSupplier since)
    implements PageRights {
  private static final Completions TOLD =
      new Completions() {
        @Override
        public void revoked(long page) {}

        @Override
        public void downgraded(long page) {}
      };

  @Override
  public boolean suffices(long page, boolean write) {
    return real.suffices(page, write);
  }

  @Override
  public void grantShared(long page) {
    real.grantShared(page);
  }

  @Override
  public void grantExclusive(long page) {
    real.grantExclusive(page);
  }

  @Override
  public boolean downgrade(long page) {
    return real.downgrade(page) || !awaited;
  }

  @Override
  public boolean revoke(long page) {
    return real.revoke(page) || !awaited;
  }

  @Override
  public long holdLonger(long page, long waiting, boolean firstOfEqual, long nowNanos) {
    return real.holdLonger(page, waiting, firstOfEqual, nowNanos);
  }

  @Override
  public void fresh(long page) {
    real.fresh(page);
  }

  @Override
  public long waitingSince(long page) {
    return since.getAsLong();
  }

  @Override
  public void changed(long page) {
    real.changed(page);
  }

  @Override
  public int poll(Completions to) {
    return real.poll(awaited ? to : TOLD);
  }
}
