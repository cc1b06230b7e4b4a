package org.pluribus.transport;

import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;

/**
 * What one node can say to one peer.
 *
 * <p>No send blocks. A message that the network does not take at once waits in its lane's outbound
 * queue; a queue that outgrows its bound ({@link TransportLimits#outboundQueueBytes()}) means that
 * the peer no longer keeps up and counts as lost.
 *
 * <p>Every method returns {@code true} if the message was taken (it will be delivered unless the
 * peer is lost), {@code false} if this channel is closed or the peer lost. {@code send...} needs
 * the duty token, also when called from a {@link MessageHandler}; {@code post...} may be called by
 * any thread.
 */
public interface Channel {

  /** Payload address for messages without page bytes. */
  long NO_PAYLOAD = 0;

  /** The node at the other end. */
  int peer();

  /** Whether messages are still taken: false once the peer is lost or has left, or we said bye. */
  boolean isOpen();

  /**
   * Sends a coherence message on the lane its type asks for. The page's bytes, or the {@linkplain
   * CoherenceMessage#blocks blocks} of them, if it carries any, are copied before this returns.
   *
   * @param payloadAddress native address of the page's 4096 bytes if {@link
   *     CoherenceMessage#carriesBytes()}, else {@link #NO_PAYLOAD}
   * @throws IllegalArgumentException if payload and message type don't go together
   */
  boolean sendCoherence(CoherenceMessage message, long payloadAddress);

  /**
   * Lets a node that was asked to give a page up know since when another waits for it, on the
   * control lane, behind that message.
   */
  boolean sendHurry(long page, long waitingSince);

  /** Sends an inter-processor interrupt. */
  boolean sendIpi(IpiMessage ipi);

  /** Tells that a level-triggered interrupt's handler is done, for every I/O APIC to hear. */
  boolean sendEoi(int vector);

  /** Sends an access to a device of the peer. */
  boolean sendBusRequest(BusRequest request);

  /**
   * Answers a {@link BusRequest}.
   *
   * @param value what was read; 0 for writes
   */
  boolean sendBusReply(long id, long value, BusStatus status);

  /**
   * Sends a step of the machine's life. After {@link LifecycleKind#BYE} this node's going away is
   * no loss to the peer.
   *
   * @param code exit code for STOP and BYE, else 0
   * @param text why; cut after {@link LifecycleKind#MAX_TEXT_BYTES} of UTF-8
   */
  boolean sendLifecycle(LifecycleKind kind, int code, String text);

  /** Sends a clock probe; times in nanoseconds, those not known yet 0. */
  boolean sendClockProbe(ClockProbeKind kind, long t0Nanos, long t1Nanos, long t2Nanos);

  /**
   * Sends this node's final report.
   *
   * @param json at least one byte, at most {@link TransportLimits#MAX_REPORT_BYTES}
   */
  boolean sendReport(byte[] json);

  /**
   * As {@link #sendIpi}, from any thread; goes out with the next poll. {@code false} also if too
   * many posts wait for it: the caller then lets the duty cycle run and tries again.
   */
  boolean postIpi(IpiMessage ipi);

  /** As {@link #sendEoi}, from any thread; see {@link #postIpi}. */
  boolean postEoi(int vector);

  /** As {@link #sendBusRequest}, from any thread; see {@link #postIpi}. */
  boolean postBusRequest(BusRequest request);

  /** Bytes waiting in a lane's outbound queue. 0 means that the network takes all we send. */
  long queuedBytes(Lane lane);

  /** Bytes of all frames given to this channel so far. */
  long bytesSent();

  /** Bytes of all frames received from the peer so far. */
  long bytesReceived();
}
