package org.pluribus.hw.host;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * RDMA devices, the state of their links, the addresses at which librdmacm finds them, and the
 * files through which programs use them. From {@code /sys/class/infiniband} (Linux,
 * Documentation/ABI/stable/sysfs-class-infiniband).
 */
final class RdmaSurvey {
  static final String FOLDER = "sys/class/infiniband";

  private static final String NAME = "RDMA";
  private static final String FILES = "RDMA files";
  private static final String DEVICE_FILES = "dev/infiniband";
  private static final String CONNECTIONS = "rdma_cm";

  /** A port's state file says {@code 4: ACTIVE} when its link is up. */
  private static final String ACTIVE = "ACTIVE";

  private static final String ETHERNET = "Ethernet";

  /**
   * A page in one packet: 4096 bytes and the headers that RoCE drivers allow for (rdma/ib_addr.h,
   * iboe_get_mtu: GRH 40, UDP 8, BTH 12, XRC 4, atomic 28, ICRC 4). A smaller MTU makes it 1024 or
   * 2048 bytes in a packet.
   */
  private static final int ROCE_MTU = 4096 + 40 + 8 + 12 + 4 + 28 + 4;

  private final HostFiles files;
  private final Map<String, List<String>> addresses;
  private final Predicate<Path> usable;

  RdmaSurvey(HostFiles files, Map<String, List<String>> addresses) {
    this(files, addresses, file -> Files.isReadable(file) && Files.isWritable(file));
  }

  /**
   * @param addresses of each network interface that has one, IPv4 first
   * @param usable whether this process may open a device file
   */
  RdmaSurvey(HostFiles files, Map<String, List<String>> addresses, Predicate<Path> usable) {
    this.files = files;
    this.addresses = addresses;
    this.usable = usable;
  }

  static boolean isIpv4(String address) {
    return address.indexOf(':') < 0;
  }

  /** One for each port of each device, and one for the files; one lack if there is no device. */
  List<Finding> findings() {
    List<Finding> all = new ArrayList<>();
    for (String device : files.names(FOLDER)) {
      for (String port : files.names(FOLDER + "/" + device + "/ports")) {
        all.add(port(device, port));
      }
    }
    if (all.isEmpty()) {
      all.add(
          Finding.lacks(
              NAME,
              "no device",
              "nodes use UDP; for RDMA load the network card's driver, or modprobe rdma_rxe and"
                  + " rdma link add rxe0 type rxe netdev INTERFACE"));
    } else {
      all.add(deviceFiles());
    }
    return all;
  }

  /** IPv4 addresses of the active ports: what nodes can be found by. */
  Set<String> activeAddresses() {
    Set<String> all = new TreeSet<>();
    for (String device : files.names(FOLDER)) {
      for (String port : files.names(FOLDER + "/" + device + "/ports")) {
        if (state(device, port).equals(ACTIVE)) {
          for (String network : networks(device, port)) {
            addresses.getOrDefault(network, List.of()).stream()
                .filter(RdmaSurvey::isIpv4)
                .forEach(all::add);
          }
        }
      }
    }
    return all;
  }

  private String state(String device, String port) {
    return files
        .line(FOLDER + "/" + device + "/ports/" + port + "/state", "state unknown")
        .replaceFirst("^\\d+: *", "");
  }

  private Finding port(String device, String port) {
    String folder = FOLDER + "/" + device + "/ports/" + port + "/";
    String state = state(device, port);
    String layer = files.line(folder + "link_layer", "link layer unknown");
    String found =
        "%s port %s: %s, %s, %s"
            .formatted(device, port, state, layer, files.line(folder + "rate", "rate unknown"));
    if (!state.equals(ACTIVE)) {
      return Finding.lacks(
          NAME,
          found,
          "bring its link up: cable, ip link set INTERFACE up, on InfiniBand a subnet manager");
    }
    List<String> networks = networks(device, port);
    for (String network : networks) {
      String address = ipv4(network);
      if (address != null) {
        return addressed("%s, %s %s".formatted(found, network, address), layer, network);
      }
    }
    return Finding.lacks(
        NAME,
        found + ", no IPv4 address",
        "give its interface one, by which the nodes find it: ip address add ADDRESS/24 dev "
            + (networks.isEmpty()
                ? "INTERFACE (InfiniBand: modprobe ib_ipoib)"
                : networks.getFirst()));
  }

  /** On InfiniBand the subnet manager decides on the packets' size, not the interface's MTU. */
  private Finding addressed(String found, String layer, String network) {
    if (!layer.equals(ETHERNET)) {
      return Finding.ok(NAME, found);
    }
    long mtu = files.number("sys/class/net/" + network + "/mtu", 0);
    String all = found + ", MTU " + mtu;
    return mtu < ROCE_MTU
        ? Finding.lacks(
            NAME,
            all + ", too small for a page in one packet",
            "ip link set %s mtu 9000, on all servers and switches".formatted(network))
        : Finding.ok(NAME, all);
  }

  private @Nullable String ipv4(String network) {
    for (String address : addresses.getOrDefault(network, List.of())) {
      if (isIpv4(address)) {
        return address;
      }
    }
    return null;
  }

  /** Names of the network interfaces that belong to a port. */
  private List<String> networks(String device, String port) {
    String folder = FOLDER + "/" + device + "/";
    List<String> names = new ArrayList<>();
    names.add(files.line(folder + "parent", "")); // of rxe and siw
    names.add(files.line(folder + "ports/" + port + "/gid_attrs/ndevs/0", "")); // RoCE
    for (String network : files.names(folder + "device/net")) { // IP over InfiniBand
      // Interfaces count their device's ports from 0, RDMA from 1.
      long number = files.number(folder + "device/net/" + network + "/dev_port", -1);
      if (number < 0 || String.valueOf(number + 1).equals(port)) {
        names.add(network);
      }
    }
    return names.stream().filter(n -> !n.isEmpty()).distinct().toList();
  }

  /**
   * Verbs go through {@code uverbs0} and the like, connections are made through {@code rdma_cm}.
   */
  private Finding deviceFiles() {
    List<String> there =
        files.names(DEVICE_FILES).stream()
            .filter(f -> f.equals(CONNECTIONS) || f.matches("uverbs[0-9]+"))
            .toList();
    String folder = "/" + DEVICE_FILES + "/";
    if (there.stream().noneMatch(f -> f.startsWith("uverbs"))) {
      return Finding.lacks(FILES, "no " + folder + "uverbs0", "modprobe ib_uverbs");
    }
    if (!there.contains(CONNECTIONS)) {
      return Finding.lacks(FILES, "no " + folder + CONNECTIONS, "modprobe rdma_ucm");
    }
    for (String file : there) {
      if (!usable.test(files.root().resolve(DEVICE_FILES).resolve(file))) {
        return Finding.lacks(
            FILES,
            "no permission to read and write " + folder + file,
            "install the udev rules and join their group (docs/cluster.md), or run as root");
      }
    }
    return Finding.ok(FILES, folder + String.join(", ", there));
  }
}
