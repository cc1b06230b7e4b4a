package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.pluribus.vmm.emulator.CodeCache;
import org.pluribus.vmm.memory.GuestRamLayout;

/** For how long pages that bounce stay, as whoever wants them is told. */
class SoftMmuPageRightsTest {
  private static final GuestRamLayout LAYOUT = GuestRamLayout.of(64L << 20, 2);
  private static final long PAGE = 7;
  private static final long HOLD = 200_000;
  private static final long AWAY = 50_000;

  private long now;
  private long waits;
  private final SoftMmuPageRights rights =
      new SoftMmuPageRights(LAYOUT, new CodeCache(LAYOUT.ramEnd() >>> 12), HOLD, () -> now);

  /** A vCPU that uses no page, so all is done at once. */
  private final class Idle implements SoftMmuPageRights.Target {
    @Override
    public boolean post(Shootdown s, boolean writeOnly) {
      return s.acknowledge();
    }

    @Override
    public long waits() {
      return waits;
    }
  }

  private long longer() {
    return rights.holdLonger(PAGE, Long.MAX_VALUE, false, now);
  }

  private void bounce(Runnable leaves, Runnable comes) {
    rights.add(new Idle());
    rights.grantExclusive(PAGE);
    for (int i = 0; i < BounceHolds.BOUNCES; i++) {
      assertThat(longer()).as("after %d ways", i).isZero();
      leaves.run();
      now += AWAY;
      comes.run();
    }
    assertThat(longer()).isEqualTo(SoftMmuPageRights.STEP_NANOS);
  }

  private void bounceWhole() {
    bounce(() -> assertThat(rights.revoke(PAGE)).isTrue(), () -> rights.grantExclusive(PAGE));
  }

  @Test
  void aPageThatBouncesStays() {
    bounceWhole();
    now += HOLD;
    assertThat(longer()).as("its time is up").isZero();
  }

  @Test
  void soDoesOneThatOthersOnlyRead() {
    bounce(() -> assertThat(rights.downgrade(PAGE)).isTrue(), () -> rights.grantExclusive(PAGE));
  }

  @Test
  void soDoesOneThatThisNodeOnlyReads() {
    bounce(() -> assertThat(rights.revoke(PAGE)).isTrue(), () -> rights.grantShared(PAGE));
  }

  @Test
  void notWhileAVcpuWaitsForSomebody() {
    bounceWhole();
    waits++;
    assertThat(longer()).isZero();
    rights.revoke(PAGE);
    now += AWAY;
    rights.grantExclusive(PAGE);
    assertThat(longer()).as("it waited before").isEqualTo(SoftMmuPageRights.STEP_NANOS);
  }
}
