package org.pluribus.transport.udp;

/** Who runs Aeron's media driver. */
public enum DriverThreading {
  /** Whoever polls the transport. Best when threads outnumber cores. */
  INVOKER,
  /** One thread of its own. */
  SHARED,
  /** Three threads: sender, receiver, conductor. For hosts with cores to spare. */
  DEDICATED
}
