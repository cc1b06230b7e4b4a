package org.pluribus.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RateTest {
  private static final long GIGA = 1_000_000_000L;

  @Test
  void theSameFrequencyChangesNothing() {
    Rate rate = new Rate(GIGA, GIGA);
    for (long count : new long[] {0, 1, -1, 12345678901L, Long.MAX_VALUE, Long.MIN_VALUE}) {
      assertThat(rate.of(count)).isEqualTo(count);
    }
  }

  /** Against exact arithmetic, for counts up to a century. */
  @Test
  void isRightToOnePartInTwoToTheForty() {
    long seed = Long.getLong("pluribus.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      long from = 100_000_000L + random.nextInt(Integer.MAX_VALUE);
      long to = 100_000_000L + random.nextInt(Integer.MAX_VALUE);
      long count = random.nextLong(1L << 61) >> random.nextInt(60);
      BigInteger exact =
          BigInteger.valueOf(count)
              .multiply(BigInteger.valueOf(to))
              .divide(BigInteger.valueOf(from));
      if (exact.bitLength() < Long.SIZE) {
        assertThat(new Rate(from, to).of(count))
            .as("seed %d: %d from %d to %d Hz", seed, count, from, to)
            .isBetween(exact.longValue() - (count >> 40) - 1, exact.longValue());
      }
    }
  }

  @Test
  void refusesFrequenciesThatAreNone() {
    assertThatThrownBy(() -> new Rate(0, GIGA)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Rate(GIGA, -1)).isInstanceOf(IllegalArgumentException.class);
  }
}
