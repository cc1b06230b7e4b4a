package org.pluribus.vmm.apic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The APIC timer in its three modes, on a clock turned by hand. */
class LocalApicTimerTest {

  private static final int VECTOR = 0xEC;
  private static final int PERIODIC = 1 << 17;
  private static final int DEADLINE = 2 << 17;
  private static final int BY_1 = 0b1011;
  private static final int BY_16 = 0b0011;

  private final ApicCluster cluster = new ApicCluster(1, 1).enableAll();
  private final LocalApic apic = cluster.apics[0];

  private void start(int mode, int divide, int count) {
    cluster.write(0, ApicRegister.LVT_TIMER, mode | VECTOR);
    cluster.write(0, ApicRegister.DIVIDE_CONFIGURATION, divide);
    cluster.write(0, ApicRegister.INITIAL_COUNT, count);
  }

  private boolean takeTimer() {
    if (apic.pendingVector() != VECTOR) {
      return false;
    }
    apic.acknowledge();
    cluster.write(0, ApicRegister.EOI, 0);
    return true;
  }

  private boolean setDeadline(long tsc) {
    return apic.writeMsr(ApicRegister.MSR_TSC_DEADLINE, tsc);
  }

  @Test
  void oneShotFiresOnceWhenTheCountIsZero() {
    start(0, BY_16, 1000);
    cluster.advance(8_000);
    assertThat(cluster.read(0, ApicRegister.CURRENT_COUNT)).isEqualTo(500);
    cluster.advance(7_999);
    assertThat(takeTimer()).isFalse();
    int before = cluster.kicks[0].get();
    cluster.advance(1);
    assertThat(cluster.kicks[0].get()).as("woken").isGreaterThan(before);
    assertThat(takeTimer()).isTrue();
    assertThat(cluster.read(0, ApicRegister.CURRENT_COUNT)).isZero();
    cluster.advance(1_000_000);
    assertThat(takeTimer()).isFalse();
    assertThat(cluster.read(0, ApicRegister.INITIAL_COUNT)).isEqualTo(1000);
  }

  @Test
  void everyDividerCounts() {
    int[] codes = {0b0000, 0b0001, 0b0010, 0b0011, 0b1000, 0b1001, 0b1010, 0b1011};
    int[] divisors = {2, 4, 8, 16, 32, 64, 128, 1};
    for (int i = 0; i < codes.length; i++) {
      start(0, codes[i], 1 << 20);
      cluster.advance(128 * 10);
      assertThat((1 << 20) - cluster.read(0, ApicRegister.CURRENT_COUNT))
          .as("divide by %d", divisors[i])
          .isEqualTo(1280 / divisors[i]);
    }
  }

  @Test
  void countsAbove2To31AreUnsigned() {
    start(0, BY_1, 0xF000_0000);
    cluster.advance(0x1000_0000);
    assertThat(cluster.read(0, ApicRegister.CURRENT_COUNT)).isEqualTo(0xE000_0000);
    cluster.advance(0xDFFF_FFFFL);
    assertThat(takeTimer()).isFalse();
    cluster.advance(1);
    assertThat(takeTimer()).isTrue();
  }

  @Test
  void initialCountZeroStops() {
    start(0, BY_1, 1_000_000);
    cluster.write(0, ApicRegister.INITIAL_COUNT, 0);
    cluster.advance(10_000_000);
    assertThat(takeTimer()).isFalse();
  }

  @Test
  void changingTheDividerGoesOnFromTheCurrentCount() {
    start(0, BY_1, 100_000);
    cluster.advance(40_000);
    cluster.write(0, ApicRegister.DIVIDE_CONFIGURATION, BY_16);
    assertThat(cluster.read(0, ApicRegister.CURRENT_COUNT)).isEqualTo(60_000);
    cluster.advance(60_000L * 16 - 1);
    assertThat(takeTimer()).isFalse();
    cluster.advance(1);
    assertThat(takeTimer()).isTrue();
  }

  @Test
  void periodicFiresEachPeriodAndMissedOnesAreOne() {
    start(PERIODIC, BY_1, 1_000_000);
    for (int i = 0; i < 5; i++) {
      cluster.advance(999_999);
      assertThat(takeTimer()).isFalse();
      cluster.advance(1);
      assertThat(takeTimer()).as("period %d", i).isTrue();
    }
    cluster.advance(3_400_000);
    assertThat(takeTimer()).isTrue();
    assertThat(takeTimer()).isFalse();
    assertThat(cluster.read(0, ApicRegister.CURRENT_COUNT)).isEqualTo(600_000);
    cluster.advance(600_000);
    assertThat(takeTimer()).as("still in step with the start").isTrue();
  }

