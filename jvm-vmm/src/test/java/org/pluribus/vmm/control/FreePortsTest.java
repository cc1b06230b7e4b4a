package org.pluribus.vmm.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FreePortsTest {
  private static final String HOST = "127.0.0.1";

  @Test
  void givesEachPortOnceAndLetsItGoAfterwards() throws IOException {
    Set<Integer> ports = new HashSet<>();
    try (FreePorts free = new FreePorts()) {
      for (int i = 0; i < 64; i++) {
        assertThat(ports.add(free.next(HOST))).isTrue();
      }
    }
    for (int port : ports) {
      new DatagramSocket(port, InetAddress.getByName(HOST)).close();
    }
  }

  @Test
  void readsTheKernelsRangeAsItsOwnToolsDo() throws Exception {
    Process cat = new ProcessBuilder("cat", "/proc/sys/net/ipv4/ip_local_port_range").start();
    String range = new String(cat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(FreePorts.firstEphemeral()).isEqualTo(Integer.parseInt(range.split("\\s+")[0]));
  }

  @Test
  void staysOutOfTheKernelsOwnRange() throws IOException {
    int first = FreePorts.firstEphemeral();
    org.junit.jupiter.api.Assumptions.assumeTrue(
        first > 21_000, "the kernel's range begins at " + first + ": there is nothing below");
    try (FreePorts free = new FreePorts()) {
      assertThat(free.next(HOST)).isLessThan(first);
    }
  }

  @Test
  void refusesAnAddressThatIsNotOurs() {
    try (FreePorts free = new FreePorts()) {
      assertThatThrownBy(() -> free.next("192.0.2.1")).isInstanceOf(IOException.class);
    }
  }
}
