package org.pluribus.transport.udp;

import static io.aeron.logbuffer.FrameDescriptor.BEGIN_FRAG_FLAG;
import static io.aeron.logbuffer.FrameDescriptor.END_FRAG_FLAG;
import static io.aeron.logbuffer.FrameDescriptor.UNFRAGMENTED;
import static org.assertj.core.api.Assertions.assertThat;

import io.aeron.logbuffer.Header;
import io.aeron.protocol.DataHeaderFlyweight;
import java.util.ArrayList;
import java.util.List;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneNetwork;

class FrameJoinerTest {
  private static final int PEER = 3;

  private final List<String> seen = new ArrayList<>();
  private final FrameJoiner joiner =
      new FrameJoiner(
          PEER,
          Lane.PAGE,
          new FrameReceiver() {
            @Override
            public void onFrame(int peer, Lane lane, DirectBuffer buffer, int offset, int length) {
              seen.add(
                  peer + " " + lane + " " + buffer.getStringWithoutLengthAscii(offset, length));
            }

            @Override
            public void onLinkDown(int peer, String reason) {
              seen.add(peer + " down: " + reason);
            }
          });

  @Test
  void wholeFramesPass() {
    fragment("one", UNFRAGMENTED);
    fragment("two", UNFRAGMENTED);
    assertThat(seen).containsExactly("3 PAGE one", "3 PAGE two");
  }

  @Test
  void fragmentsAreJoined() {
    fragment("be", BEGIN_FRAG_FLAG);
    fragment("twe", (byte) 0);
    fragment("en", END_FRAG_FLAG);
    fragment("next", UNFRAGMENTED);
    fragment("la", BEGIN_FRAG_FLAG);
    fragment("st", END_FRAG_FLAG);
    assertThat(seen).containsExactly("3 PAGE between", "3 PAGE next", "3 PAGE last");
  }

  @Test
  void anEndlessFrameEndsTheLinkAndDeliversNothing() {
    String most = "x".repeat(LaneNetwork.MAX_FRAME_BYTES);
    fragment(most, BEGIN_FRAG_FLAG);
    fragment("y", (byte) 0);
    fragment("", END_FRAG_FLAG);
    assertThat(seen)
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).startsWith("3 down: sent a frame of more than 4224"));
  }

  private void fragment(String text, byte flags) {
    int header = DataHeaderFlyweight.HEADER_LENGTH;
    UnsafeBuffer buffer = new UnsafeBuffer(new byte[header + text.length()]);
    buffer.putStringWithoutLengthAscii(header, text);
    buffer.putByte(DataHeaderFlyweight.FLAGS_FIELD_OFFSET, flags);
    Header aeronHeader = new Header(0, 0, null);
    aeronHeader.buffer(buffer);
    aeronHeader.offset(0);
    joiner.onFragment(buffer, header, text.length(), aeronHeader);
  }
}
