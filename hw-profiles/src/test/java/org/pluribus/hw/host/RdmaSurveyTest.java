package org.pluribus.hw.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a survey says of RDMA devices, by what their kernels tell. */
class RdmaSurveyTest {
  private static final Map<String, List<String>> ADDRESSES =
      Map.of(
          "eth1", List.of("10.0.0.1", "fe80::1"),
          "eth2", List.of("fe80::2"),
          "ib0", List.of("10.0.1.1"),
          "ib1", List.of("10.0.2.1"));

  @TempDir Path root;

  @BeforeEach
  void deviceFiles() throws IOException {
    HostTree.write(root, "dev/infiniband/uverbs0", "");
    HostTree.write(root, "dev/infiniband/rdma_cm", "");
    HostTree.write(root, "dev/infiniband/umad0", "");
  }

  @Test
  void aPortThatCanBeUsedIsToldWithItsAddress() throws IOException {
    port("mlx5_0", "1", "4: ACTIVE", "InfiniBand", "100 Gb/sec (4X EDR)");
    HostTree.write(root, "sys/class/infiniband/mlx5_0/device/net/ib0/dev_port", "0\n");
    assertThat(findings())
        .containsExactly(
            Finding.ok(
                "RDMA", "mlx5_0 port 1: ACTIVE, InfiniBand, 100 Gb/sec (4X EDR), ib0 10.0.1.1"),
            Finding.ok("RDMA files", "/dev/infiniband/rdma_cm, uverbs0"));
  }

  @Test
  void eachPortOfACardHasItsOwnInterface() throws IOException {
    port("mlx4_0", "1", "4: ACTIVE", "InfiniBand", "40 Gb/sec (4X QDR)");
    port("mlx4_0", "2", "4: ACTIVE", "InfiniBand", "40 Gb/sec (4X QDR)");
    HostTree.write(root, "sys/class/infiniband/mlx4_0/device/net/ib0/dev_port", "0\n");
    HostTree.write(root, "sys/class/infiniband/mlx4_0/device/net/ib1/dev_port", "1\n");
    assertThat(findings().get(0).found()).endsWith("ib0 10.0.1.1");
    assertThat(findings().get(1).found()).endsWith("ib1 10.0.2.1");
  }

  @Test
  void nodesCanBeFoundByTheAddressesOfActivePorts() throws IOException {
    port("mlx4_0", "1", "4: ACTIVE", "InfiniBand", "40 Gb/sec (4X QDR)");
    port("mlx4_0", "2", "2: INIT", "InfiniBand", "40 Gb/sec (4X QDR)");
    HostTree.write(root, "sys/class/infiniband/mlx4_0/device/net/ib0/dev_port", "0\n");
    HostTree.write(root, "sys/class/infiniband/mlx4_0/device/net/ib1/dev_port", "1\n");
    port("rxe0", "1", "4: ACTIVE", "Ethernet", "2.5 Gb/sec (1X SDR)");
    HostTree.write(root, "sys/class/infiniband/rxe0/parent", "eth1\n");
    assertThat(new RdmaSurvey(new HostFiles(root), ADDRESSES).activeAddresses())
        .containsExactly("10.0.0.1", "10.0.1.1");
  }

  @Test
  void aLinkThatIsDownIsALack() throws IOException {
    port("mlx5_1", "1", "1: DOWN", "Ethernet", "40 Gb/sec (4X QDR)");
    assertThat(findings().getFirst())
        .isEqualTo(
            Finding.lacks(
                "RDMA",
                "mlx5_1 port 1: DOWN, Ethernet, 40 Gb/sec (4X QDR)",
                "bring its link up: cable, ip link set INTERFACE up, on InfiniBand a subnet manager"));
  }

  @Test
  void softRoceIsFoundByItsParent() throws IOException {
    port("rxe0", "1", "4: ACTIVE", "Ethernet", "2.5 Gb/sec (1X SDR)");
    HostTree.write(root, "sys/class/infiniband/rxe0/parent", "eth1\n");
    HostTree.write(root, "sys/class/net/eth1/mtu", "4192\n");
    assertThat(findings().getFirst())
        .isEqualTo(
            Finding.ok(
                "RDMA",
                "rxe0 port 1: ACTIVE, Ethernet, 2.5 Gb/sec (1X SDR), eth1 10.0.0.1, MTU 4192"));
  }

  @Test
  void framesTooSmallForAPageAreALackOnEthernet() throws IOException {
    port("bnxt_re0", "1", "4: ACTIVE", "Ethernet", "25 Gb/sec (1X EDR)");
    HostTree.write(root, "sys/class/infiniband/bnxt_re0/ports/1/gid_attrs/ndevs/0", "eth1\n");
    HostTree.write(root, "sys/class/net/eth1/mtu", "4191\n");
    Finding small = findings().getFirst();
    assertThat(small.found())
        .endsWith("eth1 10.0.0.1, MTU 4191, too small for a page in one packet");
    assertThat(small.cure()).startsWith("ip link set eth1 mtu 9000");
  }

  @Test
  void withoutAnIpv4AddressNobodyFindsIt() throws IOException {
    port("bnxt_re0", "1", "4: ACTIVE", "Ethernet", "25 Gb/sec (1X EDR)");
    assertThat(findings().getFirst().cure())
        .contains("dev INTERFACE (InfiniBand: modprobe ib_ipoib)");
    HostTree.write(root, "sys/class/infiniband/bnxt_re0/ports/1/gid_attrs/ndevs/0", "eth2\n");
    Finding unnamed = findings().getFirst();
    assertThat(unnamed.found()).endsWith("25 Gb/sec (1X EDR), no IPv4 address");
    assertThat(unnamed.cure()).endsWith("ip address add ADDRESS/24 dev eth2");
  }

  @Test
  void filesThatLackOrMayNotBeOpenedAreToldWithTheirCure() throws IOException {
    port("mlx5_0", "1", "4: ACTIVE", "InfiniBand", "100 Gb/sec (4X EDR)");
    assertThat(
            new RdmaSurvey(new HostFiles(root), ADDRESSES, f -> !f.endsWith("uverbs0")).findings())
        .last()
        .satisfies(f ->
            assertThat(f.found())
                .isEqualTo("no permission to read and write /dev/infiniband/uverbs0"))
        .satisfies(f -> assertThat(f.cure()).contains("udev rules"));
    Files.delete(root.resolve("dev/infiniband/rdma_cm"));
    assertThat(findings().getLast())
        .isEqualTo(Finding.lacks("RDMA files", "no /dev/infiniband/rdma_cm", "modprobe rdma_ucm"));
    Files.delete(root.resolve("dev/infiniband/uverbs0"));
    assertThat(findings().getLast())
        .isEqualTo(Finding.lacks("RDMA files", "no /dev/infiniband/uverbs0", "modprobe ib_uverbs"));
  }

  @Test
  void withoutDevicesOneLineSaysSo() {
    assertThat(findings())
        .singleElement()
        .satisfies(f -> assertThat(f.found()).isEqualTo("no device"))
        .satisfies(f -> assertThat(f.cure()).contains("modprobe rdma_rxe"));
  }

  private List<Finding> findings() {
    return new RdmaSurvey(new HostFiles(root), ADDRESSES).findings();
  }

  private void port(String device, String port, String state, String layer, String rate)
      throws IOException {
    String folder = "sys/class/infiniband/" + device + "/ports/" + port + "/";
    HostTree.write(root, folder + "state", state + "\n");
    HostTree.write(root, folder + "link_layer", layer + "\n");
    HostTree.write(root, folder + "rate", rate + "\n");
  }
}
