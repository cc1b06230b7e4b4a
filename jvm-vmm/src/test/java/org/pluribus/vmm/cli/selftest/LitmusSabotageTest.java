package org.pluribus.vmm.cli.selftest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.transport.loopback.LoopbackTransport;
import org.pluribus.vmm.cli.litmus.LitmusCase;
import org.pluribus.vmm.cli.litmus.LitmusCatalogue;
import org.pluribus.vmm.cli.litmus.LitmusProgram;
import org.pluribus.vmm.cli.litmus.LitmusReport;
import org.pluribus.vmm.cli.litmus.LitmusResult;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.NodeRuntime;
import org.pluribus.vmm.control.Outcome;
import org.pluribus.vmm.control.RunReport;

/** Litmus tests must notice nodes that say they gave up a page which their CPUs still read. */
class LitmusSabotageTest {
  private static final int NODES = 2;
  private static final int TIMEOUT_SECONDS = 120;
  private static final long LONGEST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
  private static final int ITERATIONS = 256 * 20;

  private final long seed = ThreadLocalRandom.current().nextInt(1_000_000);
  private final AtomicLong broken = new AtomicLong();

  @Test
  void acknowledgingTooEarlyIsSeen() throws Exception {
    PayloadResult r = run(LONGEST_DELAY_NANOS, "MP", "SB+mfences", "SB+xchgs", "R+po+mfence");
    assertThat(broken.get()).as("seed %d", seed).isPositive();
    assertThat(r.passed()).as("seed %d", seed).isFalse();
    assertThat(r.failure()).as("seed %d", seed).startsWith("x86-TSO forbids ");
    LitmusReport report = Objects.requireNonNull(r.litmus());
    assertThat(report.forbidden()).isPositive();
    assertThat(report.results())
        .as("published forbidden outcomes, seed %d\n%s", seed, report.table())
        .anyMatch(c -> !c.allowed() && c.witnessSeen() > 0);
  }

  /** The same machine keeps its promises, and passes: it is the sabotage that is noticed. */
  @Test
  void sameMachineWithoutSabotagePasses() throws Exception {
    PayloadResult r = run(0, "MP", "SB+mfences", "SB+xchgs", "R+po+mfence");
    assertThat(broken.get()).isZero();
    assertThat(r.failure()).as("seed %d", seed).isNull();
    assertThat(Objects.requireNonNull(r.litmus()).results())
        .extracting(LitmusResult::forbidden)
        .containsOnly(0L)
        .hasSize(8);
  }

  private PayloadResult run(long longestDelayNanos, String... tests) throws Exception {
    LitmusProgram program =
        new LitmusProgram(LitmusCase.of(LitmusCatalogue.named(List.of(tests)), NODES), ITERATIONS);
    Path module = program.write();
    try (PayloadImage image = PayloadImage.unpack()) {
      List<ClusterConfig.Node> nodes = new ArrayList<>();
      for (int id = 0; id < NODES; id++) {
        nodes.add(new ClusterConfig.Node(id, "127.0.0.1", 0, 1));
      }
      Suite suite =
          new Suite(
              image,
              nodes,
              "32M",
              ClusterConfig.LOOPBACK,
              1,
              seed,
              TIMEOUT_SECONDS,
              program,
              DeltaMode.OFF);
      return run(suite, module, longestDelayNanos);
    } finally {
      Files.deleteIfExists(module);
    }
  }

  private PayloadResult run(Suite suite, Path module, long longestDelayNanos) throws Exception {
    ClusterConfig config = suite.config(Payload.LITMUS, module);
    LoopbackCluster fabric = new LoopbackCluster(NODES);
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    List<NodeRuntime> nodes = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(NODES)) {
      for (int id = 0; id < NODES; id++) {
        OutputStream out = id == 0 ? console : OutputStream.nullOutputStream();
        nodes.add(new NodeRuntime(config, id, hasty(config, id, fabric, longestDelayNanos), out));
      }
      List<Future<Outcome>> lives = new ArrayList<>();
      for (NodeRuntime node : nodes) {
        lives.add(threads.submit(() -> node.run(Duration.ofSeconds(TIMEOUT_SECONDS))));
      }
      Thread.ofVirtual().start(() -> endAfterTimeout(nodes.getFirst(), lives.getFirst()));
      List<Outcome> outcomes = new ArrayList<>();
      for (Future<Outcome> life : lives) {
        outcomes.add(life.get());
      }
      RunReport report =
          new RunReport(
              null, 0, outcomes.getFirst(), nodes.stream().map(NodeRuntime::report).toList());
      return suite.result(Payload.LITMUS, console.toString(StandardCharsets.ISO_8859_1), report);
    } finally {
      nodes.forEach(NodeRuntime::close);
    }
  }

  private static void endAfterTimeout(NodeRuntime node, Future<Outcome> life) {
    try {
      life.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (Exception e) {
      node.end(Outcome.TIMEOUT, "the test took too long");
    }
  }

  private Transport hasty(ClusterConfig config, int id, LoopbackCluster fabric, long delayNanos) {
    NodeIdentity identity =
        new NodeIdentity(
            id, NODES, config.layout().pageCount(), VmKey.ofHex(config.key()), config.hash());
    return new HastyTransport(
        LoopbackTransport.create(fabric, identity, TransportLimits.DEFAULT),
        delayNanos,
        seed + id,
        broken);
  }
}
