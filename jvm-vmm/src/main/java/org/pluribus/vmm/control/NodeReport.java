package org.pluribus.vmm.control;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.coherence.CoherenceCounters;
import org.pluribus.posix.Mapping;
import org.pluribus.transport.Transport;
import org.pluribus.vmm.node.FaultRecords;
import org.pluribus.vmm.node.HotPages;
import org.pluribus.vmm.node.MirrorBudget;
import org.pluribus.vmm.node.NodeMachine;
import org.pluribus.vmm.node.PluribusNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What one node did, for the final table and {@code --report}.
 *
 * @param pagesPlaced those of {@code pagesOut} that the transport wrote from RAM to RAM, by RDMA
 * @param pagesCopied copies of a page's bytes that this node's Java made, sending and receiving: by
 *     UDP one for each of {@code pagesOut} and {@code pagesIn}, by RDMA none
 * @param pagesIn pages that came as a whole
 * @param pagesOut pages that were sent as a whole
 * @param deltasIn pages of which only changed blocks came
 * @param deltasOut pages of which only changed blocks were sent
 * @param sparseIn pages that came as the blocks of them that are not zero
 * @param sparseOut pages that were sent as the blocks of them that are not zero
 * @param pageBytesOut bytes of pages sent, whole ones and blocks
 * @param pageBytesSaved how many more it would have been without {@code deltasOut} and {@code
 *     sparseOut}
 * @param mirror what its mirror of guest RAM takes
 * @param hotPages pages that came to this node most often, the most often first
 * @param faultRecords times of single faults; null unless the cluster's configuration wants them
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record NodeReport(
    int id,
    String vmi,
    int vcpus,
    long instructions,
    double mips,
    Faults faults,
    long pagesIn,
    long pagesOut,
    long pagesPlaced,
    long pagesCopied,
    long pagesZero,
    long deltasIn,
    long deltasOut,
    long sparseIn,
    long sparseOut,
    long pageBytesOut,
    long pageBytesSaved,
    long bytesIn,
    long bytesOut,
    long ipisSent,
    long ipisReceived,
    Mirror mirror,
    Latency faultLatencyMicros,
    List<HotPages.Hot> hotPages,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable FaultRecords faultRecords,
    Map<String, Integer> unknownInstructions) {

  /** Faults by kind. */
  public record Faults(long read, long write, long upgrade) {}

  /**
   * Memory of a mirror of guest RAM, by the kernel's count of what its file takes.
   *
   * @param budgetBytes what it may take; null if all of guest RAM
   * @param residentBytes what it took at the end
   * @param residentPeakBytes the most it took, looked at some hundred times a second
   * @param pagesGivenBack how often a page's memory was given back to the host
   * @param offers how often a copy was offered to its home, to make room
   * @param pagesTaken how often this home took a page that its holder offered
   */
  public record Mirror(
      @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Long budgetBytes,
      long residentBytes,
      long residentPeakBytes,
      long pagesGivenBack,
      long offers,
      long pagesTaken) {}

  /** Percentiles and mean in microseconds. */
  public record Latency(long count, double p50, double mean, double p99, double max) {}

  /** Hot pages of a node that are reported. */
  private static final int HOT_PAGES = 64;

  private static final double NANOS_PER_MICRO = 1_000;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Collects a node's figures; its vCPUs have stopped. */
  static NodeReport of(
      PluribusNode node,
      NodeMachine machine,
      Transport transport,
      MirrorBudget budget,
      long startedNanos) {
    CoherenceCounters c = node.counters();
    Histogram h = machine.latency();
    long instructions = machine.instructions();
    double micros = Math.max(1, (System.nanoTime() - startedNanos) / NANOS_PER_MICRO);
    long blockBytes =
        c.get(CoherenceCounter.DELTA_BYTES_OUT) + c.get(CoherenceCounter.SPARSE_BYTES_OUT);
    long inBlocks = c.get(CoherenceCounter.DELTAS_OUT) + c.get(CoherenceCounter.SPARSE_OUT);
    long in = 0;
    long out = 0;
    for (int peer = 0; peer < transport.nodeCount(); peer++) {
      if (peer != node.id()) {
        in += transport.channel(peer).bytesReceived();
        out += transport.channel(peer).bytesSent();
      }
    }
    return new NodeReport(
        node.id(),
        machine.vmi(),
        machine.vcpuCount(),
        instructions,
        round(instructions / micros),
        new Faults(
            c.get(CoherenceCounter.FAULTS_READ),
            c.get(CoherenceCounter.FAULTS_WRITE),
            c.get(CoherenceCounter.FAULTS_UPGRADE)),
        c.get(CoherenceCounter.PAGES_IN),
        c.get(CoherenceCounter.PAGES_OUT),
        transport.placedPages(),
        transport.copiedPages(),
        c.get(CoherenceCounter.PAGES_ZERO),
        c.get(CoherenceCounter.DELTAS_IN),
        c.get(CoherenceCounter.DELTAS_OUT),
        c.get(CoherenceCounter.SPARSE_IN),
        c.get(CoherenceCounter.SPARSE_OUT),
        c.get(CoherenceCounter.PAGES_OUT) * Mapping.PAGE_BYTES + blockBytes,
        inBlocks * Mapping.PAGE_BYTES - blockBytes,
        in,
        out,
        machine.router().sentToNodes(),
        machine.router().receivedFromNodes(),
        new Mirror(
            budget.isLimited() ? budget.bytes() : null,
            budget.residentBytes(),
            budget.peakBytes(),
            budget.evictions(),
            c.get(CoherenceCounter.EVICTIONS_OFFERED),
            c.get(CoherenceCounter.TAKEN)),
        new Latency(
            h.getTotalCount(),
            round(h.getValueAtPercentile(50) / NANOS_PER_MICRO),
            round(h.getMean() / NANOS_PER_MICRO),
            round(h.getValueAtPercentile(99) / NANOS_PER_MICRO),
            round(h.getMaxValue() / NANOS_PER_MICRO)),
        node.hotPages().hottest(node.layout(), node.id(), HOT_PAGES),
        machine.faultRecords(),
        new TreeMap<>(machine.unknownInstructions()));
  }

  /** The same without the faults' times, which are many. */
  public NodeReport withoutFaultRecords() {
    return new NodeReport(
        id,
        vmi,
        vcpus,
        instructions,
        mips,
        faults,
        pagesIn,
        pagesOut,
        pagesPlaced,
        pagesCopied,
        pagesZero,
        deltasIn,
        deltasOut,
        sparseIn,
        sparseOut,
        pageBytesOut,
        pageBytesSaved,
        bytesIn,
        bytesOut,
        ipisSent,
        ipisReceived,
        mirror,
        faultLatencyMicros,
        hotPages,
        null,
        unknownInstructions);
  }

  private static double round(double v) {
    return Math.round(v * 10) / 10.0;
  }

  byte[] toJson() {
    return JSON.writeValueAsBytes(this);
  }

  /** Parses a peer's report. */
  public static NodeReport parse(byte[] json) {
    return JSON.readValue(json, NodeReport.class);
  }
}
