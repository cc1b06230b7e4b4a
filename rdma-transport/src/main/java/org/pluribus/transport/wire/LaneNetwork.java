package org.pluribus.transport.wire;

import org.pluribus.coherence.Lane;

/**
 * Lanes of frames between this node and its peers, without any notion of what frames say. A lane
 * delivers all frames once and in order, or its link goes down. Used by the holder of the duty
 * token only.
 */
public interface LaneNetwork {
  /** Longest frame a network has to carry: a page with its message around it, rounded up. */
  int MAX_FRAME_BYTES = 4096 + 128;

  /**
   * Binds this node's end and begins to reach for its peers. Doesn't wait for them.
   *
   * @throws org.pluribus.transport.TransportException if this node's end can't be had
   */
  void open(FrameReceiver receiver);

  /** The sending end of a lane. Valid before {@link #open}, but takes nothing until linked. */
  LaneSink sink(int peer, Lane lane);

  /** Whether all lanes to and from a peer are up. */
  boolean isLinked(int peer);

  /**
   * Does whatever the network needs to have done regularly (reads sockets, sends what was
   * committed).
   *
   * @return amount of work done
   */
  int drive();

  /**
   * As {@link #drive}, but what was {@linkplain LaneSink#commitPatiently committed patiently} need
   * not leave before {@link #nextDeadline}.
   */
  default int drivePatiently() {
    return drive();
  }

  /**
   * When {@link #drivePatiently} has something to do at the latest, {@link System#nanoTime}; {@link
   * Long#MAX_VALUE} if nothing waits.
   */
  default long nextDeadline() {
    return Long.MAX_VALUE;
  }

  /**
   * Delivers frames of one lane.
   *
   * @return number of frames delivered, at most {@code limit}
   */
  int poll(int peer, Lane lane, int limit);

  /** See {@link org.pluribus.transport.Transport#shareMemory}. */
  default void shareMemory(long address, long bytes) {}

  /** See {@link org.pluribus.transport.Transport#placedPages}. */
  default long placedPages() {
    return 0;
  }

  /**
   * Where this network puts a page's bytes itself, before it delivers the page's message, which
   * then comes without them; and takes them from when such a message is committed.
   *
   * @return native address, or 0 if the bytes have to be in the frame
   */
  default long placedAddress(long page) {
    return 0;
  }

  /** See {@link org.pluribus.transport.Transport#descriptors}. */
  default int[] descriptors() {
    return new int[0];
  }

  /** How people know a peer: id and address. */
  String name(int peer);

  /** Stops receiving from a peer. */
  void disconnect(int peer);

  /** Closes everything after trying, for a bounded time, to bring over what was committed. */
  void close(long lingerNanos);
}
