package org.pluribus.vmm.cli.selftest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.transport.VmKey;
import org.pluribus.vmm.cli.litmus.LitmusCase;
import org.pluribus.vmm.cli.litmus.LitmusCatalogue;
import org.pluribus.vmm.cli.litmus.LitmusProgram;
import org.pluribus.vmm.cli.litmus.LitmusReport;
import org.pluribus.vmm.control.ClusterConfig;
import org.pluribus.vmm.control.LocalCluster;
import org.pluribus.vmm.control.NodeReport;
import org.pluribus.vmm.control.Outcome;
import org.pluribus.vmm.control.RunReport;

/**
 * Runs payloads, each in a machine of its own: one that hangs or breaks its machine is a failure of
 * that payload only, and the nodes' figures are that payload's.
 *
 * @param image the payloads
 * @param nodes the machine's nodes
 * @param memory its RAM, with unit
 * @param transport {@link ClusterConfig#AERON} or {@link ClusterConfig#LOOPBACK}
 * @param scale how much the payloads do, in percent
 * @param seed of the payloads' random numbers
 * @param timeoutSeconds how long each may take
 * @param litmus what {@link Payload#LITMUS} runs
 * @param deltas whether nodes send only what has changed of a page
 */
public record Suite(
    PayloadImage image,
    List<ClusterConfig.Node> nodes,
    String memory,
    String transport,
    int scale,
    long seed,
    int timeoutSeconds,
    LitmusProgram litmus,
    DeltaMode deltas) {

  /** Iterations of each litmus test at scale 100. */
  private static final int LITMUS_ITERATIONS = 4096;

  private static final int PERCENT = 100;

  /** Exit code when a payload writes EXIT_PASSED (native/payloads/runtime.c) to the exit port. */
  private static final int EXIT_PASSED = 0x10 << 1 | 1;

  /** All payloads with all that they have, litmus tests as far as there are CPUs for them. */
  public Suite(
      PayloadImage image,
      List<ClusterConfig.Node> nodes,
      String memory,
      String transport,
      int scale,
      long seed,
      int timeoutSeconds) {
    this(
        image,
        nodes,
        memory,
        transport,
        scale,
        seed,
        timeoutSeconds,
        new LitmusProgram(
            LitmusCase.of(
                LitmusCatalogue.all(), nodes.stream().mapToInt(ClusterConfig.Node::cpus).sum()),
            Math.clamp((long) LITMUS_ITERATIONS * scale / PERCENT, 1, Integer.MAX_VALUE)),
        DeltaMode.ON);
  }

  /** The same on machines whose nodes send only what has changed of a page, or don't. */
  public Suite withDeltas(DeltaMode mode) {
    return new Suite(image, nodes, memory, transport, scale, seed, timeoutSeconds, litmus, mode);
  }

  /** The machine a payload runs on. */
  public ClusterConfig config(Payload payload) {
    return config(payload, null);
  }

  /** The same with a file that the loader puts into its memory. */
  ClusterConfig config(Payload payload, @Nullable Path module) {
    ClusterConfig config =
        new ClusterConfig(
                VmKey.random().toHex(),
                memory,
                transport,
                image.file().toString(),
                module == null ? null : module.toString(),
                "payload=" + payload.id() + " scale=" + scale + " seed=" + seed,
                nodes)
            .withDeltas(deltas);
    return payload == Payload.FAULTS ? config.withFaultTimes() : config;
  }

  /** Runs one payload to its end, or to the time limit. */
  public PayloadResult run(Payload payload) throws Exception {
    Path module = payload == Payload.LITMUS ? litmus.write() : null;
    try {
      return run(payload, module);
    } finally {
      delete(module);
    }
  }

  private static void delete(@Nullable Path module) throws IOException {
    if (module != null) {
      Files.deleteIfExists(module);
    }
  }

  private PayloadResult run(Payload payload, @Nullable Path module) throws Exception {
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    RunReport report;
    try (LocalCluster cluster = new LocalCluster(config(payload, module))) {
      report = cluster.run(timeoutSeconds, false, console);
    }
    return result(payload, console.toString(StandardCharsets.ISO_8859_1), report);
  }

  /** Judges what a payload said, and how its machine ended. */
  PayloadResult result(Payload payload, String console, RunReport report) {
    Transcript transcript = Transcript.parse(console);
    FaultService service =
        payload == Payload.FAULTS ? FaultService.of(transcript.touches(), report.nodes()) : null;
    LitmusReport outcomes =
        payload == Payload.LITMUS && transcript.passed()
            ? LitmusReport.of(litmus, transcript.tallies())
            : null;
    String failure = failure(transcript, report.outcome(), console, service);
    if (failure == null && outcomes != null) {
      failure = outcomes.failure();
    }
    return new PayloadResult(
        payload.id(),
        failure == null,
        failure,
        transcript.counts(),
        transcript.checksums(),
        report.wallSeconds(),
        report.nodes().stream().map(NodeReport::withoutFaultRecords).toList(),
        service,
        outcomes);
  }

  private static @Nullable String failure(
      Transcript transcript, Outcome outcome, String console, @Nullable FaultService service) {
    if (transcript.failure() != null) {
      return transcript.failure();
    }
    if (outcome.exitCode() == EXIT_PASSED && transcript.passed()) {
      FaultService.Of silent = service == null ? null : service.nodeWithoutTimes();
      return silent == null
          ? null
          : "no fault is known behind the %d touches of node %d"
              .formatted(silent.touches(), silent.node());
    }
    String last = console.strip();
    last = last.substring(last.lastIndexOf('\n') + 1);
    return outcome.reason() + (last.isEmpty() ? "; it said nothing" : "; its last line: " + last);
  }
}
