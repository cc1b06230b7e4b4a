package org.pluribus.coherence;

/**
 * What a {@link CacheController} makes its node do. The node executes each at once, on the
 * controller's thread, in the order given.
 *
 * <p>From inside {@link #revoke}, {@link #downgrade} and {@link #wake} the node may call the
 * controller again (an implementation without vCPU threads completes a revoke on the spot). From
 * inside the others it must not.
 */
public interface CacheEffects {
  /**
   * Sends a message. The holder is reused after return. If it {@linkplain
   * CoherenceMessage#carriesBytes() carries bytes}, the 4096 bytes of the local mirror, or the
   * {@linkplain CoherenceMessage#blocks blocks} of them, must be captured before return: they may
   * change right after. A message to this node itself goes to a local FIFO and is delivered after
   * the current call into the controller returned.
   */
  void send(CoherenceMessage message);

  /**
   * Copies the payload of the message now being handled to the local mirror of the page. Nobody on
   * this node has rights to the page at this moment.
   */
  void install(long page);

  /**
   * Copies the blocks that came with the message now being handled to their places in the local
   * mirror of the page, whose other bytes stay as they are. Nobody on this node has rights to the
   * page at this moment.
   */
  void installDelta(long page, long blocks);

  /**
   * Copies the blocks that came with the message now being handled to their places in the local
   * mirror of the page, and makes all its other bytes zero, whatever they were. Nobody on this node
   * has rights to the page at this moment.
   */
  void installSparse(long page, long blocks);

  /** Makes the local mirror of the page all zero (it may be known to be so already). */
  void installZero(long page);

  /** Local vCPUs and devices may read the page from now on. */
  void grantShared(long page);

  /** Local vCPUs and devices may read and write the page from now on. */
  void grantExclusive(long page);

  /**
   * Starts to take the write right away, leaving the right to read. {@link
   * CacheController#downgraded} says when no vCPU can write any more.
   */
  void downgrade(long page);

  /**
   * Starts to take all rights away. {@link CacheController#revoked} says when no vCPU can read or
   * write any more.
   */
  void revoke(long page);

  /**
   * Every local faulter of this page retries its access; one whose right still lacks faults again.
   */
  void wake(long page);

  /**
   * Asks for how much longer a page should stay that another node wants and no hold keeps any more,
   * because who waited for it here cannot have used it yet. The answers must add up to a bounded
   * time. From inside, the node must not call the controller.
   *
   * @param requester the node that wants it
   * @param waitingSince see {@link CoherenceMessage#waitingSince}
   * @return nanoseconds from now; 0 or less for no longer
   */
  default long holdLonger(long page, int requester, long waitingSince, long nowNanos) {
    return 0;
  }

  /**
   * Since when those have got nowhere who wait for the page here: see {@link
   * CoherenceMessage#waitingSince}. From inside, the node must not call the controller.
   *
   * @return nanoseconds of the machine's clock; {@link Long#MAX_VALUE} if nobody has precedence
   */
  default long waitingSince(long page) {
    return Long.MAX_VALUE;
  }

  /**
   * A message was refused; nothing changed. The node says so and ends the machine.
   *
   * @param message the refused message; its fields may hold any value
   */
  void protocolError(ProtocolError reason, CoherenceMessage message);
}
