package org.pluribus.vmm.time;

/**
 * The machine's time: nanoseconds since it started, the same on all nodes.
 *
 * <p>Any thread may read. If one read happens before another (in the sense of the Java memory
 * model, on one node), the later one is never smaller.
 */
public interface GuestClock {

  /** Frequency of the guest's invariant TSC where nothing asks for another: a tick a nanosecond. */
  long STANDARD_TSC_HZ = 1_000_000_000L;

  /** Nanoseconds in a second. */
  long NANOS_PER_SECOND = 1_000_000_000L;

  /** Nanoseconds since the machine started. */
  long nanos();

  /** Frequency of the guest's invariant TSC. */
  default long tscHz() {
    return STANDARD_TSC_HZ;
  }

  /** The TSC of a vCPU whose TSC offset is zero: {@link #tscHz} ticks a second since the start. */
  default long tsc() {
    return nanos();
  }

  /** When {@link #tsc} reaches {@code tsc}, in nanoseconds since the machine started. */
  default long nanosAtTsc(long tsc) {
    return tsc;
  }
}