  @Test
  void maskedExpiryIsLostButThePeriodGoesOn() {
    start(PERIODIC, BY_1, 1_000_000);
    cluster.write(0, ApicRegister.LVT_TIMER, ApicRegister.LVT_MASKED | PERIODIC | VECTOR);
    cluster.advance(1_000_000);
    assertThat(takeTimer()).isFalse();
    cluster.write(0, ApicRegister.LVT_TIMER, PERIODIC | VECTOR);
    assertThat(takeTimer()).isFalse();
    cluster.advance(1_000_000);
    assertThat(takeTimer()).isTrue();
  }

  @Test
  void tscDeadlineFiresAtTheDeadlineAndDisarmsItself() {
    cluster.advance(5_000_000);
    start(DEADLINE, BY_1, 0);
    setDeadline(5_100_000);
    assertThat(cluster.msr(0, ApicRegister.MSR_TSC_DEADLINE)).isEqualTo(5_100_000);
    assertThat(cluster.read(0, ApicRegister.CURRENT_COUNT)).isZero();
    cluster.advance(99_999);
    assertThat(takeTimer()).isFalse();
    cluster.advance(1);
    assertThat(takeTimer()).isTrue();
    assertThat(cluster.msr(0, ApicRegister.MSR_TSC_DEADLINE)).isZero();
    cluster.advance(1_000_000);
    assertThat(takeTimer()).isFalse();
  }

  @Test
  void writingZeroDisarmsEvenWhenTheTimerThreadHasAlreadyFired() {
    start(DEADLINE, BY_1, 0);
    setDeadline(100_000);
    setDeadline(0);
    cluster.advance(200_000);
    assertThat(takeTimer()).isFalse();

    setDeadline(300_000);
    cluster.advance(100_000);
    setDeadline(0);
    assertThat(takeTimer()).as("the vCPU decides by its own state").isFalse();
  }

  @Test
  void aDeadlineInThePastFiresAtOnce() {
    cluster.advance(1_000_000);
    start(DEADLINE, BY_1, 0);
    setDeadline(999_999);
    assertThat(takeTimer()).isTrue();
    assertThat(cluster.msr(0, ApicRegister.MSR_TSC_DEADLINE)).isZero();
    setDeadline(1_000_000);
    assertThat(takeTimer()).as("now is not in the future").isTrue();
  }

  @Test
  void aDeadlineCenturiesAwayStaysArmed() {
    start(DEADLINE, BY_1, 0);
    setDeadline(-1);
    cluster.advance(Long.MAX_VALUE / 2);
    assertThat(takeTimer()).isFalse();
    assertThat(cluster.msr(0, ApicRegister.MSR_TSC_DEADLINE)).isEqualTo(-1);
  }

  @Test
  void deadlinesFollowTheVcpusOwnTsc() {
    apic.setTscOffset(1_000_000);
    start(DEADLINE, BY_1, 0);
    setDeadline(1_400_000);
    cluster.advance(399_999);
    assertThat(takeTimer()).isFalse();
    cluster.advance(1);
    assertThat(takeTimer()).isTrue();
    setDeadline(2_000_000);
    apic.setTscOffset(1_700_000);
    assertThat(takeTimer()).as("the offset moved past the deadline").isTrue();
  }

  @Test
  void changingBetweenCountingAndDeadlineDisarms() {
    start(0, BY_1, 100_000);
    cluster.write(0, ApicRegister.LVT_TIMER, DEADLINE | VECTOR);
    cluster.advance(200_000);
    assertThat(takeTimer()).isFalse();
    setDeadline(300_000);
    cluster.write(0, ApicRegister.LVT_TIMER, VECTOR);
    cluster.advance(200_000);
    assertThat(takeTimer()).isFalse();
    assertThat(setDeadline(900_000)).as("ignored, not #GP").isTrue();
    assertThat(cluster.msr(0, ApicRegister.MSR_TSC_DEADLINE)).isZero();
  }

  @Test
  void initialCountIsIgnoredInDeadlineMode() {
    start(DEADLINE, BY_1, 50_000);
    cluster.advance(100_000);
    assertThat(takeTimer()).isFalse();
    assertThat(cluster.read(0, ApicRegister.INITIAL_COUNT)).isZero();
  }
}
