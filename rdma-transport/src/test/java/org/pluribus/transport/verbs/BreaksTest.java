package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BreaksTest {
  private static final long LIMIT = 10_000_000_000L;

  private final Breaks breaks = new Breaks(LIMIT);

  @Test
  void endsWhenTheTimeIsUp() {
    assertThat(breaks.expired(Long.MAX_VALUE / 2)).isNull();
    assertThat(breaks.broke("went quiet", 5)).isNull();
    assertThat(breaks.isDown()).isTrue();
    assertThat(breaks.expired(5 + LIMIT)).isNull();
    assertThat(breaks.expired(6 + LIMIT))
        .isEqualTo("went quiet; it could not be connected anew within 10000 ms");
    breaks.pause(7);
    assertThat(breaks.expired(12 + LIMIT)).isNull();
    breaks.healed();
    assertThat(breaks.isDown()).isFalse();
    assertThat(breaks.expired(20 + 2 * LIMIT)).isNull();
  }

  @Test
  void anotherBreakGivesNoMoreTime() {
    assertThat(breaks.broke("first", 0)).isNull();
    assertThat(breaks.broke("second", LIMIT)).isNull();
    assertThat(breaks.expired(LIMIT + 1)).startsWith("second; ");
  }

  @Test
  void endsWhenItBreaksTooOften() {
    for (int i = 0; i < Breaks.MOST; i++) {
      assertThat(breaks.broke("again", i)).isNull();
      breaks.healed();
    }
    assertThat(breaks.broke("again", LIMIT - 1))
        .isEqualTo("again; it was connected anew 8 times within 10000 ms");
  }

  @Test
  void mayBreakForEverIfSeldomEnough() {
    long every = LIMIT / Breaks.MOST;
    for (int i = 0; i < 10 * Breaks.MOST; i++) {
      assertThat(breaks.broke("again", i * every)).isNull();
      breaks.healed();
    }
    assertThat(breaks.total()).isEqualTo(10 * Breaks.MOST);
  }

  @Test
  void aHostThatTurnsCallsDownHasNobodyThere() {
    assertThat(breaks.refused()).isNull(); // it may not have started yet
    assertThat(breaks.broke("closed its channels", 0)).isNull();
    assertThat(breaks.refused()).isNull();
    assertThat(breaks.refused()).isNull();
    assertThat(breaks.refused()).isEqualTo("closed its channels");
  }
}
