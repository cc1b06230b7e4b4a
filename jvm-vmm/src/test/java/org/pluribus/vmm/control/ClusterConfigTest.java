package org.pluribus.vmm.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.vmm.emulator.CpuModel;
import org.pluribus.vmm.memory.GuestRamLayout;

class ClusterConfigTest {
  private static final String GOOD =
      """
      key: %s
      memory: 512M
      transport: aeron
      kernel: /boot/vmlinuz
      nodes:
        - { id: 1, host: 10.0.0.2, port: 40001, cpus: 3 }
        - { id: 0, host: 10.0.0.1, port: 40000, cpus: 2 }
      """
          .formatted("5a".repeat(32));

  @TempDir Path folder;

  @Test
  void readsWhatItWrites() throws Exception {
    ClusterConfig read = ClusterConfig.read(file(GOOD));
    assertThat(ClusterConfig.read(file(read.toYaml()))).isEqualTo(read);
    assertThat(read.hash()).isEqualTo(ClusterConfig.read(file(read.toYaml())).hash());
  }

  @Test
  void numbersVcpusNodeByNodeAndKeepsNodesApartInTheApicId() throws Exception {
    ClusterConfig c = ClusterConfig.read(file(GOOD));
    assertThat(c.apicIdBits()).isEqualTo(2);
    assertThat(c.vcpus()).extracting(v -> v.node()).containsExactly(0, 0, 1, 1, 1);
    assertThat(c.vcpus()).extracting(v -> v.apicId()).containsExactly(0, 1, 4, 5, 6);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "id: 1, host| id: 0, host |node id 0 is there twice",
        "id: 1, host| id: 7, host |node id 7 is out of range",
        "cpus: 3| cpus: -1 |node 1 has -1 CPUs",
        "cpus: 2| cpus: 0 |node 0 has no CPU",
        "cpus: 3| cpus: 5000 |5002 CPUs are too many",
        "cpus: 3| cpus: 2147483647 |2147483649 CPUs are too many",
        "memory: 512M| memory: 12 apples |is no size",
        "memory: 512M| memory: 1K |too small",
        "kernel: /boot/vmlinuz| kernel: '' |no kernel is given",
        "key: 5a| key: zz |VM key",
        "transport: aeron| colour: green |unknown field 'colour'",
        "transport: aeron| transport: loopback |for one process only",
        "transport: aeron| transport: pigeon |unknown; give aeron, rdma or auto",
        "transport: aeron| transport: AUTO |'AUTO' is unknown",
        "port: 40001| port: 0 |has port 0",
        "port: 40001| port: 65536 |has port 65536",
        "host: 10.0.0.2, port: 40001| host: 10.0.0.1, port: 40000 |of another node",
        "host: 10.0.0.2| host: '' |has no host",
      })
  void refusesNonsenseWithOneLine(String from, String to, String expected) throws Exception {
    Path file = file(GOOD.replace(from, to.trim()));
    assertThatThrownBy(() -> ClusterConfig.read(file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(expected)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void nodesMayBeLeftToChooseATransport() throws Exception {
    ClusterConfig auto = ClusterConfig.read(file(GOOD.replace("aeron", "auto")));
    assertThat(auto.transport()).isEqualTo(ClusterConfig.AUTO);
    // Who has it so and who has it otherwise refuse each other.
    assertThat(auto.hash()).isNotEqualTo(ClusterConfig.read(file(GOOD)).hash());
    assertThat(auto.withTransport(ClusterConfig.AERON)).isEqualTo(ClusterConfig.read(file(GOOD)));
    assertThatThrownBy(() -> new LocalCluster(auto))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("transport auto");
  }

  @Test
  void aNodeWithASmallMirrorIsAnObstacleToRdma() throws Exception {
    String small = GOOD.replace("cpus: 3", "cpus: 3, mirrorBudget: 300M").replace("aeron", "auto");
    ClusterConfig config = ClusterConfig.read(file(small));
    assertThat(MirrorSize.obstacleToPinning(config, 1))
        .isEqualTo("has a mirror budget of 300M, and RDMA pins all of guest RAM, 512M");
    ClusterConfig whole = ClusterConfig.read(file(small.replace("300M", "512M")));
    assertThat(MirrorSize.obstacleToPinning(whole, 1)).isNull();
    ClusterConfig huge = ClusterConfig.read(file(GOOD.replace("512M", "900G")));
    assertThat(MirrorSize.obstacleToPinning(huge, 1))
        .contains(" of memory available, for 1 of the nodes, and RDMA pins all of guest RAM, ");
  }

  @Test
  void namesAMissingAndAnEmptyFile() throws IOException {
    assertThatThrownBy(() -> ClusterConfig.read(folder.resolve("none.yaml")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("none.yaml");
    Path empty = file("");
    assertThatThrownBy(() -> ClusterConfig.read(empty)).isInstanceOf(ConfigException.class);
  }

  @ParameterizedTest
  @CsvSource({"512M,536870912", "1g,1073741824", "4096,4096", "64k,65536", "1T,1099511627776"})
  void parsesSizes(String text, long bytes) {
    assertThat(ClusterConfig.parseSize(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({"''", "M", "-1M", "0", "1X", "99999999999T", "1.5G"})
  void refusesWhatIsNoSize(String text) {
    assertThatThrownBy(() -> ClusterConfig.parseSize(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is no size");
  }

  private Path file(String text) throws IOException {
    return Files.writeString(Files.createTempFile(folder, "cluster", ".yaml"), text);
  }

  @Test
  void aProcessorModelIsForMachinesWithoutEmulatedCpus() throws Exception {
    String model = CpuModel.IN_ORDER.text();
    String kvm = GOOD.replace(" }", ", vmi: kvm }");
    assertThat(ClusterConfig.read(file(kvm)).model()).isEqualTo(CpuModel.IN_ORDER);
    assertThat(ClusterConfig.read(file(kvm + "cpuModel: " + model + "\n")).model().text())
        .isEqualTo(model);
    assertRefused(
        GOOD + "cpuModel: " + model + "\n", "cpuModel is for machines all of whose nodes");
    assertRefused(kvm + "cpuModel: Zilog\n", "cpuModel 'Zilog' is none; copy it from");
  }

  @Test
  void aHostCompletesWhatTheFileLeavesOpenIfAllIsUnderKvm() throws Exception {
    ClusterConfig emulated = ClusterConfig.read(file(GOOD));
    assertThat(emulated.completedByThisHost()).isEqualTo(emulated);
    ClusterConfig mixed =
        ClusterConfig.read(file(GOOD.replace("cpus: 3 }", "cpus: 3, vmi: kvm }")));
    assertThat(mixed.completedByThisHost()).isEqualTo(mixed);

    Assumptions.assumeTrue(Files.exists(Path.of("/dev/kvm")), "/dev/kvm does not exist");
    String kvm = GOOD.replace(" }", ", vmi: kvm }");
    ClusterConfig open = ClusterConfig.read(file(kvm));
    ClusterConfig complete = open.completedByThisHost();
    assertThat(complete.tscHz()).isNotNull();
    assertThat(complete.withoutCpuFeatures()).isNotNull();
    assertThat(complete.nodes()).isEqualTo(open.nodes());
    assertThat(complete.completedByThisHost()).isEqualTo(complete);
    ClusterConfig told = ClusterConfig.read(file(kvm + "tscHz: 1234567000\n"));
    assertThat(told.completedByThisHost().tscHz()).isEqualTo(1_234_567_000L);
  }

  @Test
  void deltasAreOffOnOrAutomatic() throws Exception {
    ClusterConfig without = ClusterConfig.read(file(GOOD));
    assertThat(without.deltaMode()).isEqualTo(DeltaMode.ON);
    for (DeltaMode mode : DeltaMode.values()) {
      ClusterConfig config = ClusterConfig.read(file(GOOD + "deltas: " + mode.word() + "\n"));
      assertThat(config.deltaMode()).isEqualTo(mode);
      assertThat(without.withDeltas(mode).deltaMode()).isEqualTo(mode);
      assertThat(config.withFaultTimes().deltaMode()).isEqualTo(mode);
    }
    assertThat(without.withDeltas(DeltaMode.ON)).isEqualTo(without);
    assertThat(without.withDeltas(DeltaMode.OFF).hash()).isNotEqualTo(without.hash());
    assertRefused(
        GOOD + "deltas: sometimes\n", "deltas 'sometimes' is unknown; give off, on or auto");
  }

  @Test
  void aNodeNeedsRoomForWhatItIsHomeOf() throws Exception {
    String machine = GOOD.replaceFirst("memory: \\w+", "memory: 1G");
    String line = machine.replace("cpus: 3 }", "cpus: 3, mirrorBudget: %s }");
    for (String good : new String[] {"auto", "528M", "640M", "1G", "4G"}) {
      ClusterConfig config = ClusterConfig.read(file(line.formatted(good)));
      assertThat(config.node(1).mirrorBudget()).isEqualTo(good);
    }
    assertThat(MirrorSize.bytesOf(ClusterConfig.read(file(line.formatted("640M"))), 1))
        .isEqualTo(640L << 20);
    assertRefused(
        line.formatted("527M"),
        "node 1 has a mirror budget of 527M, but keeps 512M of guest RAM for all and needs 16M to"
            + " work with; give it at least 528M");
    assertRefused(line.formatted("much"), "mirror budget of node 1: 'much' is no size");
    assertRefused(
        line.formatted("640M").replace("transport: aeron", "transport: rdma"),
        "RDMA pins all of guest RAM, 1024M; give it that much, or take transport aeron");
  }

  @Test
  void automaticBudgetsAreWhatTheHostCanSpare() {
    GuestRamLayout layout = GuestRamLayout.of(1L << 30, 2);
    long node = 512L << 20;
    assertThat(MirrorSize.automatic(layout, 0, 2, 0)).as("unknown").isEqualTo(1L << 30);
    assertThat(MirrorSize.automatic(layout, 0, 1, node + (700L << 20))).isEqualTo(700L << 20);
    assertThat(MirrorSize.automatic(layout, 0, 2, 2 * (node + (700L << 20)))).isEqualTo(700L << 20);
    assertThat(MirrorSize.automatic(layout, 0, 1, node)).as("needed").isEqualTo(528L << 20);
  }

  private void assertRefused(String yaml, String word) throws IOException {
    Path at = file(yaml);
    assertThatThrownBy(() -> ClusterConfig.read(at))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(word)
        .message()
        .doesNotContain("\n");
  }
}
