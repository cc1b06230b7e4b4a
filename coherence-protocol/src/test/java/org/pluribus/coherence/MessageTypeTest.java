package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class MessageTypeTest {
  /** Nodes of different builds talk to each other: a change here is a change of the wire format. */
  @Test
  void wireCodesAreStable() {
    Map<String, Integer> codes =
        Arrays.stream(MessageType.values())
            .collect(Collectors.toMap(MessageType::name, MessageType::code));
    assertThat(codes)
        .containsOnly(
            Map.entry("GET_S", 1),
            Map.entry("GET_M", 2),
            Map.entry("UPGRADE", 3),
            Map.entry("FWD_GET_S", 4),
            Map.entry("FWD_GET_M", 5),
            Map.entry("INV", 6),
            Map.entry("INV_ACK", 7),
            Map.entry("DATA", 8),
            Map.entry("GRANT", 9),
            Map.entry("UNBLOCK", 10),
            Map.entry("DATA_DELTA", 11),
            Map.entry("PUT", 12),
            Map.entry("PUT_ACK", 13),
            Map.entry("PUT_NACK", 14),
            Map.entry("DATA_SPARSE", 15));
    assertThat(Lane.INTERRUPT.code()).isZero();
    assertThat(Lane.CONTROL.code()).isEqualTo(1);
    assertThat(Lane.PAGE.code()).isEqualTo(2);
  }

  @Test
  void codesReadBack() {
    for (MessageType type : MessageType.values()) {
      assertThat(MessageType.ofCode(type.code())).isSameAs(type);
    }
    assertThat(MessageType.ofCode(0)).isNull();
    assertThat(MessageType.ofCode(-1)).isNull();
    assertThat(MessageType.ofCode(16)).isNull();
    assertThat(MessageType.ofCode(Integer.MAX_VALUE)).isNull();
  }

  @Test
  void onlyDataTravelsOnThePageLane() {
    for (MessageType type : MessageType.values()) {
      boolean data = type == MessageType.DATA;
      assertThat(type.carriesData()).as(type.name()).isEqualTo(data);
      boolean blocks = type == MessageType.DATA_DELTA || type == MessageType.DATA_SPARSE;
      assertThat(type.carriesBlocks()).as(type.name()).isEqualTo(blocks);
      assertThat(type.carriesBytes()).as(type.name()).isEqualTo(data || blocks);
      assertThat(type.lane()).as(type.name()).isEqualTo(data || blocks ? Lane.PAGE : Lane.CONTROL);
    }
  }
}
