package org.pluribus.hw.host;

import java.util.ArrayList;
import java.util.List;

/**
 * RDMA devices and the state of their links, from {@code /sys/class/infiniband} (Linux,
 * Documentation/ABI/stable/sysfs-class-infiniband).
 */
final class RdmaSurvey {
  private static final String FOLDER = "sys/class/infiniband";

  /** A port's state file says {@code 4: ACTIVE} when its link is up. */
  private static final String ACTIVE = "ACTIVE";

  private final HostFiles files;

  RdmaSurvey(HostFiles files) {
    this.files = files;
  }

  /** One for each port of each device; one lack if there is none. */
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
              "RDMA",
              "no device",
              "nodes use UDP; for RDMA load the network card's driver, or modprobe rdma_rxe and"
                  + " rdma link add rxe0 type rxe netdev INTERFACE"));
    }
    return all;
  }

  private Finding port(String device, String port) {
    String folder = FOLDER + "/" + device + "/ports/" + port + "/";
    String state = files.line(folder + "state", "state unknown").replaceFirst("^\\d+: *", "");
    String found =
        "%s port %s: %s, %s, %s"
            .formatted(
                device,
                port,
                state,
                files.line(folder + "link_layer", "link layer unknown"),
                files.line(folder + "rate", "rate unknown"));
    return state.equals(ACTIVE)
        ? Finding.ok("RDMA", found)
        : Finding.lacks(
            "RDMA",
            found,
            "bring its link up: cable, ip link set INTERFACE up, on InfiniBand a subnet manager");
  }
}
