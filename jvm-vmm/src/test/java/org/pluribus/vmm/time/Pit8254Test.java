package org.pluribus.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.bus.BusDevice;

/** The PIT as kernels use it, on a clock turned by hand. */
class Pit8254Test {

  private static final int LSB_MSB = 0x30;

  private final ManualClock clock = new ManualClock();
  private final TimerQueue timers = new TimerQueue(clock);
  private final List<Boolean> irq0 = new ArrayList<>();
  private final Pit8254 pit = new Pit8254(timers, irq0::add);
  private final BusDevice ports = pit.ports();
  private final BusDevice port61 = pit.systemControlPort();

  private void control(int value) {
    ports.write(3, 1, value);
  }

  private void count(int channel, int value) {
    ports.write(channel, 1, value & 0xFF);
    ports.write(channel, 1, value >> 8 & 0xFF);
  }

  private int read(int channel) {
    return (int) (ports.read(channel, 1) | ports.read(channel, 1) << 8);
  }

  private void advance(long nanos) {
    clock.advance(nanos);
    timers.runDue();
  }

  private void advanceTicks(long ticks) {
    advance(Pit8254.nanosAtTick(ticks));
  }

  private long rises() {
    long rises = 0;
    for (int i = 1; i < irq0.size(); i++) {
      if (irq0.get(i) && !irq0.get(i - 1)) {
        rises++;
      }
    }
    return rises;
  }

  @Test
  void ticksAndNanosecondsAgreeForYears() {
    assertThat(Pit8254.ticksIn(1_000_000_000L)).isEqualTo(Pit8254.HZ);
    long tenYears = 10 * 365 * 86_400L * Pit8254.HZ + 5;
    assertThat(Pit8254.ticksIn(Pit8254.nanosAtTick(tenYears))).isEqualTo(tenYears);
    assertThat(Pit8254.ticksIn(Pit8254.nanosAtTick(tenYears) - 1)).isEqualTo(tenYears - 1);
  }

  @Test
  void linuxQuickCalibrationSeesEveryHighByteForTheSameTime() {
    port61.write(0, 1, port61.read(0, 1) & ~2 | 1);
    control(0xB0);
    count(2, 0xFFFF);
    ports.read(2, 1);
    ports.read(2, 1);
    long start = clock.nanos();
    long firstChange = 0;
    int expected = 0xFF;
    for (int changes = 0; changes < 20; ) {
      clock.advance(500);
      ports.read(2, 1);
      int high = (int) ports.read(2, 1);
      if (high != expected) {
        assertThat(high).as("no high byte is skipped").isEqualTo(expected - 1);
        expected = high;
        changes++;
        firstChange = changes == 1 ? clock.nanos() : firstChange;
      }
    }
    long nanosPerByte = (clock.nanos() - firstChange) / 19;
    assertThat(nanosPerByte).isBetween(214_400L, 214_700L);
    assertThat(firstChange - start).isBetween(214_000L, 216_000L);
  }

  @Test
  void linuxPitCalibrationWaitsForOutOfChannel2() {
    port61.write(0, 1, port61.read(0, 1) & ~2 | 1);
    int latch = (int) (Pit8254.HZ / (1000 / 10));
    control(0xB0);
    count(2, latch);
    assertThat(port61.read(0, 1) & 0x20).isZero();
    long start = clock.nanos();
    long loops = 0;
    while ((port61.read(0, 1) & 0x20) == 0) {
      clock.advance(1_000);
      loops++;
      assertThat(loops).isLessThan(20_000);
    }
    assertThat(clock.nanos() - start).isBetween(9_998_000L, 10_002_000L);
    clock.advance(100_000_000);
    assertThat(port61.read(0, 1) & 0x20).as("OUT stays high in mode 0").isNotZero();
  }

  @Test
  void mode2InterruptsPeriodically() {
    control(0x34);
    count(0, 4773);
    irq0.clear();
    for (int i = 1; i <= 10; i++) {
      clock.advance(Pit8254.nanosAtTick(4773L * i) - clock.nanos() - 1);
      timers.runDue();
      assertThat(rises()).isEqualTo(i - 1);
      advance(1);
      assertThat(rises()).as("period %d", i).isEqualTo(i);
    }
  }

  @Test
  void missedPeriodsAreOneInterruptAndThePhaseStays() {
    control(0x34);
    count(0, 11932);
    irq0.clear();
    advanceTicks(11932 * 3 + 5000);
    assertThat(rises()).isEqualTo(1);
    clock.advance(Pit8254.nanosAtTick(11932 * 4) - clock.nanos());
    timers.runDue();
    assertThat(rises()).isEqualTo(2);
  }

