package org.pluribus.hw.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a survey says of NUMA nodes, and of a process that keeps to one. */
class NumaSurveyTest {
  @TempDir Path root;

  @Test
  void oneNodeNeedsNothing() throws IOException {
    node(0, "0-7");
    assertThat(finding("0-7")).isEqualTo(Finding.ok("NUMA", "one node"));
  }

  @Test
  void aProcessOnAllNodesIsTold() throws IOException {
    node(0, "0-3,8-11");
    node(1, "4-7,12-15");
    Finding finding = finding("0-15");
    assertThat(finding.found())
        .isEqualTo("2 nodes: 0 has CPUs 0-3,8-11; 1 has CPUs 4-7,12-15; this process runs on many");
    assertThat(finding.cure())
        .startsWith("keep a node on one: numactl --cpunodebind=N --preferred=N, or ");
  }

  @Test
  void itBelongsOnTheNodeOfTheRdmaDevice() throws IOException {
    node(0, "0-3");
    node(10, "4-7");
    node(2, "");
    rdma("mlx5_0", 10);
    rdma("rxe0", -1);
    Finding off = finding("1-2");
    assertThat(off.found())
        .isEqualTo(
            "3 nodes: 0 has CPUs 0-3; 2 has CPUs none; 10 has CPUs 4-7; mlx5_0 is on 10; this process runs on 0");
    assertThat(off.cure())
        .contains("numactl --cpunodebind=10 --preferred=10")
        .contains("NUMAMask=10");
    assertThat(finding("4-7").isOk()).isTrue();
    assertThat(finding("5").found()).endsWith("; this process runs on 10");
    assertThat(finding("3-4").isOk()).isFalse();
  }

  @Test
  void listsAreReadAsTheKernelWritesThem() {
    assertThat(NumaSurvey.cpus("0-2,5,7-8").stream()).containsExactly(0, 1, 2, 5, 7, 8);
    assertThat(NumaSurvey.cpus("").isEmpty()).isTrue();
  }

  private Finding finding(String allowed) throws IOException {
    HostTree.write(root, "proc/self/status", "Name:\tjava\nCpus_allowed_list:\t" + allowed + "\n");
    return new NumaSurvey(new HostFiles(root)).finding();
  }

  private void node(int number, String cpus) throws IOException {
    HostTree.write(root, "sys/devices/system/node/node" + number + "/cpulist", cpus + "\n");
    HostTree.write(root, "sys/devices/system/node/has_cpu", "0\n");
  }

  private void rdma(String device, int node) throws IOException {
    HostTree.write(root, "sys/class/infiniband/" + device + "/device/numa_node", node + "\n");
  }
}
