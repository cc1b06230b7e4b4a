package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.agrona.ExpandableArrayBuffer;
import org.junit.jupiter.api.Test;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.VmKey;

class IntroductionTest {
  private static final VmKey KEY = VmKey.random();
  private static final NodeIdentity FIRST = new NodeIdentity(0, 2, 100, KEY, 7);
  private static final NodeIdentity SECOND = new NodeIdentity(1, 2, 100, KEY, 7);

  @Test
  void travels() {
    ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
    Introduction.of(SECOND, Lane.PAGE, 11, 12, 13).encode(buffer, 16);
    Introduction came = Objects.requireNonNull(Introduction.decode(buffer, 16, Introduction.BYTES));
    assertThat(came.node()).isEqualTo(1);
    assertThat(came.lane()).isEqualTo(Lane.PAGE.code());
    assertThat(came.session()).isEqualTo(11);
    assertThat(came.peerSession()).isEqualTo(12);
    assertThat(came.delivered()).isEqualTo(13);
    assertThat(came.objection(FIRST)).isNull();
    assertThat(Introduction.decode(buffer, 16, Introduction.BYTES - 1)).isNull();
    for (int at : new int[] {0, 8, 12}) { // magic, version, credits
      buffer.putByte(16 + at, (byte) (buffer.getByte(16 + at) + 1));
      assertThat(Introduction.decode(buffer, 16, Introduction.BYTES)).isNull();
      buffer.putByte(16 + at, (byte) (buffer.getByte(16 + at) - 1));
    }
  }

  @Test
  void givesNoKeysToStrangers() {
    assertThat(of(new NodeIdentity(1, 2, 100, VmKey.random(), 7)).objection(FIRST))
        .contains("another VM key");
    assertThat(of(new NodeIdentity(1, 2, 100, KEY, 8)).objection(FIRST))
        .contains("another configuration");
    assertThat(of(FIRST).objection(FIRST)).contains("calls itself node 0");
    assertThat(of(new NodeIdentity(2, 3, 100, KEY, 7)).objection(FIRST))
        .contains("calls itself node 2");
    Introduction right = of(SECOND);
    assertThat(new Introduction(1, 9, 7, right.keyHash(), 1, 0, 0).objection(FIRST))
        .contains("lane 9");
    assertThat(new Introduction(1, -1, 7, right.keyHash(), 1, 0, 0).objection(FIRST))
        .contains("lane -1");
  }

  private static Introduction of(NodeIdentity identity) {
    return Introduction.of(identity, Lane.CONTROL, 1, 0, 0);
  }
}
