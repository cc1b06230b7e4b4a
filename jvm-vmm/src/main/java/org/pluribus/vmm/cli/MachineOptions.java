package org.pluribus.vmm.cli;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.hw.host.KvmFitness;
import org.pluribus.transport.verbs.ActiveDevice;
import org.pluribus.transport.verbs.VerbsUnavailableException;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.ConfigException;
import picocli.CommandLine.Option;

/** The options that all commands have which run a machine over nodes of this host. */
final class MachineOptions {
  /** What carries the pages. */
  enum TransportChoice {
    AUTO,
    AERON,
    RDMA,
    LOOPBACK
  }

  private static final String LOCALHOST = "127.0.0.1";

  @Option(
      names = "--nodes",
      defaultValue = "2",
      paramLabel = "N",
      description = "Nodes (default ${DEFAULT-VALUE}).")
  int nodes;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description =
          "vCPUs, spread evenly (default: one per node; selftest has two, up to two nodes; litmus as "
              + "many as its tests take).")
  @Nullable Integer cpus;

  @Option(
      names = "--vmi",
      defaultValue = "auto",
      paramLabel = "NAME",
      description =
          "What runs the vCPUs: emulator, kvm, or mixed, which runs nodes 0, 2, 4... under KVM and "
              + "the others on the emulator; auto (the default) takes kvm if this host's KVM runs "
              + "a guest's kernel natively, else the emulator, and says why.")
  Vmi vmi = Vmi.AUTO;

  @Option(
      names = "--transport",
      defaultValue = "auto",
      paramLabel = "NAME",
      description =
          "What carries pages: aeron (UDP between processes), rdma (verbs between processes, by "
              + "this host's active RDMA device), loopback (all nodes in one process), or auto (the "
              + "default), which takes rdma where there is such a device, else aeron, and says why.")
  TransportChoice transport = TransportChoice.AUTO;

  @Option(
      names = "--mirror-budget",
      defaultValue = "auto",
      paramLabel = "SIZE|auto",
      description =
          "How much of guest RAM each node may hold at a time: a size such as 640M, or auto (the "
              + "default), what this host can spare. Beyond it a node gives pages back that it got "
              + "longest ago. Not less than all over rdma.")
  String mirrorBudget = "auto";

  @Option(
      names = "--deltas",
      defaultValue = "on",
      paramLabel = "MODE",
      description =
          "Whether a node that had a page before gets only the 64-byte blocks that changed since, "
              + "and others those that are not zero: on (the default), off, or auto, which keeps "
              + "no copies of pages that don't come back or change as a whole.")
  DeltaMode deltas = DeltaMode.ON;

  @Option(names = "--report", paramLabel = "FILE.json", description = "Writes what each node did.")
  @Nullable Path report;

  /**
   * What {@link Vmi#AUTO} came to.
   *
   * @param vmi never AUTO
   * @param notice a line for the user, null if the choice was the user's
   */
  record Decision(Vmi vmi, @Nullable String notice) {}

  /** Decides what is left to us, by trying this host's KVM; some milliseconds. */
  Decision decide() {
    if (vmi != Vmi.AUTO) {
      return new Decision(vmi, null);
    }
    KvmFitness fitness = KvmFitness.ofThisHost();
    Vmi chosen = fitness.isFit() ? Vmi.KVM : Vmi.EMULATOR;
    return new Decision(
        chosen,
        "pluribus: --vmi auto: %s, because %s"
            .formatted(chosen == Vmi.KVM ? "kvm" : "emulator", fitness.reason()));
  }

  /**
   * What carries the pages, and where.
   *
   * @param transport as the cluster file names it
   * @param host address of all nodes
   * @param notice a line for the user, null if the choice was the user's
   */
  record Link(String transport, String host, @Nullable String notice) {}

  /**
   * Decides on the transport.
   *
   * @throws ConfigException if RDMA is asked for and can't be had here
   */
  Link link() throws ConfigException {
    if (transport == TransportChoice.LOOPBACK) {
      return new Link(ClusterConfig.LOOPBACK, LOCALHOST, null);
    }
    if (transport == TransportChoice.AERON || nodes == 1) {
      return new Link(ClusterConfig.AERON, LOCALHOST, null);
    }
    boolean automatic = transport == TransportChoice.AUTO;
    try {
      ActiveDevice device = ActiveDevice.first();
      return new Link(
          ClusterConfig.RDMA,
          device.address(),
          automatic
              ? "pluribus: --transport auto: rdma, because device %s is active at %s"
                  .formatted(device.name(), device.address())
              : null);
    } catch (VerbsUnavailableException e) {
      if (!automatic) {
        throw new ConfigException("--transport rdma: " + e.getMessage());
      }
      return new Link(
          ClusterConfig.AERON,
          LOCALHOST,
          "pluribus: --transport auto: aeron, because " + e.found());
    }
  }

  /** So many vCPUs over so many nodes. */
  static List<Integer> even(int nodes, int cpus) {
    Integer[] each = new Integer[nodes];
    for (int i = 0; i < nodes; i++) {
      each[i] = cpus / nodes + (i < cpus % nodes ? 1 : 0);
    }
    return Arrays.asList(each);
  }

  /** Nodes of this host with so many vCPUs each. */
  List<ClusterConfig.Node> nodesWith(List<Integer> cpus, Vmi vmi, String host) {
    List<ClusterConfig.Node> list = new ArrayList<>();
    for (int i = 0; i < cpus.size(); i++) {
      list.add(new ClusterConfig.Node(i, host, 0, cpus.get(i), vmi.of(i), mirrorBudget));
    }
    return list;
  }

  /** Throws unless there is at least one node. */
  void checkNodes() throws ConfigException {
    if (nodes < 1) {
      throw new ConfigException("--nodes " + nodes + ": give at least 1");
    }
  }

  /** All nodes are on this host, so the machine's memory is this host's. */
  static void checkMemory(String memory) throws ConfigException {
    long most =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    if (ClusterConfig.parseSize(memory) > most) {
      throw new ConfigException(
          "--memory " + memory + " is more than this host has; give at most " + (most >> 20) + "M");
    }
  }
}
