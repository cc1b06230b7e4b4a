package org.pluribus.vmm.devices;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class CmosRtcTest {

  private Instant now = Instant.parse("2026-02-28T23:59:58.5Z");
  private final CmosRtc rtc = new CmosRtc(() -> now);

  private int get(int register) {
    rtc.write(0, 1, register | 0x80);
    return (int) rtc.read(1, 1);
  }

  private void set(int register, int value) {
    rtc.write(0, 1, register);
    rtc.write(1, 1, value);
  }

  @Test
  void tellsTheTimeInBcdAnd24Hours() {
    assertThat(get(11) & 0x06).isEqualTo(0x02);
    assertThat(get(0)).isEqualTo(0x58);
    assertThat(get(2)).isEqualTo(0x59);
    assertThat(get(4)).isEqualTo(0x23);
    assertThat(get(6)).as("Saturday").isEqualTo(7);
    assertThat(get(7)).isEqualTo(0x28);
    assertThat(get(8)).isEqualTo(0x02);
    assertThat(get(9)).isEqualTo(0x26);
    assertThat(get(CmosRtc.CENTURY)).isEqualTo(0x20);
    assertThat(get(13)).as("battery is good").isEqualTo(0x80);
    now = now.plusSeconds(2);
    assertThat(get(7)).isEqualTo(0x01);
    assertThat(get(6)).as("Sunday").isEqualTo(1);
  }

  @Test
  void otherFormatsAreThere() {
    set(11, 0x04);
    assertThat(get(0)).isEqualTo(58);
    assertThat(get(4)).as("11 pm, binary").isEqualTo(0x80 | 11);
    set(11, 0x00);
    assertThat(get(4)).as("11 pm, BCD").isEqualTo(0x91);
    now = Instant.parse("2026-03-01T00:30:00Z");
    assertThat(get(4)).as("12 am").isEqualTo(0x12);
  }

  @Test
  void anUpdateIsAnnouncedBeforeTheSecondEnds() {
    assertThat(get(10) & 0x80).isZero();
    now = Instant.parse("2026-02-28T23:59:58.998Z");
    assertThat(get(10) & 0x80).isEqualTo(0x80);
    get(12);
    now = Instant.parse("2026-02-28T23:59:59.1Z");
    assertThat(get(12)).as("update ended").isEqualTo(0x10);
    assertThat(get(12)).as("reading clears it").isZero();
  }

  @Test
  void theGuestCanSetItAndTimeGoesOnFromThere() {
    set(11, 0x82);
    now = now.plusSeconds(7);
    assertThat(get(0)).as("registers stand still").isEqualTo(0x58);
    // Linux's order: year, month, day, hours, minutes, seconds, century.
    set(9, 0x31);
    set(8, 0x12);
    set(7, 0x31);
    set(4, 0x05);
    set(2, 0x06);
    set(0, 0x07);
    set(CmosRtc.CENTURY, 0x20);
    set(11, 0x02);
    now = now.plusSeconds(3);
    assertThat(get(0)).isEqualTo(0x10);
    assertThat(get(4)).isEqualTo(0x05);
    assertThat(get(7)).isEqualTo(0x31);
    assertThat(get(8)).isEqualTo(0x12);
    assertThat(get(9)).isEqualTo(0x31);
  }

  @Test
  void fieldsOutOfRangeAreTakenIntoIt() {
    set(7, 0x99);
    assertThat(get(7)).isEqualTo(0x28);
    set(8, 0x00);
    assertThat(get(8)).isEqualTo(0x01);
    set(2, 0xFF);
    assertThat(get(2)).isEqualTo(0x45);
  }

  @Test
  void theRestIsMemory() {
    set(0x40, 0x77);
    assertThat(get(0x40)).isEqualTo(0x77);
    assertThat(get(0x41)).isZero();
    assertThat(rtc.read(0, 1)).as("the index can't be read").isEqualTo(0xFF);
  }
}
