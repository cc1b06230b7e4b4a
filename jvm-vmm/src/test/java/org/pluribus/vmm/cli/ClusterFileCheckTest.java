package org.pluribus.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.hw.host.Finding;
import org.pluribus.vmm.control.ClusterConfig;

/** What doctor says of a cluster file. */
class ClusterFileCheckTest {
  /** TEST-NET-3 (RFC 5737): no host has it. */
  private static final String ELSEWHERE = "203.0.113.9";

  @TempDir Path folder;
  private Path file;
  private Path kernel;

  @BeforeEach
  void files() throws Exception {
    file = folder.resolve("cluster.yaml");
    kernel = Files.writeString(folder.resolve("vmlinuz"), "kernel");
  }

  @Test
  void aHostThatIsReadyForItsNode() throws Exception {
    int port = freePort();
    assertThat(findings("aeron", "127.0.0.1", port, ELSEWHERE))
        .containsExactly(
            new Finding("cluster file", file + " is kept from others", null),
            new Finding("nodes here", "node 0 at 127.0.0.1:" + port + " by aeron", null),
            new Finding("kernel", kernel.toString(), null));
  }

  @Test
  void aFileThatEverybodyMayReadHasItsKeyExposed() throws Exception {
    ClusterConfig config = write("aeron", "127.0.0.1", freePort(), ELSEWHERE);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(ClusterFileCheck.findings(file, config, Set.of()).getFirst())
        .isEqualTo(
            new Finding(
                "cluster file",
                file + " can be read by everybody, and has the machine's key",
                "chmod o= " + file));
  }

  @Test
  void aHostWithoutANodeIsTold() throws Exception {
    List<Finding> findings = findings("rdma", ELSEWHERE, 24100, "203.0.113.10");
    assertThat(findings).hasSize(2);
    assertThat(findings.getLast().found())
        .isEqualTo("none: no address of this host is among 203.0.113.9, 203.0.113.10");
    assertThat(findings.getLast().isOk()).isFalse();
  }

  @Test
  void aPortThatIsTakenIsALackOverUdpOnly() throws Exception {
    try (DatagramSocket taken = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"))) {
      int port = taken.getLocalPort();
      Finding overUdp = findings("aeron", "127.0.0.1", port, ELSEWHERE).get(1);
      assertThat(overUdp.found()).contains(", but ").contains("in use");
      assertThat(overUdp.cure()).contains("give another");
      assertThat(findings("rdma", "127.0.0.1", port, ELSEWHERE).get(1).isOk()).isTrue();
    }
  }

  @Test
  void overRdmaANodeNeedsTheAddressOfADevice() throws Exception {
    ClusterConfig config = write("rdma", "127.0.0.1", freePort(), ELSEWHERE);
    Finding node = ClusterFileCheck.findings(file, config, Set.of("10.0.0.1")).get(1);
    assertThat(node.found())
        .endsWith(" by rdma, but no active RDMA device of this host has that address");
    assertThat(node.isOk()).isFalse();
  }

  @Test
  void aNodeThatMayChooseNeedsItsUdpPortAndIsToldOfItsDevice() throws Exception {
    int port = freePort();
    String node = "node 0 at 127.0.0.1:" + port + " by auto: ";
    assertThat(findings("auto", "127.0.0.1", port, ELSEWHERE).get(1))
        .isEqualTo(new Finding("nodes here", node + "rdma, if all nodes can, else aeron", null));
    ClusterConfig config = write("auto", "127.0.0.1", port, ELSEWHERE);
    assertThat(ClusterFileCheck.findings(file, config, Set.of()).get(1))
        .isEqualTo(
            new Finding(
                "nodes here",
                node + "aeron, as no active RDMA device of this host has that address",
                null));
    try (DatagramSocket taken = new DatagramSocket(port, InetAddress.getByName("127.0.0.1"))) {
      assertThat(taken.isBound()).isTrue();
      assertThat(findings("auto", "127.0.0.1", port, ELSEWHERE).get(1).isOk()).isFalse();
    }
  }

  @Test
  void onlyNodeZeroNeedsTheKernel() throws Exception {
    Files.delete(kernel);
    assertThat(findings("aeron", "127.0.0.1", freePort(), ELSEWHERE).getLast().found())
        .isEqualTo(kernel + " cannot be read");
    assertThat(findings("aeron", ELSEWHERE, freePort(), "127.0.0.1"))
        .extracting(Finding::name)
        .containsExactly("cluster file", "nodes here");
  }

  @Test
  void doctorChecksTheFileThatItIsGiven() throws Exception {
    write("aeron", "127.0.0.1", freePort(), ELSEWHERE);
    StringWriter out = new StringWriter();
    PluribusCli.commandLine()
        .setOut(new PrintWriter(out))
        .execute("doctor", "--config", file.toString());
    assertThat(out.toString()).contains("\nnodes here      ok    node 0");
  }

  @Test
  void limitsGoByTheFilesMemoryUnlessAnotherIsGiven() throws Exception {
    ClusterConfig cluster = write("aeron", "127.0.0.1", freePort(), ELSEWHERE);
    assertThat(DoctorCommand.guestBytes(null, cluster)).isEqualTo(64L << 20);
    assertThat(DoctorCommand.guestBytes("2G", cluster)).isEqualTo(2L << 30);
    assertThat(DoctorCommand.guestBytes(null, null)).isEqualTo(1L << 30);
  }

  private List<Finding> findings(String transport, String first, int port, String second)
      throws Exception {
    return ClusterFileCheck.findings(
        file, write(transport, first, port, second), Set.of("127.0.0.1"));
  }

  private static int freePort() throws Exception {
    try (DatagramSocket any = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"))) {
      return any.getLocalPort();
    }
  }

  /** A cluster file that its group may read, and what is in it. */
  private ClusterConfig write(String transport, String first, int port, String second)
      throws Exception {
    ClusterConfig config =
        new ClusterConfig(
            "ab".repeat(32),
            "64M",
            transport,
            kernel.toString(),
            null,
            null,
            List.of(
                new ClusterConfig.Node(0, first, port, 1),
                new ClusterConfig.Node(1, second, port, 1)));
    Files.writeString(file, config.toYaml());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    return config;
  }
}
