package org.pluribus.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What probes tell about another node's clock, and that a clock which goes by it keeps causality.
 */
class ClockComparisonTest {
  private static final long AHEAD = 123_456_789;

  private final ClockComparison comparison = new ClockComparison();

  /** A probe of a node whose clock is ahead by {@code ahead}, sent at {@code sent}. */
  private void probe(long sent, long ahead, long there, long back) {
    long received = sent + there + ahead;
    comparison.add(sent, received, received + 500, sent + there + 500 + back);
  }

  @Test
  void withoutAProbeNothingIsKnown() {
    assertThat(comparison.ahead()).isZero();
    assertThat(comparison.correction()).isZero();
    assertThat(comparison.uncertainty()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void theFastestWaysNeedNotBeOfOneProbe() {
    probe(0, AHEAD, 10_000, 900_000);
    probe(0, AHEAD, 900_000, 10_000);
    assertThat(comparison.ahead()).isBetween(AHEAD - 50, AHEAD + 50);
    assertThat(comparison.uncertainty()).isBetween(20_000L, 20_100L);
  }

  @Test
  void theOnlyProbeCountsHoweverSlowItWas() {
    probe(0, AHEAD, 40_000_000, 40_000_000);
    assertThat(comparison.ahead()).isEqualTo(AHEAD);
    long before = comparison.uncertainty();
    probe(100_000_000, AHEAD, 700_000, 800_000);
    assertThat(comparison.uncertainty()).isEqualTo(1_500_000).isLessThan(before);
  }

  @Test
  void aProbeThatMakesNoSenseIsLeftOut() {
    probe(0, 0, 10_000, 10_000);
    comparison.add(100_000, 900_000, 200_000, 300_000);
    comparison.add(100_000, 100_000, 900_000, 300_000);
    assertThat(comparison.ahead()).isZero();
    assertThat(comparison.uncertainty()).isEqualTo(20_000);
  }

  @Test
  void aClockThatMayBeRightIsLeftAlone() {
    for (int i = 0; i < 100; i++) {
      probe(i * 100_000_000L, 30_000, 70_000, 80_000);
    }
    assertThat(comparison.correction()).as("30 us ahead, ways of 70 and 80 us").isZero();
  }

  @Test
  void aClockProvedWrongIsCorrected() {
    probe(0, 30_000, 10_000, 10_000);
    assertThat(comparison.correction()).as("as much as the way of 10 us proves").isEqualTo(20_000);
    comparison.corrected(20_000, 50_000);
    assertThat(comparison.correction()).isZero();
    assertThat(comparison.ahead()).isEqualTo(10_000);
  }

  @Test
  void whileAClockLosesItsSurplusNothingIsCompared() {
    probe(0, -50_000, 10_000, 10_000);
    assertThat(comparison.correction()).isEqualTo(-40_000);
    comparison.corrected(-40_000, 100_000);
    probe(200_000, -50_000, 10_000, 10_000);
    assertThat(comparison.correction()).isZero();
    probe(100_000 + 40_000 * HostClock.SLEW_DIVISOR, -30_000, 10_000, 10_000);
    assertThat(comparison.correction()).isEqualTo(-20_000);
  }

  @Test
  void aClockFarAheadIsComparedAgainAfterAWhile() {
    probe(0, -Long.MAX_VALUE / 2, 10_000, 10_000);
    comparison.corrected(comparison.correction(), 0);
    probe(9_000_000_000L, -50_000, 10_000, 10_000);
    assertThat(comparison.correction()).isZero();
    probe(10_000_000_000L, -50_000, 10_000, 10_000);
    assertThat(comparison.correction()).isEqualTo(-40_000);
  }

  @Test
  void aClockThatWasSetIsComparedAnew() {
    for (int i = 0; i < 100; i++) {
      probe(i * 100_000_000L, 0, 10_000, 10_000);
    }
    probe(10_000_000_000L, AHEAD, 10_000, 10_000);
    assertThat(comparison.ahead()).isEqualTo(AHEAD);
  }

  /**
   * Two clocks that drift apart by 40 ppm, on machines that are busy now and then: ways of 15 us at
   * least, some far longer, so that for a while what is known of the clocks gets old. No message of
   * 60 us, which is less than a page takes there, seems to arrive before it was sent.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void pagesDoNotArriveBeforeTheyWereSent(long seed) {
    Random random = new Random(seed);
    // By the true time, which is node 0's: ours is so much behind, and slows or steps.
    long behind = 3_000_000_000L;
    long lossUntil = 0;
    long loss = 0;
    long worst = 0;
    for (int i = 0; i < 20_000; i++) {
      long now = i * (i < 200 ? 1_000_000L : 100_000_000L);
      if (i >= 200) {
        behind += (seed % 2 == 0 ? 1 : -1) * 4_000; // 40 ppm of 100 ms
        if (now >= lossUntil) {
          behind += loss;
          loss = 0;
        }
        worst = Math.max(worst, Math.abs(behind));
      }
      long there = way(random);
      long back = way(random);
      long sent = now - behind;
      comparison.add(sent, now + there, now + there + 1_000, sent + there + 1_000 + back);
      if (i == 199) {
        behind -= comparison.ahead();
        comparison.stepped(comparison.ahead());
      } else if (i >= 200 && comparison.correction() != 0) {
        long ahead = comparison.correction();
        comparison.corrected(ahead, sent + there + 1_000 + back);
        behind -= Math.max(0, ahead);
        loss = Math.max(0, -ahead);
        lossUntil = now + loss * HostClock.SLEW_DIVISOR;
      }
    }
    assertThat(worst).as("seed %d", seed).isLessThan(60_000);
  }

  private static long way(Random random) {
    return 15_000 + (random.nextInt(10) != 0 ? random.nextInt(3_000) : random.nextInt(400_000));
  }
}
