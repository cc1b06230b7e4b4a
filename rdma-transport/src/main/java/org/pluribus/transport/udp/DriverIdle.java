package org.pluribus.transport.udp;

/** What threads of Aeron's media driver do when there is nothing to do. No use with INVOKER. */
public enum DriverIdle {
  /** Give the core away, but stay runnable. */
  YIELD,
  /** Spin, then yield, then sleep up to a millisecond. */
  BACKOFF,
  /** Never give the core away. */
  SPIN
}
