package org.pluribus.transport.udp;

import static org.assertj.core.api.Assertions.assertThat;

import io.aeron.exceptions.AeronEvent;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AeronComplaintsTest {
  private final List<String> told = new ArrayList<>();
  private final List<Boolean> traced = new ArrayList<>();
  private long now = Long.MAX_VALUE - 1; // the clock may wrap
  private final AeronComplaints complaints =
      new AeronComplaints(
          (text, cause) -> {
            told.add(text);
            traced.add(cause != null);
          },
          () -> now);

  @Test
  void theSameComplaintComesOnceAnInterval() {
    for (int i = 0; i < 1000; i++) {
      complaints.onError(new AeronEvent("no network"));
      now += AeronComplaints.INTERVAL_NANOS / 10_000;
    }
    assertThat(told).containsExactly("WARN - no network");
    now += AeronComplaints.INTERVAL_NANOS;
    complaints.onError(new AeronEvent("no network"));
    complaints.onError(new AeronEvent("no network"));
    assertThat(told)
        .containsExactly("WARN - no network", "WARN - no network (and 999 times more since then)");
  }

  @Test
  void otherComplaintsComeAtOnce() {
    complaints.onError(new AeronEvent("no network"));
    complaints.onError(new IllegalStateException("a defect"));
    assertThat(told).containsExactly("WARN - no network", "a defect");
    assertThat(traced).containsExactly(false, true);
  }

  @Test
  void whatComesBeyondTheTextsToldFromEachOtherCountsAsOne() {
    for (int i = 0; i < 10 * AeronComplaints.MAX_KINDS; i++) {
      complaints.onError(new IllegalStateException("text " + i));
    }
    assertThat(told).hasSize(AeronComplaints.MAX_KINDS + 1);
  }

  @Test
  void aComplaintNeedsNoText() {
    complaints.onError(new IllegalStateException());
    assertThat(told).containsExactly("null");
  }
}
