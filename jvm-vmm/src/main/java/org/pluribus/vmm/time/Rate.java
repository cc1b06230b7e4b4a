package org.pluribus.vmm.time;

/**
 * Converts counts of one clock into counts of another that runs at a fixed ratio to it, without
 * overflow and without drift beyond one part in 2^40: a 128-bit product, as the kernel's
 * timekeeping and KVM's TSC scaling do it. Immutable.
 */
final class Rate {
  private static final int FRACTION_BITS = 40;

  private final long multiplier;

  /**
   * @param fromHz frequency of the counts that come in, positive
   * @param toHz frequency of the counts that go out, positive and less than 2^22 times the other
   */
  Rate(long fromHz, long toHz) {
    if (fromHz <= 0 || toHz <= 0 || toHz / fromHz >= 1L << 22) {
      throw new IllegalArgumentException("no rate from " + fromHz + " Hz to " + toHz + " Hz");
    }
    long whole = toHz / fromHz;
    long rest = toHz % fromHz;
    // rest * 2^40 may need more than 64 bits; the quotient does not.
    long fraction =
        java.math.BigInteger.valueOf(rest)
            .shiftLeft(FRACTION_BITS)
            .divide(java.math.BigInteger.valueOf(fromHz))
            .longValueExact();
    multiplier = (whole << FRACTION_BITS) + fraction;
  }

  /** Converts a count, rounding down. */
  long of(long count) {
    long high = Math.multiplyHigh(count, multiplier);
    long low = count * multiplier;
    return high << Long.SIZE - FRACTION_BITS | low >>> FRACTION_BITS;
  }
}
