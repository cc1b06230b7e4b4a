package org.pluribus.transport.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OutboundQueueTest {
  private static final int BOUND = 256 << 10;
  private static final int ROUNDS = 200_000;

  @Test
  void keepsFramesInOrderThroughWrapsAndGrowth() {
    long seed = Long.getLong("pluribus.seed", System.nanoTime());
    Random random = new Random(seed);
    OutboundQueue queue = new OutboundQueue(BOUND);
    Deque<Integer> expected = new ArrayDeque<>();
    long modelBytes = 0;
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      // Long phases of filling and of emptying, so that both ends of the range are seen.
      boolean filling = (round / 2000) % 2 == 0;
      if (random.nextInt(100) < (filling ? 60 : 40)) {
        int length = 1 + random.nextInt(5000);
        if (queue.claim(length)) {
          queue.buffer().putByte(queue.claimOffset(), (byte) length);
          queue.buffer().putByte(queue.claimOffset() + length - 1, (byte) length);
          queue.commit();
          expected.add(length);
          modelBytes += length;
        } else {
          refused++;
          assertThat(modelBytes).as("seed %d", seed).isGreaterThan(BOUND / 2);
        }
      } else if (!expected.isEmpty()) {
        int length = expected.remove();
        assertThat(queue.firstLength()).as("seed %d", seed).isEqualTo(length);
        int at = queue.firstOffset();
        assertThat(queue.buffer().getByte(at)).isEqualTo((byte) length);
        assertThat(queue.buffer().getByte(at + length - 1)).isEqualTo((byte) length);
        queue.removeFirst();
        modelBytes -= length;
      }
      assertThat(queue.isEmpty()).isEqualTo(expected.isEmpty());
      assertThat(queue.bytes()).isBetween(modelBytes, (long) BOUND);
    }
    assertThat(refused).as("times full, seed %d", seed).isPositive();
  }
}
