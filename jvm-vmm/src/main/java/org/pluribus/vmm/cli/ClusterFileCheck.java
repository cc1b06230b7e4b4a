package org.pluribus.vmm.cli;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.host.Finding;
import org.pluribus.vmm.control.ClusterConfig;

/** What a cluster file asks of this host, and whether it is kept as a secret. */
final class ClusterFileCheck {
  private static final String FILE = "cluster file";
  private static final String NODES = "nodes here";

  private ClusterFileCheck() {}

  /**
   * One for the file, one for each node that belongs on this host, one for each of its images.
   *
   * @param rdmaAddresses those of this host's active RDMA devices
   */
  static List<Finding> findings(Path file, ClusterConfig config, Set<String> rdmaAddresses) {
    List<Finding> all = new ArrayList<>();
    all.add(secrecy(file));
    List<ClusterConfig.Node> here = config.nodes().stream().filter(n -> isHere(n.host())).toList();
    if (here.isEmpty()) {
      String hosts =
          config.nodes().stream().map(ClusterConfig.Node::host).collect(Collectors.joining(", "));
      all.add(
          new Finding(
              NODES,
              "none: no address of this host is among " + hosts,
              "give the link its address, or correct the file's hosts"));
    }
    for (ClusterConfig.Node node : here) {
      all.add(node(node, config.transport(), rdmaAddresses));
      if (node.id() == 0) {
        all.add(image("kernel", config.kernel()));
        String initrd = config.initrd();
        if (initrd != null) {
          all.add(image("initrd", initrd));
        }
      }
    }
    return all;
  }

  private static Finding secrecy(Path file) {
    try {
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
        return new Finding(
            FILE,
            file + " can be read by everybody, and has the machine's key",
            "chmod o= " + file);
      }
    } catch (IOException | UnsupportedOperationException e) {
      return new Finding(
          FILE, file + ": permissions unknown", "keep it on a file system with some");
    }
    return new Finding(FILE, file + " is kept from others", null);
  }

  private static boolean isHere(String host) {
    try {
      return NetworkInterface.getByInetAddress(InetAddress.getByName(host)) != null;
    } catch (IOException e) {
      return false; // nobody knows that name
    }
  }

  private static Finding node(
      ClusterConfig.Node node, String transport, Set<String> rdmaAddresses) {
    String found =
        "node %d at %s:%d by %s".formatted(node.id(), node.host(), node.port(), transport);
    boolean hasDevice = rdmaAddresses.contains(address(node.host()));
    if (transport.equals(ClusterConfig.RDMA)) {
      return hasDevice
          ? new Finding(NODES, found, null)
          : new Finding(
              NODES,
              found + ", but no active RDMA device of this host has that address",
              "give the address of one, as the lines about RDMA have it");
    }
    if (transport.equals(ClusterConfig.AUTO)) {
      found +=
          hasDevice
              ? ": rdma, if all nodes can, else aeron"
              : ": aeron, as no active RDMA device of this host has that address";
    }
    String trouble = trouble(node);
    return trouble == null
        ? new Finding(NODES, found, null)
        : new Finding(
            NODES,
            found + ", but " + trouble,
            "end what has that port (the node itself, if it runs already), or give another");
  }

  private static String address(String host) {
    try {
      return InetAddress.getByName(host).getHostAddress();
    } catch (IOException e) {
      return host; // nobody knows that name
    }
  }

  /** Why the UDP port can't be had; null if it can. */
  private static @Nullable String trouble(ClusterConfig.Node node) {
    try (DatagramSocket held =
        new DatagramSocket(node.port(), InetAddress.getByName(node.host()))) {
      return held.isBound() ? null : "the port is not given";
    } catch (IOException e) {
      return e.getMessage();
    }
  }

  private static Finding image(String name, String file) {
    return Files.isReadable(Path.of(file)) && !Files.isDirectory(Path.of(file))
        ? new Finding(name, file, null)
        : new Finding(
            name, file + " cannot be read", "copy it to this host and let the node's user read it");
  }
}
