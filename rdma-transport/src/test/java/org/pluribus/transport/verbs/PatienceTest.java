package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PatienceTest {
  private final Patience patience = new Patience();

  @Test
  void whatMayNotWaitDoesNot() {
    assertThat(patience.lasts(1)).isFalse();
    assertThat(patience.endNanos()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void lastsFromTheFirstLook() {
    long start = 12_345;
    patience.begin();
    assertThat(patience.endNanos()).isEqualTo(Long.MAX_VALUE);
    assertThat(patience.lasts(start)).isTrue();
    assertThat(patience.endNanos()).isEqualTo(start + Patience.NANOS);
    assertThat(patience.lasts(start + Patience.NANOS - 1)).isTrue();
    assertThat(patience.lasts(start + Patience.NANOS)).isFalse();
  }

  @Test
  void theClocksNumbersMayTurnNegative() {
    patience.begin();
    assertThat(patience.lasts(Long.MAX_VALUE)).isTrue();
    assertThat(patience.lasts(Long.MIN_VALUE)).isTrue();
    assertThat(patience.lasts(Long.MIN_VALUE + Patience.NANOS)).isFalse();
  }

  @Test
  void endsWithTheFirstFrameThatMayNotWait() {
    patience.begin();
    assertThat(patience.lasts(5)).isTrue();
    patience.end();
    assertThat(patience.lasts(5)).isFalse();
    assertThat(patience.endNanos()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void beginsAnewWithEachMessage() {
    patience.begin();
    assertThat(patience.lasts(0)).isTrue();
    assertThat(patience.lasts(Patience.NANOS)).isFalse();
    patience.begin();
    assertThat(patience.lasts(Patience.NANOS)).isTrue();
    assertThat(patience.endNanos()).isEqualTo(2 * Patience.NANOS);
  }
}
