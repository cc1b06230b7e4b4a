package org.pluribus.hw.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a survey says of interfaces and socket buffers. */
class NetworkSurveyTest {
  @TempDir Path root;

  @Test
  void interfacesAreToldWithWhatFitsTheirFrames() throws IOException {
    mtu("eth0", 1500);
    mtu("eth1", 9000);
    mtu("eth2", 4284);
    buffers(4194284, 2097152);
    Map<String, List<String>> addresses = new TreeMap<>();
    addresses.put("eth0", List.of("10.0.0.1", "fe80::1"));
    addresses.put("eth1", List.of("fe80::2"));
    addresses.put("eth2", List.of("10.0.2.1"));
    assertThat(new NetworkSurvey(new HostFiles(root), addresses).findings())
        .containsExactly(
            Finding.ok("network", "eth0 10.0.0.1: MTU 1500, a page takes several datagrams"),
            Finding.ok(
                "network",
                "eth1 fe80::2: MTU 9000, a page fits one datagram (mtuBytes: 8928 in a profile)"),
            Finding.ok(
                "network",
                "eth2 10.0.2.1: MTU 4284, a page fits one datagram (mtuBytes: 4256 in a profile)"),
            Finding.ok("socket buffers", "net.core.rmem_max 4194284, wmem_max 2097152"));
  }

  @Test
  void framesTooSmallForTheUsualDatagramsAreALack() throws IOException {
    mtu("tun0", 1467);
    mtu("tun1", 1468);
    mtu("tun2", 1468);
    Finding small = of("tun0");
    assertThat(small.found())
        .isEqualTo("tun0 10.0.0.1: MTU 1467, too small for datagrams of 1440 bytes");
    assertThat(small.cure())
        .isEqualTo(
            "ip link set tun0 mtu 1500, or give the nodes a profile with mtuBytes: 1408 or less");
    assertThat(of("tun1").isOk()).isTrue();
    assertThat(
            new NetworkSurvey(new HostFiles(root), Map.of("tun2", List.of("fe80::1")))
                .findings()
                .getFirst()
                .isOk())
        .isFalse();
  }

  @Test
  void buffersTooSmallForWhatNodesAskForAreALack() throws IOException {
    buffers(212992, 4194284);
    assertThat(new NetworkSurvey(new HostFiles(root), Map.of()).findings().getLast())
        .isEqualTo(
            Finding.lacks(
                "socket buffers",
                "net.core.rmem_max 212992, wmem_max 4194284, a node asks for 2097152",
                "sysctl net.core.rmem_max=2097152 net.core.wmem_max=2097152"));
    buffers(4194284, 2097151);
    assertThat(new NetworkSurvey(new HostFiles(root), Map.of()).findings().getLast().isOk())
        .isFalse();
  }

  @Test
  void aHostWithoutNetworkIsTold() {
    List<Finding> findings = new NetworkSurvey(new HostFiles(root), Map.of()).findings();
    assertThat(findings).hasSize(2);
    assertThat(findings.getFirst().found()).isEqualTo("no interface that is up and has an address");
    assertThat(findings.getLast())
        .isEqualTo(Finding.ok("socket buffers", "limits not visible here (a container's network)"));
  }

  /** Of the kernel's two ways to tell an interface's MTU, Java takes the other one. */
  @Test
  void thisHostsInterfacesHaveTheMtuThatJavaSees() throws IOException {
    Map<String, List<String>> addresses = NetworkSurvey.addressesOfThisHost();
    assertThat(addresses).doesNotContainKey("lo");
    HostFiles files = new HostFiles(Path.of("/"));
    for (String name : addresses.keySet()) {
      int mtu = NetworkInterface.getByName(name).getMTU();
      assertThat(new NetworkSurvey(files, addresses).findings())
          .extracting(Finding::found)
          .anyMatch(f -> f.startsWith(name + " ") && f.contains(": MTU " + mtu + ","));
    }
  }

  private Finding of(String name) {
    return new NetworkSurvey(new HostFiles(root), Map.of(name, List.of("10.0.0.1")))
        .findings()
        .getFirst();
  }

  private void mtu(String name, int bytes) throws IOException {
    HostTree.write(root, "sys/class/net/" + name + "/mtu", bytes + "\n");
  }

  private void buffers(long receive, long send) throws IOException {
    HostTree.write(root, "proc/sys/net/core/rmem_max", receive + "\n");
    HostTree.write(root, "proc/sys/net/core/wmem_max", send + "\n");
  }
}
