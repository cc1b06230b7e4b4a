package org.pluribus.vmm.control;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.transport.loopback.LoopbackTransport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A machine whose nodes are all on this host: node 0 in this process, the others in processes of
 * their own (threads of this one with the loopback transport).
 */
public final class LocalCluster implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LocalCluster.class);

  /** How long a node process has to end by itself after the machine has. */
  private static final long CHILD_EXIT_SECONDS = 10;

  /**
   * How long node processes of one host wait for each other. One that dies is noticed at once; this
   * is for slow starts: an emulated server may take minutes to start two JVMs.
   */
  private static final int CONNECT_SECONDS = 600;

  private static final int CONSOLE_BUFFER = 8192;

  private final ClusterConfig config;
  private final List<Process> children = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private @Nullable Path file;
  private @Nullable Watchdogs watchdogs;
  private Runnable onStart = () -> {};

  /**
   * @param config nodes with port 0 get a free one
   * @throws ConfigException if there is none, or nodes should choose a transport
   */
  public LocalCluster(ClusterConfig config) throws ConfigException {
    if (config.transport().equals(ClusterConfig.AUTO)) {
      throw new ConfigException("transport auto is for nodes of a cluster file; name one");
    }
    this.config = withPorts(config.fittedToThisHost());
  }

  /** What to do once everything is loaded, right before the guest's first instruction. */
  public void onStart(Runnable action) {
    onStart = action;
  }

  /**
   * Runs the machine to its end, with the guest's console on standard output.
   *
   * @param timeoutSeconds null for no limit
   * @param interactive whether this process's standard input goes to the guest
   */
  public RunReport run(@Nullable Integer timeoutSeconds, boolean interactive) throws Exception {
    return run(
        timeoutSeconds,
        interactive,
        new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), CONSOLE_BUFFER));
  }

  /** {@link #run(Integer, boolean)} with the guest's console somewhere else. */
  public RunReport run(@Nullable Integer timeoutSeconds, boolean interactive, OutputStream console)
      throws Exception {
    boolean loopback = config.transport().equals("loopback");
    LoopbackCluster fabric = loopback ? new LoopbackCluster(config.nodes().size()) : null;
    if (fabric != null) {
      startThreads(fabric);
    } else if (config.nodes().size() > 1) {
      startChildren();
    }
    try (NodeRuntime node = new NodeRuntime(config, 0, transport(config, 0, fabric), console)) {
      Watchdogs dogs = new Watchdogs(node, children);
      watchdogs = dogs;
      dogs.start(timeoutSeconds, interactive);
      node.onStart(onStart);
      long start = System.nanoTime();
      Outcome outcome = node.run(Duration.ofSeconds(CONNECT_SECONDS));
      if (!node.isConnected()) {
        children.forEach(Process::destroy); // they wait for a node that will not come
      }
      return report(node, outcome, start);
    }
  }

  /**
   * Runs one node in this process, to the machine's end.
   *
   * @param child whether standard input is a pipe from the process that started this one
   * @param connectSeconds how long to wait for the other nodes
   * @param say takes lines for the user
   */
  public static RunReport runOneNode(
      ClusterConfig config, int id, boolean child, int connectSeconds, Consumer<String> say)
      throws Exception {
    Duration timeout = Duration.ofSeconds(connectSeconds);
    OutputStream out =
        id == 0
            ? new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), CONSOLE_BUFFER)
            : OutputStream.nullOutputStream();
    try (NodeRam ram = NodeRam.create(config, id);
        NodeRuntime node = settled(config, id, ram, out, timeout, say)) {
      Watchdogs watchdogs = new Watchdogs(node, List.of());
      if (child) {
        watchdogs.endWithStandardInput();
      } else {
        watchdogs.start(null, id == 0);
      }
      try {
        long start = System.nanoTime();
        Outcome outcome = node.run(timeout);
        return report(node, outcome, start);
      } finally {
        watchdogs.stop();
      }
    }
  }

  /** A node whose transport is known: by the cluster file, or by choice of all nodes. */
  private static NodeRuntime settled(
      ClusterConfig config,
      int id,
      NodeRam ram,
      OutputStream out,
      Duration timeout,
      Consumer<String> say) {
    if (!config.transport().equals(ClusterConfig.AUTO) || config.nodes().size() == 1) {
      return new NodeRuntime(config, id, transport(config, id, null), out, ram);
    }
    AutoTransport auto = AutoTransport.settle(config, identity(config, id), ram, timeout);
    say.accept(auto.notice());
    try {
      return new NodeRuntime(auto.config(), id, auto.transport(), out, ram);
    } catch (RuntimeException failed) {
      auto.transport().close(); // the peers wait for this node
      throw failed;
    }
  }

  private static RunReport report(NodeRuntime node, Outcome outcome, long startNanos) {
    double wall = (System.nanoTime() - startNanos) / 1e9;
    List<NodeReport> reports = new ArrayList<>();
    reports.add(node.report());
    AtomicReferenceArray<byte @Nullable []> peers = node.peerReports();
    for (int i = 1; i < peers.length(); i++) {
      byte[] json = peers.get(i);
      if (json != null) {
        reports.add(NodeReport.parse(json));
      }
    }
    Double boot = node.bootNanos() < 0 ? null : node.bootNanos() / 1e9;
    return new RunReport(boot, wall, outcome, reports);
  }

  private void startThreads(LoopbackCluster fabric) {
    for (int i = 1; i < config.nodes().size(); i++) {
      int id = i;
      Thread t = new Thread(() -> runThread(fabric, id), "node-" + id);
      t.setDaemon(true);
      t.start();
      threads.add(t);
    }
  }

  private void runThread(LoopbackCluster fabric, int id) {
    try (NodeRuntime node =
        new NodeRuntime(
            config, id, transport(config, id, fabric), OutputStream.nullOutputStream())) {
      node.run();
    } catch (Exception e) {
      LOG.error("node {} failed", id, e);
    }
  }

  private void startChildren() throws IOException {
    Path f =
        Files.createTempFile(
            "pluribus-cluster",
            ".yaml",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    file = f;
    Files.writeString(f, config.toYaml());
    for (int id = 1; id < config.nodes().size(); id++) {
      List<String> command = new ArrayList<>();
      ProcessHandle.Info me = ProcessHandle.current().info();
      command.add(me.command().orElse("java"));
      command.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
      command.add("-cp");
      command.add(System.getProperty("java.class.path"));
      command.add("org.pluribus.vmm.cli.PluribusCli");
      command.addAll(
          List.of("node", "--config", f.toString(), "--id", String.valueOf(id), "--child"));
      command.addAll(List.of("--connect-timeout", String.valueOf(CONNECT_SECONDS)));
      // Its standard input is a pipe from us: should we die, it ends, and so does the node.
      children.add(
          new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start());
    }
  }

  static Transport transport(ClusterConfig config, int id, @Nullable LoopbackCluster fabric) {
    NodeIdentity identity = identity(config, id);
    int nodes = config.nodes().size();
    if (fabric != null) {
      return LoopbackTransport.create(fabric, identity, TransportLimits.DEFAULT);
    }
    if (nodes == 1) {
      return LoopbackTransport.create(new LoopbackCluster(1), identity, TransportLimits.DEFAULT);
    }
    return config.transport().equals(ClusterConfig.RDMA)
        ? RdmaTransports.create(config, identity)
        : AeronTransports.create(config, identity);
  }

  private static NodeIdentity identity(ClusterConfig config, int id) {
    return new NodeIdentity(
        id,
        config.nodes().size(),
        config.layout().pageCount(),
        VmKey.ofHex(config.key()),
        config.hash());
  }

  private static ClusterConfig withPorts(ClusterConfig c) throws ConfigException {
    try (FreePorts free = new FreePorts()) {
      List<ClusterConfig.Node> nodes = new ArrayList<>();
      for (ClusterConfig.Node n : c.nodes()) {
        int port = n.port() == 0 ? free.next(n.host()) : n.port();
        nodes.add(
            new ClusterConfig.Node(n.id(), n.host(), port, n.cpus(), n.vmi(), n.mirrorBudget()));
      }
      return c.withNodes(nodes);
    } catch (IOException e) {
      throw new ConfigException("no free UDP port on this host: " + e.getMessage());
    }
  }

  @Override
  public void close() throws InterruptedException, IOException {
    for (Process p : children) {
      if (!p.waitFor(CHILD_EXIT_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("node process {} does not end; ending it", p.pid());
        p.destroyForcibly().waitFor(CHILD_EXIT_SECONDS, TimeUnit.SECONDS);
      }
    }
    for (Thread t : threads) {
      t.join(TimeUnit.SECONDS.toMillis(CHILD_EXIT_SECONDS));
    }
    if (file != null) {
      Files.deleteIfExists(file);
    }
    if (watchdogs != null) {
      watchdogs.stop(); // a process that is told to end may do so now
    }
  }
}