  @Test
  void mode0AndMode4InterruptOnce() {
    for (int mode : new int[] {0, 4}) {
      control(LSB_MSB | mode << 1);
      irq0.clear();
      count(0, 1000);
      advanceTicks(1001);
      advanceTicks(200_000);
      assertThat(irq0).as("mode %d", mode).contains(true);
      assertThat(irq0.stream().filter(level -> level).count())
          .as("mode %d", mode)
          .isEqualTo(mode == 0 ? 1 : 2); // Mode 4 begins with OUT high.
    }
  }

  @Test
  void reprogrammingStopsAnEarlierCount() {
    control(0x30);
    count(0, 1000);
    control(0x30);
    irq0.clear();
    advanceTicks(5000);
    assertThat(irq0).isEmpty();
  }

  @Test
  void mode3CountsByTwoAndIsHighForTheFirstHalf() {
    port61.write(0, 1, 1);
    control(0xB6);
    count(2, 1000);
    assertThat(port61.read(0, 1) & 0x20).isNotZero();
    advanceTicks(250);
    assertThat(read(2)).isEqualTo(500);
    advanceTicks(251);
    assertThat(port61.read(0, 1) & 0x20).isZero();
    advanceTicks(500);
    assertThat(port61.read(0, 1) & 0x20).isNotZero();
  }

  @Test
  void latchHoldsTheCountUntilItWasRead() {
    control(0x34);
    count(0, 0);
    advanceTicks(256);
    control(0x00);
    advanceTicks(1000);
    control(0x00);
    assertThat(read(0)).isEqualTo(0x1_0000 - 256);
    assertThat(read(0)).as("live again").isBetween(0x1_0000 - 1259, 0x1_0000 - 1255);
  }

  @Test
  void readBackGivesStatusThenCount() {
    control(0x34);
    count(0, 0x1234);
    control(0xC2);
    assertThat(ports.read(0, 1)).as("status: OUT high, count loaded").isEqualTo(0x80 | 0x34);
    assertThat(read(0)).isEqualTo(0x1234);
    control(0xB0);
    control(0xE8);
    assertThat(ports.read(2, 1)).as("status only: OUT low, null count").isEqualTo(0x40 | 0x30);
  }

  @Test
  void oneByteAccessModes() {
    control(0x14);
    ports.write(0, 1, 100);
    advanceTicks(30);
    assertThat(ports.read(0, 1)).isEqualTo(70);
    control(0x24);
    ports.write(0, 1, 2);
    advanceTicks(0x101);
    assertThat(ports.read(0, 1)).as("0x200 - 0x101").isZero();
  }

  @Test
  void gate2PausesModeZeroAndRestartsModeTwo() {
    control(0xB0);
    count(2, 1000);
    advanceTicks(500);
    assertThat(read(2)).as("gate low: not started").isEqualTo(1000);
    port61.write(0, 1, 1);
    advanceTicks(400);
    port61.write(0, 1, 0);
    advanceTicks(5_000);
    assertThat(read(2)).isEqualTo(600);
    port61.write(0, 1, 1);
    advanceTicks(600);
    assertThat(port61.read(0, 1) & 0x20).isNotZero();

    control(0xB4);
    count(2, 1000);
    advanceTicks(300);
    port61.write(0, 1, 0);
    port61.write(0, 1, 1);
    assertThat(read(2)).isEqualTo(1000);
  }

  @Test
  void theGateTriggersModeOne() {
    control(0xB2);
    count(2, 1000);
    advanceTicks(2_000);
    assertThat(port61.read(0, 1) & 0x20).as("waits with OUT high").isNotZero();
    port61.write(0, 1, 1);
    assertThat(port61.read(0, 1) & 0x20).isZero();
    advanceTicks(1_000);
    assertThat(port61.read(0, 1) & 0x20).isNotZero();
  }

  @Test
  void refreshBitToggles() {
    int changes = 0;
    long last = port61.read(0, 1) & 0x10;
    for (int i = 0; i < 1_000; i++) {
      clock.advance(1_000);
      long now = port61.read(0, 1) & 0x10;
      changes += now != last ? 1 : 0;
      last = now;
    }
    assertThat(changes).isBetween(65, 67);
  }

  @Test
  void speakerBitIsKept() {
    port61.write(0, 1, 3);
    assertThat(port61.read(0, 1) & 0x0F).isEqualTo(3);
  }

  @Test
  void theControlPortCannotBeRead() {
    assertThat(ports.read(3, 1) & 0xFF).isEqualTo(0xFF);
  }
}
