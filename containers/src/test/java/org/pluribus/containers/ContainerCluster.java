package org.pluribus.containers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.ContainerNetwork;
import com.github.dockerjava.api.model.Network.Ipam;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.Network;

/**
 * One machine over containers, each a node with one CPU on the emulator. They talk by Aeron over
 * UDP on a network of the engine, as hosts on a switch.
 */
final class ContainerCluster implements AutoCloseable {
  /** Of the engine's network; it need not be free anywhere else. */
  private static final String SUBNET = "172.30.9.0/24";

  /** The longest frames of the engine's network: a page in a datagram fits in. */
  private static final Map<String, String> JUMBO_FRAMES =
      Map.of("com.docker.network.driver.mtu", "9000");

  private static final String ADDRESS = "172.30.9.%d";

  /** The engine itself takes the first. */
  private static final int FIRST_ADDRESS = 10;

  private static final int PORT = 40123;
  private static final int KEY_BYTES = 32;

  private final Network network;
  private final List<NodeContainer> nodes = new ArrayList<>();
  private final Path consoles;

  /**
   * Starts the nodes.
   *
   * @param image of the nodes
   * @param nodeCount how many
   * @param guest what they boot together
   * @param consoles where what each node wrote is left
   */
  ContainerCluster(String image, int nodeCount, Guest guest, Path consoles) {
    this.consoles = consoles;
    Ipam addresses = new Ipam().withConfig(new Ipam.Config().withSubnet(SUBNET));
    network =
        Network.builder()
            .createNetworkCmdModifier(c -> c.withIpam(addresses).withOptions(JUMBO_FRAMES))
            .build();
    String file = clusterFile(nodeCount, guest);
    for (int id = 0; id < nodeCount; id++) {
      nodes.add(new NodeContainer(image, id, address(id), network, file));
    }
    nodes.getFirst().withGuest(guest);
    try {
      nodes.forEach(NodeContainer::start);
    } catch (RuntimeException failed) {
      close();
      throw failed;
    }
  }

  private static String address(int id) {
    return ADDRESS.formatted(FIRST_ADDRESS + id);
  }

  private static String clusterFile(int nodeCount, Guest guest) {
    byte[] key = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(key);
    StringBuilder file =
        new StringBuilder(
            """
            key: "%s"
            memory: %s
            transport: aeron
            kernel: %s
            append: "%s"
            """
                .formatted(
                    HexFormat.of().formatHex(key),
                    guest.memory(),
                    NodeContainer.KERNEL,
                    guest.append()));
    if (guest.initrd() != null) {
      file.append("initrd: ").append(NodeContainer.INITRD).append('\n');
    }
    file.append("nodes:\n");
    for (int id = 0; id < nodeCount; id++) {
      file.append(
          "  - { id: %d, host: %s, port: %d, cpus: 1, vmi: emulator }\n"
              .formatted(id, address(id), PORT));
    }
    return file.toString();
  }

  NodeContainer node(int id) {
    return nodes.get(id);
  }

  /** The guest's console. */
  NodeLog console() {
    return nodes.getFirst().log();
  }

  /** Cuts the link between two nodes, both ways. Nobody is told: datagrams just don't arrive. */
  void cut(int a, int b) throws IOException, InterruptedException {
    node(a).loseWayTo(node(b));
    node(b).loseWayTo(node(a));
  }

  /** Heals what {@link #cut} has cut. */
  void heal(int a, int b) throws IOException, InterruptedException {
    node(a).findWayTo(node(b));
    node(b).findWayTo(node(a));
  }

  /** Takes a node's network interface away, and its address with it. */
  void unplug(int id) {
    client()
        .disconnectFromNetworkCmd()
        .withContainerId(node(id).getContainerId())
        .withNetworkId(network.getId())
        .exec();
  }

  /** Gives it a new one with the same address. */
  void plugIn(int id) {
    ContainerNetwork.Ipam same = new ContainerNetwork.Ipam().withIpv4Address(address(id));
    client()
        .connectToNetworkCmd()
        .withContainerId(node(id).getContainerId())
        .withNetworkId(network.getId())
        .withContainerNetwork(new ContainerNetwork().withIpamConfig(same))
        .exec();
  }

  private static DockerClient client() {
    return DockerClientFactory.instance().client();
  }

  /** Ends and removes all. */
  @Override
  public void close() {
    for (NodeContainer node : nodes) {
      node.stop();
    }
    network.close();
    try {
      Files.createDirectories(consoles);
      for (int id = 0; id < nodes.size(); id++) {
        NodeLog log = nodes.get(id).log();
        Files.write(consoles.resolve("node" + id + ".out"), log.output());
        Files.write(consoles.resolve("node" + id + ".err"), log.errors());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
