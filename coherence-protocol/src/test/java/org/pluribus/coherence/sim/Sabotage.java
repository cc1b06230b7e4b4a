package org.pluribus.coherence.sim;

/** A bug planted in a simulated cluster, to prove that the checkers find it. */
public enum Sabotage {
  /** None: the cluster as shipped. */
  NONE,
  /** A node acknowledges a revoke but leaves the rights in place. */
  REVOKE_IGNORED,
  /** A node acknowledges a downgrade but leaves the write right in place. */
  DOWNGRADE_IGNORED,
  /** A node forgets to copy the bytes that came. */
  INSTALL_SKIPPED,
  /** A node grants a page that must be zero with its old bytes. */
  ZERO_SKIPPED,
  /** A node sends the bytes it had before its last write. */
  STALE_DATA_SENT,
  /** The home tells the writer to await one InvAck too few. */
  ACK_NOT_AWAITED,
  /** A twin is made only after the first write to the page. */
  TWIN_TOO_LATE,
  /** The comparison with a twin overlooks a block. */
  CHANGED_BLOCK_MISSED,
  /** The comparison with zeros overlooks a block. */
  NON_ZERO_BLOCK_MISSED,
  /** A node leaves stale bytes where a page that came is zero. */
  REST_NOT_ZEROED,
  /** Somebody writes to the mirror of a page which the node has no right to. */
  STALE_BYTES_TOUCHED,
  /** A wake-up gets lost. */
  WAKE_LOST,
  /** An Unblock gets lost. */
  UNBLOCK_LOST,
  /** An Inv gets lost on the network. */
  INV_LOST,
  /** The network delivers the control lane out of order. */
  LANE_REORDERED
}
