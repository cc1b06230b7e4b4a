package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MessageRingTest {
  @Test
  void keepsOrderWhileItWrapsAndGrows() {
    MessageRing ring = new MessageRing();
    CoherenceMessage message = new CoherenceMessage();
    long in = 0;
    long out = 0;
    for (int round = 1; round < 60; round++) {
      for (int i = 0; i < round; i++) {
        ring.add(message.set(MessageType.INV, in++, 1, 2, 3, 4, 5, 0));
      }
      for (int i = 0; i < round - 1; i++) {
        assertThat(ring.poll(message)).isTrue();
        assertThat(message.page).isEqualTo(out++);
      }
    }
    assertThat(ring.size()).isEqualTo((int) (in - out)).isPositive();
  }

  @Test
  void emptyRingLeavesTheHolderAlone() {
    CoherenceMessage message = new CoherenceMessage();
    message.set(MessageType.INV, 7, 1, 2, 3, 4, 5, CoherenceMessage.ZERO);
    assertThat(new MessageRing().poll(message)).isFalse();
    assertThat(message).hasToString("INV page 7 1->2 req 3 acks 4 v5 ZERO");
  }

  @Test
  void keepsCopies() {
    MessageRing ring = new MessageRing();
    CoherenceMessage message = new CoherenceMessage();
    ring.add(message.set(MessageType.DATA, 1, 2, 3, 4, 5, 6, CoherenceMessage.EXCLUSIVE));
    message.set(MessageType.INV, 0, 0, 0, 0, 0, 0, 0);
    CoherenceMessage got = new CoherenceMessage();
    assertThat(ring.poll(got)).isTrue();
    assertThat(got).hasToString("DATA page 1 2->3 req 4 acks 5 v6 EXCLUSIVE");
  }
}
