package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UseTimeTest {
  private static final long MICRO = 1_000;
  private static final long MILLI = 1_000_000;

  @Test
  void followsTheShortestTimesBetweenFaults() {
    UseTime time = new UseTime(20 * MICRO, 2);
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
    UseTime time = new UseTime(20 * MICRO, 2);
    time.between(1);
    assertThat(time.useNanos(false)).isEqualTo(20 * MICRO);
    UseTime slow = new UseTime(20 * MICRO, 2);
    slow.between(1_000 * MILLI);
    assertThat(slow.useNanos(false)).isEqualTo(10 * MILLI);
    assertThat(slow.limitNanos(0)).isEqualTo(250 * MILLI);
  }

  @Test
  void limitIsSpreadByHalf() {
    UseTime time = new UseTime(20 * MICRO, 2);
    assertThat(time.limitNanos(0)).isEqualTo(5_120 * MICRO);
    assertThat(time.limitNanos(0x7F80)).isEqualTo(6_400 * MICRO);
  }

  @Test
  void aPageThatBouncesStaysForTwiceTheShortestWait() {
    UseTime time = new UseTime(20 * MICRO, 2);
    assertThat(time.bounceNanos()).as("nothing measured").isEqualTo(20 * MICRO);
    time.waited(700 * MICRO);
    time.waited(80 * MICRO);
    time.waited(90 * MICRO);
    assertThat(time.bounceNanos()).isEqualTo(160 * MICRO);
    time.between(100 * MICRO);
    assertThat(time.bounceNanos()).as("no less than any page").isEqualTo(400 * MICRO);
    time.between(MICRO);
    // Twice a window later the 80 are forgotten.
    for (int i = 0; i < 128; i++) {
      time.waited(600 * MICRO);
    }
    assertThat(time.bounceNanos()).isEqualTo(1_200 * MICRO);
    for (int i = 0; i < 128; i++) {
      time.waited(1_000 * MILLI);
    }
    assertThat(time.bounceNanos()).as("bounded").isEqualTo(10 * MILLI);
    UseTime off = new UseTime(20 * MICRO, 0);
    off.waited(700 * MICRO);
    assertThat(off.bounceNanos()).isEqualTo(20 * MICRO);
  }
}
