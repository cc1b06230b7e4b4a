package org.pluribus.vmm.devices;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.bus.Bus;
import org.pluribus.vmm.bus.InterruptLine;

/** The whole set behind a port bus, as a guest meets it. */
class PlatformDevicesTest {

  private final RecordedMachine machine = new RecordedMachine();
  private final ByteArrayOutputStream console = new ByteArrayOutputStream();
  private final Bus ports = Bus.ports();
  private final PlatformDevices devices =
      PlatformDevices.create(
          machine,
          console::write,
          InterruptLine.UNCONNECTED,
          InterruptLine.UNCONNECTED,
          InstantSource.system(),
          System::nanoTime);

  PlatformDevicesTest() {
    devices.attachTo(ports);
  }

  @Test
  void resetByEitherRegister() {
    ports.write(0xCF9, 1, 0x02);
    assertThat(machine.events).isEmpty();
    ports.write(0xCF9, 1, 0x06);
    assertThat(machine.events).containsExactly("reset");
    assertThat(ports.read(0xCF9, 1)).isEqualTo(0x06);
    ports.write(0xCF9, 1, 0x06);
    assertThat(machine.events).as("only the rising edge").hasSize(1);
    assertThat(ports.read(0x64, 1) & 0x03).as("ready for a command, no data").isZero();
    ports.write(0x64, 1, 0xFF);
    ports.write(0x64, 1, 0xD1);
    ports.write(0x60, 1, 0xDF);
    assertThat(machine.events).hasSize(1);
    ports.write(0x64, 1, 0xFE);
    assertThat(machine.events).hasSize(2);
  }

  @Test
  void debugPorts() {
    ports.write(0xF4, 4, 0x10);
    ports.write(0xF4, 1, 0);
    assertThat(machine.events).containsExactly("exit 33", "exit 1");
    assertThat(ports.read(0xE9, 1)).isEqualTo(0xE9);
    ports.write(0xE9, 1, 'A');
    ports.write(0x3F8, 1, 'B');
    assertThat(console.toString(java.nio.charset.StandardCharsets.US_ASCII)).isEqualTo("AB");
    ports.write(0x80, 1, 0x1A5);
    assertThat(devices.postCode().last()).isEqualTo(0xA5);
    assertThat(ports.read(0x80, 1)).isEqualTo(0xA5);
  }

  @Test
  void powerOffThroughTheBus() {
    ports.write(0x604, 2, 0x3401);
    assertThat(machine.events).containsExactly("off");
  }

  @Test
  void nothingIsMissedNorInTheWay() {
    assertThat(ports.isMapped(PortMap.COM1 + PortMap.COM_SIZE - 1)).isTrue();
    for (int free : new int[] {0x20, 0x21, 0x40, 0x43, 0x61, 0xA0, 0x4D0, 0xCF8, 0xCFC}) {
      assertThat(ports.isMapped(free)).as("port 0x%x", free).isFalse();
    }
  }
}
