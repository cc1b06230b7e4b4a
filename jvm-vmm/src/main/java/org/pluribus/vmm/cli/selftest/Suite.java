package org.pluribus.vmm.cli.selftest;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.VmKey;
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
 */
public record Suite(
    PayloadImage image,
    List<ClusterConfig.Node> nodes,
    String memory,
    String transport,
    int scale,
    long seed,
    int timeoutSeconds) {

  /** Exit code when a payload writes EXIT_PASSED (native/payloads/runtime.c) to the exit port. */
  private static final int EXIT_PASSED = 0x10 << 1 | 1;

  /** The machine a payload runs on. */
  public ClusterConfig config(Payload payload) {
    ClusterConfig config =
        new ClusterConfig(
            VmKey.random().toHex(),
            memory,
            transport,
            image.file().toString(),
            null,
            "payload=" + payload.id() + " scale=" + scale + " seed=" + seed,
            nodes);
    return payload == Payload.FAULTS ? config.withFaultTimes() : config;
  }

  /** Runs one payload to its end, or to the time limit. */
  public PayloadResult run(Payload payload) throws Exception {
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    RunReport report;
    try (LocalCluster cluster = new LocalCluster(config(payload))) {
      report = cluster.run(timeoutSeconds, false, console);
    }
    String text = console.toString(StandardCharsets.ISO_8859_1);
    Transcript transcript = Transcript.parse(text);
    FaultService service =
        payload == Payload.FAULTS ? FaultService.of(transcript.touches(), report.nodes()) : null;
    String failure = failure(transcript, report.outcome(), text, service);
    return new PayloadResult(
        payload.id(),
        failure == null,
        failure,
        transcript.counts(),
        transcript.checksums(),
        report.wallSeconds(),
        report.nodes().stream().map(NodeReport::withoutFaultRecords).toList(),
        service);
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
