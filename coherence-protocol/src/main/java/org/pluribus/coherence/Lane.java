package org.pluribus.coherence;

/**
 * A class of traffic between two nodes. Each lane is reliable and in order by itself; lanes are not
 * ordered against each other, so that a small urgent message need not wait behind page bytes.
 */
public enum Lane {
  /** Interrupts, and port and MMIO accesses forwarded to a device on another node. */
  INTERRUPT(0),
  /** Coherence messages without page bytes. */
  CONTROL(1),
  /** Coherence messages that carry page bytes. */
  PAGE(2);

  private final int code;

  Lane(int code) {
    this.code = code;
  }

  /** The stable number of this lane in wire formats and stream ids. */
  public int code() {
    return code;
  }
}
