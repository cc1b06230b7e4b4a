package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UseTimeTest {
  private static final long MICRO = 1_000;
  private static final long MILLI = 1_000_000;

  @Test
  void followsTheShortestTimesBetweenFaults() {
    UseTime time = new UseTime(20 * MICRO);
    assertThat(time.useNanos(false)).isEqualTo(20 * MICRO);
    time.between(900 * MICRO);
    time.between(100 * MICRO);
    time.between(300 * MICRO);
    assertThat(time.useNanos(false)).isEqualTo(400 * MICRO);
    assertThat(time.useNanos(true)).isEqualTo(1_600 * MICRO);
    // Twice a window later the 100 are forgotten.
    for (int i = 0; i < 128; i++) {
      time.between(500 * MICRO);
    }
    assertThat(time.useNanos(false)).isEqualTo(2 * MILLI);
  }

  @Test
  void isBounded() {
    UseTime time = new UseTime(20 * MICRO);
    time.between(1);
    assertThat(time.useNanos(false)).isEqualTo(20 * MICRO);
    UseTime slow = new UseTime(20 * MICRO);
    slow.between(1_000 * MILLI);
    assertThat(slow.useNanos(false)).isEqualTo(10 * MILLI);
    assertThat(slow.limitNanos(0)).isEqualTo(250 * MILLI);
  }

  @Test
  void limitIsSpreadByHalf() {
    UseTime time = new UseTime(20 * MICRO);
    assertThat(time.limitNanos(0)).isEqualTo(5_120 * MICRO);
    assertThat(time.limitNanos(0x7F80)).isEqualTo(6_400 * MICRO);
  }
}
