package org.pluribus.transport.wire;

import org.agrona.MutableDirectBuffer;

/**
 * The sending end of one lane to one peer: memory of the network, to be claimed, filled and
 * committed. Used by the holder of the duty token only.
 */
public interface LaneSink {
  /**
   * Claims room for one frame. Never blocks.
   *
   * @return false if the network takes nothing for now
   */
  boolean tryClaim(int length);

  /** Where the claimed frame goes. */
  MutableDirectBuffer buffer();

  /** Offset in {@link #buffer()} of the claimed frame. */
  int offset();

  /** Gives the claimed frame to the network. */
  void commit();

  /**
   * As {@link #commit}, but the frame may wait for others to the same peer, until {@link
   * LaneNetwork#nextDeadline}.
   */
  default void commitPatiently() {
    commit();
  }
}
