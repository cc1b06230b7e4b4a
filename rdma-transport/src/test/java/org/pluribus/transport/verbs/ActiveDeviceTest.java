package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices as sysfs shows them, made of this host's loopback interface. */
class ActiveDeviceTest {
  @TempDir Path devices;

  @Test
  void findsTheDeviceThatHasTheAddress() throws Exception {
    device("rxe0", "4: ACTIVE", "lo");
    assertThat(ActiveDevice.at(devices, "127.0.0.1"))
        .isEqualTo(new ActiveDevice("rxe0", "127.0.0.1"));
    assertThat(ActiveDevice.firstOf(devices)).isEqualTo(new ActiveDevice("rxe0", "127.0.0.1"));
  }

  @Test
  void takesAHostNameForItsAddress() throws Exception {
    device("rxe0", "4: ACTIVE", "lo");
    assertThat(ActiveDevice.at(devices, "localhost").name()).isEqualTo("rxe0");
  }

  @Test
  void saysThatThereIsNone() {
    assertThatThrownBy(() -> ActiveDevice.at(devices, "127.0.0.1"))
        .isInstanceOfSatisfying(
            VerbsUnavailableException.class,
            e -> assertThat(e.found()).isEqualTo("no RDMA device"));
    assertThat(ActiveDevice.firstOf(devices)).isNull();
  }

  @Test
  void saysWhichStateADeviceIsIn() throws Exception {
    device("mlx5_0", "1: DOWN", "lo");
    assertThatThrownBy(() -> ActiveDevice.at(devices, "127.0.0.1"))
        .isInstanceOfSatisfying(
            VerbsUnavailableException.class,
            e ->
                assertThat(e.found())
                    .isEqualTo("no active RDMA device: mlx5_0 is in state 1: DOWN"));
    assertThat(ActiveDevice.firstOf(devices)).isNull();
  }

  @Test
  void saysWhichAddressesThereAreInstead() throws Exception {
    device("mlx5_0", "1: DOWN", "lo");
    device("rxe0", "4: ACTIVE", "lo");
    device("rxe1", "4: ACTIVE", "nosuchinterface");
    assertThatThrownBy(() -> ActiveDevice.at(devices, "203.0.113.9"))
        .isInstanceOfSatisfying(
            VerbsUnavailableException.class,
            e ->
                assertThat(e.found())
                    .startsWith(
                        "no active RDMA device with its address: mlx5_0 is in state 1: DOWN;"
                            + " rxe0 has 127.0.0.1")
                    .endsWith("; rxe1 has no IPv4 address"));
  }

  private void device(String name, String state, String network) throws IOException {
    Path port = Files.createDirectories(devices.resolve(name).resolve("ports/1"));
    Files.writeString(port.resolve("state"), state + "\n");
    Files.writeString(devices.resolve(name).resolve("parent"), network + "\n");
  }
}
