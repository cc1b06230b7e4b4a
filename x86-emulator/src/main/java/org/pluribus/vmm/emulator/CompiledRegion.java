package org.pluribus.vmm.emulator;

/**
 * A region's class, loaded, on its way to being used. Its method starts in the JVM's interpreter,
 * where it would be slower than the guest code is in ours; so it is called without effect until the
 * JVM has compiled it, which shows by the time a call takes. One thread.
 */
final class CompiledRegion {
  /**
   * Calls in one measurement. Four are more than the JVM wants to see before it compiles a method
   * (Tier3InvocationThreshold, 200, looked at every 128th call).
   */
  private static final int CALLS = 64;

  /** A compiled method takes a fifth of the time, so half of it tells the two apart. */
  private static final int SPEED_UP = 2;

  final Region region;

  /** One object per entry of the region. */
  final CompiledCode[] entries;

  private final CompiledCode idle;

  /** Nanoseconds of a measurement when surely not compiled. */
  private final long cold;

  /**
   * @param idle an object of the same class with {@link CompiledCode#NO_ENTRY}
   */
  CompiledRegion(Region region, CompiledCode[] entries, CompiledCode idle) {
    this.region = region;
    this.entries = entries;
    this.idle = idle;
    cold = Math.min(Math.min(measure(), measure()), Math.min(measure(), measure()));
  }

  /** Whether the JVM has compiled the method, to the best of our knowledge. */
  boolean isCompiledByJvm() {
    return Math.min(measure(), measure()) * SPEED_UP < cold;
  }

  private long measure() {
    long begin = System.nanoTime();
    call();
    return System.nanoTime() - begin;
  }

  /** The CPU is not looked at without an entry. */
  @SuppressWarnings("NullAway")
  private void call() {
    for (int n = 0; n < CALLS; n++) {
      idle.run(null);
    }
  }
}
