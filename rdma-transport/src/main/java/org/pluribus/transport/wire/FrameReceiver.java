package org.pluribus.transport.wire;

import org.agrona.DirectBuffer;
import org.pluribus.coherence.Lane;

/** Where a {@link LaneNetwork} delivers to, from within its own methods. */
public interface FrameReceiver {
  /** One whole frame; the buffer is valid until this returns. Never throws. */
  void onFrame(int peer, Lane lane, DirectBuffer buffer, int offset, int length);

  /**
   * Nothing more will come from a peer, for good. All of its control lane has been delivered.
   *
   * @param reason one line for people
   */
  void onLinkDown(int peer, String reason);
}
