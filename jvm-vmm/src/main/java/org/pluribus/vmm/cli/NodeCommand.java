package org.pluribus.vmm.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.ConfigException;
import org.pluribus.vmm.control.LocalCluster;
import org.pluribus.vmm.control.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code pluribus node}: one node of a cluster over several hosts. */
@Command(
    name = "node",
    mixinStandardHelpOptions = true,
    description =
        "Runs one node of the cluster that a file describes. Start one on each host, in any order; "
            + "node 0 has the guest's console.")
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
    Outcome o = LocalCluster.runOneNode(c, id, child, connectTimeoutSeconds);
    // Who started this node says how the machine ended, unless it is dead.
    if (!child || o.reason().equals(Outcome.STARTER_GONE)) {
      System.err.println("pluribus: " + o.reason());
    }
    return o.exitCode();
  }
}
