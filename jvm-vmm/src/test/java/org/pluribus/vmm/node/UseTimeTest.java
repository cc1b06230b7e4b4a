package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UseTimeTest {
  private static final long MICRO = 1_000;
  private static final long MILLI = 1_000_000;

  @Test
  void followsTheShortestOfTheLatestFaults() {
    UseTime time = new UseTime(20 * MICRO);
    assertThat(time.useNanos()).isEqualTo(20 * MICRO);
    time.served(900 * MICRO);
    time.served(100 * MICRO);
    time.served(300 * MICRO);
    assertThat(time.useNanos()).isEqualTo(400 * MICRO);
    // Twice a window later the 100 are forgotten.
    for (int i = 0; i < 128; i++) {
      time.served(500 * MICRO);
    }
    assertThat(time.useNanos()).isEqualTo(2 * MILLI);
  }

  @Test
  void isBounded() {
    UseTime time = new UseTime(20 * MICRO);
    time.served(1);
    assertThat(time.useNanos()).isEqualTo(20 * MICRO);
    UseTime slow = new UseTime(20 * MICRO);
    slow.served(1_000 * MILLI);
    assertThat(slow.useNanos()).isEqualTo(10 * MILLI);
    assertThat(slow.limitNanos(Long.MAX_VALUE, 0)).isEqualTo(500 * MILLI);
  }

  @Test
  void patienceGrowsWithTheStall() {
    UseTime time = new UseTime(20 * MICRO);
    assertThat(time.limitNanos(0, 0)).isEqualTo(40 * MICRO);
    assertThat(time.limitNanos(3 * MILLI, 0)).isEqualTo(3 * MILLI);
    assertThat(time.limitNanos(4 * MILLI, 0x7F80)).isEqualTo(5 * MILLI);
  }
}
