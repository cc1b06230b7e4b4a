package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BounceHoldsTest {
  private static final long PAGE = 5;
  private static final long HOLD = 200_000;
  private static final long AWAY = 50_000;

  private final BounceHolds holds = new BounceHolds(HOLD);
  private long now = -1_000_000; // any time will do, as of System.nanoTime

  /** The page leaves and comes back so many times, away for so long. */
  private void bounce(long page, int times, long away) {
    for (int i = 0; i < times; i++) {
      holds.left(page, now);
      now += away;
      holds.came(page, 0, now);
    }
  }

  @Test
  void aPageThatComesForTheFirstTimeGoesAsOthersDo() {
    holds.came(PAGE, 0, now);
    assertThat(holds.stays(PAGE, 0, now)).isFalse();
  }

  @Test
  void onlyAPageThatBouncesStays() {
    bounce(PAGE, BounceHolds.BOUNCES - 1, AWAY);
    assertThat(holds.stays(PAGE, 0, now)).isFalse();
    bounce(PAGE, 1, AWAY);
    assertThat(holds.stays(PAGE, 0, now)).isTrue();
    assertThat(holds.stays(PAGE + 1, 0, now)).isFalse();
    assertThat(holds.stays(PAGE + 1024, 0, now)).as("of the same slot").isFalse();
  }

  @Test
  void itStaysForATimeOnly() {
    bounce(PAGE, 100, AWAY);
    assertThat(holds.stays(PAGE, 0, now + HOLD - 1)).isTrue();
    assertThat(holds.stays(PAGE, 0, now + HOLD)).isFalse();
  }

  @Test
  void aVcpuThatWaitsForSomebodyHasNoUseForIt() {
    bounce(PAGE, BounceHolds.BOUNCES, AWAY);
    assertThat(holds.stays(PAGE, 1, now)).isFalse();
  }

  @Test
  void whoIsAwayForLongBouncesNoMore() {
    bounce(PAGE, BounceHolds.BOUNCES, AWAY);
    bounce(PAGE, 1, BounceHolds.AWAY_NANOS + 1);
    assertThat(holds.stays(PAGE, 0, now)).isFalse();
    bounce(PAGE, BounceHolds.BOUNCES, AWAY);
    assertThat(holds.stays(PAGE, 0, now)).isTrue();
  }

  @Test
  void aRightMoreOfAPageThatIsHereIsNoWayBack() {
    bounce(PAGE, BounceHolds.BOUNCES - 1, AWAY);
    holds.came(PAGE, 0, now);
    assertThat(holds.stays(PAGE, 0, now)).isFalse();
  }

  @Test
  void aPageThatIsAwayDoesNotStay() {
    bounce(PAGE, BounceHolds.BOUNCES, AWAY);
    holds.left(PAGE, now);
    assertThat(holds.stays(PAGE, 0, now)).isFalse();
  }

  @Test
  void aPagePushedOutOfTheTableBeginsAnew() {
    bounce(PAGE, BounceHolds.BOUNCES, AWAY);
    holds.left(PAGE + 1024, now);
    assertThat(holds.stays(PAGE, 0, now)).isFalse();
    bounce(PAGE, BounceHolds.BOUNCES - 1, AWAY);
    assertThat(holds.stays(PAGE, 0, now)).isFalse();
  }

  @Test
  void withoutAHoldNothingStays() {
    BounceHolds none = new BounceHolds(0);
    for (int i = 0; i < BounceHolds.BOUNCES; i++) {
      none.left(PAGE, now);
      none.came(PAGE, 0, now);
    }
    assertThat(none.stays(PAGE, 0, now)).isFalse();
  }
}
