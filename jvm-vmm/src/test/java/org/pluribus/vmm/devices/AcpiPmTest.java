package org.pluribus.vmm.devices;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.pluribus.vmm.bus.Bus;

class AcpiPmTest {

  private static final int STATUS = 0;
  private static final int ENABLE = 2;
  private static final int CONTROL = 4;
  private static final int TIMER = 8;
  private static final long SECOND = 1_000_000_000L;

  private long nanos = 123_456;
  private boolean sci;
  private final RecordedMachine machine = new RecordedMachine();
  private final AcpiPm device = new AcpiPm(() -> nanos, level -> sci = level, machine);
  private final Bus pm = Bus.ports();

  AcpiPmTest() {
    pm.attach(0, PortMap.ACPI_PM_SIZE, device);
  }

  @Test
  void timerCountsAtItsFrequencyAndWraps() {
    assertThat(pm.read(TIMER, 4)).isZero();
    nanos += SECOND;
    assertThat(pm.read(TIMER, 4)).isEqualTo(3_579_545);
    nanos += 1199 * SECOND;
    assertThat(pm.read(TIMER, 4)).isEqualTo(1200L * 3_579_545 % (1L << 32));
    nanos += 365L * 24 * 3600 * SECOND;
    assertThat(pm.read(TIMER, 4)).isEqualTo((365L * 24 * 3600 + 1200) * 3_579_545 % (1L << 32));
    nanos += SECOND / 3_579_545 + 1;
    assertThat(pm.read(TIMER, 4))
        .isEqualTo(((365L * 24 * 3600 + 1200) * 3_579_545 + 1) % (1L << 32));
  }

  @Test
  void timerCarryShowsInTheStatusUntilCleared() {
    assertThat(pm.read(STATUS, 2)).isZero();
    nanos += 600 * SECOND;
    assertThat(pm.read(STATUS, 2)).as("2^31 ticks take 599.9 s").isEqualTo(1);
    pm.write(STATUS, 2, 1);
    assertThat(pm.read(STATUS, 2)).isZero();
  }

  @Test
  void poweringOffTakesTypeS5AndEnable() {
    assertThat(pm.read(CONTROL, 2) & 1).as("ACPI mode").isEqualTo(1);
    pm.write(CONTROL, 2, 5 << 10 | 1);
    assertThat(machine.events).isEmpty();
    assertThat(pm.read(CONTROL, 2)).isEqualTo(5 << 10 | 1);
    pm.write(CONTROL, 2, 1 << 13 | 3 << 10 | 1);
    assertThat(machine.events).as("there is no S3").isEmpty();
    pm.write(CONTROL, 2, 1 << 13 | 5 << 10);
    assertThat(machine.events).containsExactly("off");
    assertThat(pm.read(CONTROL, 2)).as("enable reads as 0").isEqualTo(5 << 10 | 1);
  }

  @Test
  void powerButtonRaisesTheSciWhileEnabledAndPending() {
    device.pressPowerButton();
    assertThat(sci).isFalse();
    pm.write(ENABLE, 2, 1 << 8);
    assertThat(sci).isTrue();
    assertThat(pm.read(STATUS, 4)).as("status and enable together").isEqualTo(0x0100_0100);
    pm.write(STATUS, 2, 1 << 5);
    assertThat(sci).as("another bit cleared").isTrue();
    pm.write(STATUS, 2, 1 << 8);
    assertThat(sci).isFalse();
    assertThat(pm.read(STATUS, 2)).isZero();
    pm.write(ENABLE + 1, 1, 0);
    assertThat(pm.read(ENABLE, 2)).as("written by the byte").isZero();
  }
}
