package org.pluribus.vmm.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.node.MirrorBudget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How much memory nodes give to their mirrors of guest RAM. */
final class MirrorSize {
  /** The budget that a node finds out by itself. */
  static final String AUTO = "auto";

  private static final Logger LOG = LoggerFactory.getLogger(MirrorSize.class);

  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final String AVAILABLE = "MemAvailable:";

  /** What a node takes besides: a Java heap half full, code, buffers. */
  private static final long NODE_BYTES = 512L << 20;

  private static final long KIB = 1 << 10;
  private static final int MIB_SHIFT = 20;

  private MirrorSize() {}

  /**
   * Checks the budgets that are given. Each node must have room for what it is home of, so that the
   * others can give it back; then all together have room for the machine, and some more.
   *
   * @throws ConfigException one line for the user
   */
  static void check(ClusterConfig config) throws ConfigException {
    GuestRamLayout layout = config.layout();
    for (ClusterConfig.Node node : config.nodes()) {
      String budget = node.mirrorBudget();
      if (budget == null || budget.equals(AUTO)) {
        continue;
      }
      long bytes = parse(node.id(), budget);
      long least = MirrorBudget.leastBytes(layout, node.id());
      if (bytes >= layout.ramSize()) {
        continue;
      }
      if (config.transport().equals(ClusterConfig.RDMA)) {
        throw new ConfigException(
            "node %d has a mirror budget of %s, but RDMA pins all of guest RAM, %s; give it that much, or take transport aeron"
                .formatted(node.id(), budget, mib(layout.ramSize())));
      }
      if (bytes < least) {
        throw new ConfigException(
            "node %d has a mirror budget of %s, but keeps %s of guest RAM for all and needs %s to work with; give it at least %s, or the machine less memory"
                .formatted(
                    node.id(),
                    budget,
                    mib(least - MirrorBudget.LEAST_SLACK_BYTES),
                    mib(MirrorBudget.LEAST_SLACK_BYTES),
                    mib(least)));
      }
    }
  }

  private static long parse(int node, String budget) throws ConfigException {
    try {
      return ClusterConfig.parseSize(budget);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(
          "mirror budget of node " + node + ": " + e.getMessage() + ", or auto");
    }
  }

  private static String mib(long bytes) {
    return (bytes >> MIB_SHIFT) + "M";
  }

  /**
   * Why a node should not hold all of guest RAM, as RDMA wants it, where it can do without.
   *
   * @return said of the node; null if it can
   */
  static @Nullable String obstacleToPinning(ClusterConfig config, int self) {
    String budget = config.node(self).mirrorBudget();
    long ram = config.layout().ramSize();
    if (budget != null && !budget.equals(AUTO)) {
      return ClusterConfig.parseSize(budget) < ram
          ? "has a mirror budget of %s, and RDMA pins all of guest RAM, %s"
              .formatted(budget, mib(ram))
          : null;
    }
    long available = availableBytes();
    long here = nodesOn(config, config.node(self).host());
    return automatic(config.layout(), self, here, available) < ram
        ? "has %s of memory available, for %d of the nodes, and RDMA pins all of guest RAM, %s"
            .formatted(mib(available), here, mib(ram))
        : null;
  }

  private static long nodesOn(ClusterConfig config, @Nullable String host) {
    return config.nodes().stream().filter(n -> isSame(n.host(), host)).count();
  }

  /** A node's budget in bytes, found out on its host; no less than guest RAM for no limit. */
  static long bytesOf(ClusterConfig config, int self) {
    ClusterConfig.Node node = config.node(self);
    GuestRamLayout layout = config.layout();
    String budget = node.mirrorBudget();
    if (budget != null && !budget.equals(AUTO)) {
      return ClusterConfig.parseSize(budget);
    }
    long here = nodesOn(config, node.host());
    long available = availableBytes();
    boolean pinned = config.transport().equals(ClusterConfig.RDMA);
    long bytes = pinned ? layout.ramSize() : automatic(layout, self, here, available);
    if (bytes < layout.ramSize()) {
      LOG.info(
          "node {} holds at most {} of guest RAM at a time: {} is available here, for {} nodes",
          self,
          mib(bytes),
          mib(available),
          here);
    }
    return bytes;
  }

  private static boolean isSame(@Nullable String host, @Nullable String other) {
    return host == null ? other == null : host.equals(other);
  }

  /**
   * What a host can spare for one of its nodes.
   *
   * @param nodesHere how many nodes it has
   * @param available bytes of memory it can give without swapping; 0 if unknown
   */
  static long automatic(GuestRamLayout layout, int self, long nodesHere, long available) {
    if (available == 0) {
      return layout.ramSize();
    }
    long spare = available / nodesHere - NODE_BYTES;
    return Math.max(spare, MirrorBudget.leastBytes(layout, self));
  }

  /** MemAvailable of proc(5), in bytes; 0 if it is not there. */
  private static long availableBytes() {
    try {
      for (String line : Files.readAllLines(MEMINFO)) {
        if (line.startsWith(AVAILABLE)) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) * KIB;
        }
      }
    } catch (IOException e) {
      LOG.debug("{} cannot be read", MEMINFO, e);
    }
    return 0;
  }
}
