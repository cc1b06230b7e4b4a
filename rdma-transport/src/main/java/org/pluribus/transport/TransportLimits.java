package org.pluribus.transport;

import java.time.Duration;

/**
 * Bounds a transport keeps.
 *
 * @param heartbeatInterval how often a node gives a sign of life
 * @param peerTimeout silence after which a peer is lost. Time in which this node itself did not
 *     poll (a garbage collection, a starved machine) doesn't count
 * @param outboundQueueBytes most bytes waiting to be sent, per peer and lane; beyond, the peer is
 *     lost
 * @param lingerTime how long {@code close} tries to get rid of what still waits
 */
public record TransportLimits(
    Duration heartbeatInterval, Duration peerTimeout, int outboundQueueBytes, Duration lingerTime) {

  /** Most bytes of a node's final report. */
  public static final int MAX_REPORT_BYTES = 4 << 20;

  /** Room for a full report and what is sent along with it. */
  private static final int MIN_QUEUE_BYTES = 64 << 10;

  private static final int MAX_QUEUE_BYTES = 1 << 30;

  /**
   * Signs of life every 500 ms, loss after 10 s, 16 MiB of queue per peer and lane, 2 s of linger.
   * Two JVMs starved on two cores have been seen to stand still for seconds; a lost node ends the
   * VM, so patience is cheap.
   */
  public static final TransportLimits DEFAULT =
      new TransportLimits(
          Duration.ofMillis(500), Duration.ofSeconds(10), 16 << 20, Duration.ofSeconds(2));

  public TransportLimits {
    if (heartbeatInterval.isNegative() || heartbeatInterval.isZero()) {
      throw new IllegalArgumentException("heartbeat interval must be positive");
    }
    if (peerTimeout.compareTo(heartbeatInterval.multipliedBy(2)) < 0) {
      throw new IllegalArgumentException(
          "peer timeout " + peerTimeout + ": must be at least two heartbeat intervals");
    }
    if (outboundQueueBytes < MIN_QUEUE_BYTES || outboundQueueBytes > MAX_QUEUE_BYTES) {
      throw new IllegalArgumentException(
          "outbound queue of " + outboundQueueBytes + " bytes: must be 64 KiB to 1 GiB");
    }
    if (lingerTime.isNegative()) {
      throw new IllegalArgumentException("linger time must not be negative");
    }
  }

  /** The same with another peer timeout. */
  public TransportLimits withPeerTimeout(Duration timeout) {
    return new TransportLimits(heartbeatInterval, timeout, outboundQueueBytes, lingerTime);
  }

  /** The same with another bound for the outbound queues. */
  public TransportLimits withOutboundQueueBytes(int bytes) {
    return new TransportLimits(heartbeatInterval, peerTimeout, bytes, lingerTime);
  }
}
