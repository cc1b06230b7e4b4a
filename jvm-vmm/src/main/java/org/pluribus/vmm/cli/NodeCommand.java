package org.pluribus.vmm.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.ConfigException;
import org.pluribus.vmm.control.LocalCluster;
import org.pluribus.vmm.control.Outcome;
import org.pluribus.vmm.control.RunReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pluribus node}: one node of a cluster over several hosts. */
@Command(
    name = "node",
    mixinStandardHelpOptions = true,
    description =
        "Runs one node of the cluster that a file describes. Start one on each host, in any order; "
            + "node 0 has the guest's console. Where the file says transport: auto, the nodes take "
            + "rdma if each of them has an active RDMA device at its host's address and all are "
            + "connected by it, else aeron, and each says in one line which and why.")
final class NodeCommand implements Callable<Integer> {
  @Option(
      names = "--config",
      required = true,
      paramLabel = "cluster.yaml",
      description = "The cluster file, the same on every node.")
  Path config = Path.of("");

  @Option(names = "--id", required = true, description = "Which node of it this one is.")
  int id;

  @Option(
      names = "--connect-timeout",
      defaultValue = "60",
      paramLabel = "SECONDS",
      description = "How long to wait for the other nodes (default ${DEFAULT-VALUE}).")
  int connectTimeoutSeconds;

  @Mixin HotPagesFile hotPages = new HotPagesFile();

  @Option(
      names = "--report",
      paramLabel = "FILE.json",
      description = "Writes what each node did (node 0 only).")
  @Nullable Path report;

  @Option(
      names = "--child",
      hidden = true,
      description = "Ends when standard input ends: for nodes that 'run' starts.")
  boolean child;

  @Override
  public Integer call() throws Exception {
    ClusterConfig c = ClusterConfig.read(config);
    if (id < 0 || id >= c.nodes().size()) {
      throw new ConfigException(
          "--id " + id + ": the cluster's nodes are 0 to " + (c.nodes().size() - 1));
    }
    if (connectTimeoutSeconds < 1) {
      throw new ConfigException(
          "--connect-timeout " + connectTimeoutSeconds + ": give at least 1 second");
    }
    if (report != null && id != 0) {
      throw new ConfigException("--report: node 0 writes the report; leave it out on node " + id);
    }
    if (hotPages.file != null && id != 0) {
      throw new ConfigException("--hot-pages: node 0 writes the list; leave it out on node " + id);
    }
    ReportFile file = new ReportFile(report);
    hotPages.check();
    ClusterConfig complete = child ? c : c.completedByThisHost();
    if (!complete.equals(c)) {
      System.err.printf(
          "pluribus: the cluster file leaves CPUs to the hosts; all must come to tscHz: %d,"
              + " withoutCpuFeatures: %s, cpuModel: %s%n",
          complete.tscHz(), complete.withoutCpuFeatures(), complete.cpuModel());
    }
    RunReport result =
        LocalCluster.runOneNode(complete, id, child, connectTimeoutSeconds, System.err::println);
    file.write(result.toJson());
    hotPages.write(result.nodes());
    Outcome o = result.outcome();
    // Who started this node says how the machine ended, unless it is dead.
    if (!child || o.reason().equals(Outcome.STARTER_GONE)) {
      System.err.println("pluribus: " + o.reason());
    }
    return o.exitCode();
  }
}
