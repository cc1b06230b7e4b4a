package org.pluribus.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class PagePayloadTest {
  private static final long MARK = 0x1122_3344_5566_7788L;

  private final PagePayload payload = new PagePayload();

  @Test
  void bytesThatAreWhereTheyBelongAreNotCopied() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment page = RecordingHandler.markedPage(arena, MARK);
      payload.wrap(page.address());
      payload.copyTo(page.address());
      assertThat(payload.copies()).isZero();
      assertThat(RecordingHandler.pageMark(page)).isEqualTo(MARK);
    }
  }

  @Test
  void everyCopyCounts() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment page = RecordingHandler.markedPage(arena, MARK);
      MemorySegment other = arena.allocate(PagePayload.PAGE_BYTES, Long.BYTES);
      payload.wrap(page.address());
      payload.copyTo(other.address());
      assertThat(payload.copies()).isEqualTo(1);
      assertThat(other.mismatch(page)).isEqualTo(-1);
      byte[] inFrame = new byte[Long.BYTES + PagePayload.PAGE_BYTES];
      inFrame[Long.BYTES] = 1;
      payload.wrap(new UnsafeBuffer(inFrame), Long.BYTES);
      payload.copyTo(other, 0);
      assertThat(payload.copies()).isEqualTo(2);
      assertThat(other.mismatch(MemorySegment.ofArray(inFrame).asSlice(Long.BYTES))).isEqualTo(-1);
    }
  }
}
