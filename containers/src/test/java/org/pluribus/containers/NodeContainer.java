package org.pluribus.containers;

import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Device;
import com.github.dockerjava.api.model.HostConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/** One node of a cluster, in a container with an address of its own. */
final class NodeContainer extends GenericContainer<NodeContainer> {
  /** Where the image has Java, Pluribus and busybox. See {@code ci/containers}. */
  private static final List<String> JAVA =
      List.of("/java/bin/java", "@/pluribus/jvm.flags", "-cp", "/pluribus/pluribus.jar");

  /** All nodes share the CPUs of one host, so whoever waits has to leave them to others soon. */
  private static final String PROFILE = "-Dpluribus.profile=single-host";

  private static final String MAIN_CLASS = "org.pluribus.vmm.cli.PluribusCli";

  /** Container paths of what the cluster file names. */
  static final String KERNEL = "/boot/kernel";

  static final String INITRD = "/boot/initrd";
  private static final String CLUSTER_FILE = "/boot/cluster.yaml";

  /** What nodes under KVM need of their host. */
  private static final List<String> DEVICES = List.of("/dev/kvm", "/dev/userfaultfd");

  /** A hardware address that no container has: what is sent to it, nobody takes. */
  private static final String NOBODY = "02:00:00:00:00:01";

  private static final String INTERFACES = "/sys/class/net";

  private final String address;
  private final NodeLog log;

  NodeContainer(String image, int id, String address, Network network, String clusterFile) {
    super(DockerImageName.parse(image));
    this.address = address;
    log = new NodeLog("node " + id);
    withNetwork(network);
    withCreateContainerCmdModifier(this::configure);
    withCopyToContainer(Transferable.of(clusterFile), CLUSTER_FILE);
    withCommand(pluribus("node", "--config", CLUSTER_FILE, "--id", "" + id));
    withLogConsumer(log);
  }

  /** What node 0 boots. */
  NodeContainer withGuest(Guest guest) {
    withCopyToContainer(MountableFile.forHostPath(guest.kernel()), KERNEL);
    Path initrd = guest.initrd();
    return initrd == null ? this : withCopyToContainer(MountableFile.forHostPath(initrd), INITRD);
  }

  /** The command line for Pluribus in a container of the image. */
  static String[] pluribus(String... arguments) {
    List<String> command = new ArrayList<>(JAVA);
    command.addAll(List.of(PROFILE, MAIN_CLASS));
    command.addAll(List.of(arguments));
    return command.toArray(String[]::new);
  }

  /** Passes in what this host has of the devices that KVM takes. */
  static void passDevices(HostConfig host) {
    host.withDevices(
        DEVICES.stream()
            .filter(path -> Files.exists(Path.of(path)))
            .map(path -> new Device("rwm", path, path))
            .toList());
  }

  private void configure(CreateContainerCmd create) {
    HostConfig host = Objects.requireNonNull(create.getHostConfig());
    passDevices(host);
    // For the table of neighbours, by which links are cut.
    host.withCapAdd(Capability.NET_ADMIN);
    create.withIpv4Address(address);
  }

  NodeLog log() {
    return log;
  }

  String address() {
    return address;
  }

  /** From now on what this node sends to another gets nowhere, and it is not told so. */
  void loseWayTo(NodeContainer other) throws IOException, InterruptedException {
    run("arp", "-i", networkInterface(), "-s", other.address, NOBODY);
  }

  /** The opposite. */
  void findWayTo(NodeContainer other) throws IOException, InterruptedException {
    run("arp", "-i", networkInterface(), "-d", other.address);
  }

  /** Whether another node answers within a second. */
  boolean reaches(NodeContainer other) throws IOException, InterruptedException {
    return execInContainer("ping", "-c", "1", "-W", "1", other.address).getExitCode() == 0;
  }

  /** A node that was plugged in again has another one. */
  private String networkInterface() throws IOException, InterruptedException {
    return run("ls", INTERFACES)
        .lines()
        .filter(name -> !name.equals("lo"))
        .findFirst()
        .orElseThrow();
  }

  private String run(String... command) throws IOException, InterruptedException {
    ExecResult result = execInContainer(command);
    if (result.getExitCode() != 0) {
      throw new IOException(
          String.join(" ", command) + " failed: " + result.getStdout() + result.getStderr());
    }
    return result.getStdout();
  }

  /** Waits for the node's end; its exit code. */
  long awaitExit(Duration limit) throws InterruptedException {
    log.awaitEnd(limit);
    Long code = getCurrentContainerInfo().getState().getExitCodeLong();
    if (code == null) {
      throw new IllegalStateException("the engine knows no exit code of " + address);
    }
    return code;
  }
}
