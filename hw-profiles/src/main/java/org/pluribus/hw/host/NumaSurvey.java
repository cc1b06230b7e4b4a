package org.pluribus.hw.host;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.StringJoiner;

/**
 * Where this host's CPUs, memory and RDMA devices are (Linux, Documentation/ABI/stable/
 * sysfs-devices-node), and whether this process keeps to one NUMA node.
 */
final class NumaSurvey {
  private static final String NAME = "NUMA";
  private static final String NODES = "sys/devices/system/node";

  /** As in {@code node12}. */
  private static final int PREFIX_LENGTH = "node".length();

  private final HostFiles files;

  NumaSurvey(HostFiles files) {
    this.files = files;
  }

  Finding finding() {
    List<Integer> nodes = nodes();
    if (nodes.size() < 2) {
      return Finding.ok(NAME, "one node");
    }
    BitSet ours = cpus(files.value("proc/self/status", "Cpus_allowed_list", ""));
    StringJoiner found = new StringJoiner("; ", nodes.size() + " nodes: ", "");
    List<Integer> used = new ArrayList<>();
    for (int node : nodes) {
      String list = files.line(NODES + "/node" + node + "/cpulist", "");
      found.add("%d has CPUs %s".formatted(node, list.isEmpty() ? "none" : list));
      if (cpus(list).intersects(ours)) {
        used.add(node);
      }
    }
    List<Integer> rdma = new ArrayList<>();
    for (String device : files.names(RdmaSurvey.FOLDER)) {
      int node = (int) files.number(RdmaSurvey.FOLDER + "/" + device + "/device/numa_node", -1);
      if (node >= 0) {
        rdma.add(node);
        found.add("%s is on %d".formatted(device, node));
      }
    }
    return judge(found.toString(), used, rdma);
  }

  /** Memory comes from the NUMA node of the CPU that asks first, so CPUs decide. */
  private static Finding judge(String found, List<Integer> used, List<Integer> rdma) {
    if (used.size() == 1 && (rdma.isEmpty() || rdma.contains(used.getFirst()))) {
      return Finding.ok(NAME, found + "; this process runs on " + used.getFirst());
    }
    Object wanted = rdma.isEmpty() ? "N" : rdma.getFirst();
    return Finding.lacks(
        NAME,
        "%s; this process runs on %s".formatted(found, used.size() == 1 ? used.getFirst() : "many"),
        "keep a node on one: numactl --cpunodebind=%s --preferred=%s, or CPUAffinity=numa and NUMAMask=%s of the service (docs/cluster.md)"
            .formatted(wanted, wanted, wanted));
  }

  private List<Integer> nodes() {
    return files.names(NODES).stream()
        .filter(n -> n.matches("node[0-9]+"))
        .map(n -> Integer.parseInt(n.substring(PREFIX_LENGTH)))
        .sorted()
        .toList();
  }

  /** A list like {@code 0-3,8}, as the kernel writes it. */
  static BitSet cpus(String list) {
    BitSet all = new BitSet();
    for (String part : list.split(",")) {
      String[] ends = part.strip().split("-");
      if (!ends[0].isEmpty()) {
        all.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
      }
    }
    return all;
  }
}
