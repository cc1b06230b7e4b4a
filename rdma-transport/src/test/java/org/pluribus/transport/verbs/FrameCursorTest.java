package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages of several frames, and bytes that are none. */
class FrameCursorTest {
  private static final int OFFSET = 16;
  private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[4096]);
  private final FrameCursor cursor = new FrameCursor();

  @Test
  void findsEachFrame() {
    int[] lengths = {64, 1, 0, 8, 73};
    int at = OFFSET;
    List<Integer> offsets = new ArrayList<>();
    for (int length : lengths) {
      buffer.putInt(at, length);
      offsets.add(at + FrameCursor.PREFIX);
      at += FrameCursor.recordBytes(length);
    }
    cursor.begin(OFFSET, at - OFFSET);
    for (int i = 0; i < lengths.length; i++) {
      assertThat(cursor.hasNext()).isTrue();
      assertThat(cursor.next(buffer)).isEqualTo(offsets.get(i)).isEqualTo(offsets.get(i) & -8);
      assertThat(cursor.length()).isEqualTo(lengths[i]);
    }
    assertThat(cursor.hasNext()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 57, 64, 4000, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void refusesFramesThatDoNotFitTheirMessage(int length) {
    buffer.putInt(OFFSET, length);
    cursor.begin(OFFSET, FrameCursor.PREFIX + 56);
    assertThat(cursor.next(buffer)).isNegative();
  }

  @Test
  void refusesMessagesThatEndWithinAPrefix() {
    cursor.begin(OFFSET, FrameCursor.PREFIX - 1);
    assertThat(cursor.hasNext()).isTrue();
    assertThat(cursor.next(buffer)).isNegative();
  }

  @Test
  void staysWithinAnyMessage() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 20_000; round++) {
      int bytes = random.nextInt(1, 400);
      for (int i = 0; i < bytes; i += Integer.BYTES) {
        buffer.putInt(OFFSET + i, random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(80));
      }
      cursor.begin(OFFSET, bytes);
      int before = OFFSET;
      while (cursor.hasNext()) {
        int at = cursor.next(buffer);
        if (at < 0) {
          break;
        }
        assertThat(at).as("seed %d", seed).isGreaterThan(before);
        assertThat(at + cursor.length()).as("seed %d", seed).isLessThanOrEqualTo(OFFSET + bytes);
        before = at;
      }
    }
  }
}
