package org.pluribus.transport;

import java.time.Duration;

/**
 * One node's end of the cluster: a channel to every other node, and the duty cycle that moves
 * messages over them.
 *
 * <p>Threads: all methods belong to the holder of the node's duty token, one thread at a time. The
 * holder may change; handing the token over must give happens-before (a lock does).
 */
public interface Transport extends AutoCloseable {

  /**
   * Names the memory that pages come from and go to, so that a transport which can may move their
   * bytes without a copy: out of it until the receiver answers, and into it as they come, before
   * their message is delivered. Called before {@link #connect}; the memory must stay until {@link
   * #close}.
   *
   * @param address native address of page 0
   * @param bytes size, in whole pages
   */
  default void shareMemory(long address, long bytes) {}

  /** Pages whose bytes left out of the shared memory without a copy. Any thread. */
  default long placedPages() {
    return 0;
  }

  /**
   * Copies of a page's bytes between memory and this transport's frames, into them and out of them.
   * Pages of {@link #placedPages} need none at either end. Any thread.
   */
  long copiedPages();

  /**
   * Opens this node's end and exchanges hellos with every peer. Nothing is delivered to the handler
   * before this returns. Blocks (sleeping between looks) until every peer has said hello. Poll soon
   * after: peers may still wait for ours.
   *
   * @param handler where {@link #poll} delivers to, for the life of this transport
   * @param timeout how long to wait for peers
   * @throws TransportException if a peer is missing, is of another version or another VM, has
   *     another configuration, or calls itself what another node is called; the transport is closed
   *     then
   */
  void connect(MessageHandler handler, Duration timeout);

  /**
   * Makes a {@link #connect} that still waits for peers fail, because one of them will never come.
   * Any thread; without effect on a transport that is connected.
   *
   * @param reason what the {@link TransportException} says
   */
  void abandon(String reason);

  /** This node's id. */
  int nodeId();

  /** Number of nodes, this one included. */
  int nodeCount();

  /**
   * The channel to a peer.
   *
   * @throws IllegalArgumentException for this node's own id and for ids there are none of
   */
  Channel channel(int peer);

  /**
   * Runs one turn of the duty cycle: sends what waited, delivers what arrived (interrupt lanes
   * first, then control, then page), notices lost peers. Never blocks. A handler may send, but not
   * poll.
   *
   * @param limit most messages to deliver in this turn
   * @return amount of work done; 0 if there was nothing to do and the caller may idle
   */
  int poll(int limit);

  /**
   * As {@link #poll}, for a caller that comes again at {@link #nextDeadline}: what nobody waits for
   * may stay until then, to leave together with what is sent next.
   */
  default int pollPatiently(int limit) {
    return poll(limit);
  }

  /**
   * When something that a {@link #pollPatiently} left behind is to leave at the latest, {@link
   * System#nanoTime}; {@link Long#MAX_VALUE} if it left nothing.
   */
  default long nextDeadline() {
    return Long.MAX_VALUE;
  }

  /**
   * Descriptors of this process that become readable when something arrives, so that a thread can
   * sleep on them after a poll that delivered less than its limit. Valid from {@link #connect} to
   * {@link #close}.
   *
   * @return none if the transport has to be polled in intervals
   */
  default int[] descriptors() {
    return new int[0];
  }

  /**
   * Sends what still waits (for a bounded time) and closes every channel. Peers that have not been
   * told {@link LifecycleKind#BYE} see this node as lost. May be called twice.
   */
  @Override
  void close();
}
