package org.pluribus.vmm.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.transport.VmKey;
import org.pluribus.vmm.cli.selftest.PayloadImage;

/** Node processes that choose a transport. Their address is no RDMA device's. */
@Timeout(300)
class AutoTransportTest {
  private static final String HOST = "127.0.0.1";
  private static final int NODES = 3;

  /** What a payload that passed leaves by the debug exit port with. */
  private static final int PAYLOAD_PASSED = 33;

  @TempDir Path folder;
  private final List<Process> processes = new ArrayList<>();

  @AfterEach
  void end() {
    processes.forEach(Process::destroyForcibly);
  }

  @Test
  void nodesWithoutADeviceTakeAeronAndSayWhy() throws Exception {
    try (PayloadImage image = PayloadImage.unpack()) {
      Path file = folder.resolve("cluster.yaml");
      Files.writeString(file, config(image).toYaml());
      for (int id = 0; id < NODES; id++) {
        start(file, id);
      }
      for (Process process : processes) {
        process.waitFor();
      }
    }
    for (int id = 0; id < NODES; id++) {
      List<String> lines =
          errors(id).lines().filter(l -> l.startsWith("pluribus: transport:")).toList();
      assertThat(lines).as("node %d: %s", id, errors(id)).hasSize(1);
      assertThat(lines.getFirst())
          .startsWith("pluribus: transport: aeron: node 0 (127.0.0.1) has no ")
          .endsWith("; 2 nodes more object");
      assertThat(processes.get(id).exitValue())
          .as("node %d: %s", id, errors(id))
          .isEqualTo(PAYLOAD_PASSED);
    }
    assertThat(Files.readString(folder.resolve("out0"))).contains("passed");
  }

  private static ClusterConfig config(PayloadImage image) throws Exception {
    List<ClusterConfig.Node> nodes = new ArrayList<>();
    try (FreePorts ports = new FreePorts()) {
      for (int id = 0; id < NODES; id++) {
        nodes.add(new ClusterConfig.Node(id, HOST, ports.next(HOST), 1));
      }
    }
    return new ClusterConfig(
        VmKey.random().toHex(),
        "32M",
        ClusterConfig.AUTO,
        image.file().toString(),
        null,
        "payload=counters scale=1 seed=1",
        nodes);
  }

  private void start(Path file, int id) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add("org.pluribus.vmm.cli.PluribusCli");
    command.addAll(List.of("node", "--config", file.toString(), "--id", String.valueOf(id)));
    processes.add(
        new ProcessBuilder(command)
            .redirectInput(
                ProcessBuilder.Redirect.from(Files.createTempFile(folder, "in", "").toFile()))
            .redirectOutput(folder.resolve("out" + id).toFile())
            .redirectError(folder.resolve("errors" + id).toFile())
            .start());
  }

  private String errors(int id) throws Exception {
    return Files.readString(folder.resolve("errors" + id));
  }
}
