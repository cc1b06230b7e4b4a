package org.pluribus.vmm.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.VmKey;
import org.pluribus.vmm.cli.demo.DebianKernel;
import org.pluribus.vmm.cli.demo.InitramfsBuilder;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.LocalCluster;
import org.pluribus.vmm.control.Outcome;
import org.pluribus.vmm.control.RunReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code pluribus demo}: Debian's kernel as one machine over two nodes. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description =
        "Fetches Debian's cloud kernel and busybox, boots them as one machine over two node "
            + "processes joined by Aeron UDP, runs a job on all CPUs and prints what each node did.")
final class DemoCommand implements Callable<Integer> {
  private static final String MEMORY = "512M";

  /** Far more than a slow machine takes. */
  private static final int TIMEOUT_SECONDS = 600;

  @Option(names = "--nodes", defaultValue = "2", description = "Nodes (default ${DEFAULT-VALUE}).")
  int nodes;

  @Option(names = "--report", paramLabel = "FILE.json", description = "Writes what each node did.")
  @Nullable Path report;

  @Override
  public Integer call() throws Exception {
    Path cache = DebianKernel.defaultCache(System.getenv());
    DebianKernel debian = DebianKernel.fetch(cache, line -> System.err.println("demo: " + line));
    Path initramfs = cache.resolve("demo-initramfs.gz");
    InitramfsBuilder.build(debian.busybox(), initramfs);
    System.err.println("demo: booting " + debian.name() + " over " + nodes + " nodes");
    List<ClusterConfig.Node> list =
        java.util.stream.IntStream.range(0, nodes)
            .mapToObj(i -> new ClusterConfig.Node(i, "127.0.0.1", 0, 1))
            .toList();
    ClusterConfig config =
        new ClusterConfig(
            VmKey.random().toHex(),
            MEMORY,
            "aeron",
            debian.kernel().toString(),
            initramfs.toString(),
            RunCommand.DEFAULT_APPEND,
            list);
    config.check();
    try (LocalCluster cluster = new LocalCluster(config)) {
      RunReport result = cluster.run(TIMEOUT_SECONDS, false);
      System.out.print(ReportTable.of(result));
      System.out.flush();
      if (report != null) {
        Files.write(report, result.toJson());
      }
      Outcome o = result.outcome();
      System.err.println("demo: " + o.reason());
      return o.exitCode();
    }
  }
}
