package org.pluribus.vmm.cli.selftest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TranscriptTest {
  @Test
  void readsCountsAndSums() {
    Transcript t =
        Transcript.parse(
            """
            payload counters: 2 CPUs on 1 nodes, scale=10 seed=1
            count increments=1278919
            count pages_verified=3
            checksum memory=917826f1ea6640b1
            passed
            """);
    assertThat(t.counts())
        .containsEntry("increments", 1278919L)
        .containsEntry("pages_verified", 3L);
    assertThat(t.checksums()).containsOnly(java.util.Map.entry("memory", "917826f1ea6640b1"));
    assertThat(t.passed()).isTrue();
    assertThat(t.failure()).isNull();
  }

  @Test
  void readsTouches() {
    Transcript t =
        Transcript.parse(
            """
            touch 1 2345000 f0000000000000a0 10
            touch 0 2346001 a 1f
            touch 0 2346001 a
            touch 0 2346001 a zz
            """);
    assertThat(t.touches())
        .containsExactly(
            new Touch(1, 0x2345000, false, 0xf0000000000000a0L, 0x10),
            new Touch(0, 0x2346000, true, 0xa, 0x1f));
    assertThat(t.touches().getLast().after()).isEqualTo(0x29);
  }

  @Test
  void firstFailureCounts() {
    Transcript t = Transcript.parse("fail counter 3 is 7\r\nfail later\npassed not\n");
    assertThat(t.failure()).isEqualTo("counter 3 is 7");
    assertThat(t.passed()).isFalse();
  }

  @Test
  void linesCutShortOrCorruptedAreNoCounts() {
    Transcript t = Transcript.parse("count increments\ncount x=12z\nchecksum\n");
    assertThat(t.counts()).containsOnly(java.util.Map.entry("x", 0L));
    assertThat(t.checksums()).isEmpty();
    assertThat(t.passed()).isFalse();
  }
}
