package org.pluribus.vmm.cli.selftest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.control.NodeReport;

/**
 * How long remote page faults took and where the time went, for a table and {@code --report}.
 *
 * @param nodes by node whose guest touched the pages; those without a CPU that did are missing
 * @param all the faults of all nodes
 */
public record FaultService(List<Of> nodes, Of all) {

  /**
   * The faults of one node, or of all.
   *
   * @param node its id; null for all
   * @param vmi what ran its vCPUs; null for all
   * @param touches pages that the guest touched while another node had them
   * @param faults those of which all times are known
   * @param p50 medians, each part's for itself: they need not add up
   * @param p90 nine of ten were faster
   * @param mean averages, which do add up
   */
  public record Of(
      @Nullable Integer node,
      @Nullable String vmi,
      int touches,
      int faults,
      Parts p50,
      Parts p90,
      Parts mean) {}

  /**
   * Microseconds; see {@link SplitFault} for the parts.
   *
   * @param sum of the five parts
   * @param guest what the guest measured, by its own TSC
   */
  public record Parts(
      double exitToEvent,
      double protocol,
      double transport,
      double install,
      double resume,
      double sum,
      double guest) {}

  private static final String TITLE = "remote faults, us";
  private static final String HEADER = "%-22s %7s %13s %9s %10s %8s %8s %9s %9s%n";
  private static final String ROW = "%-22s %7d %13.1f %9.1f %10.1f %8.1f %8.1f %9.1f %9.1f%n";
  private static final int MEDIAN = 50;
  private static final int HIGH = 90;
  private static final double PERCENT = 100;

  /** Parts of a microsecond that are told: a TSC tick is about so long. */
  private static final double RESOLUTION = 1000;

  /** Reckons up what the guest touched and the nodes recorded. */
  static FaultService of(List<Touch> touches, List<NodeReport> reports) {
    List<SplitFault> faults = new FaultJoin(reports).of(touches);
    List<Of> nodes = new ArrayList<>();
    for (NodeReport n : reports) {
      int touched = (int) touches.stream().filter(t -> t.node() == n.id()).count();
      if (touched > 0) {
        List<SplitFault> own = faults.stream().filter(f -> f.node() == n.id()).toList();
        nodes.add(of(n.id(), n.vmi(), touched, own));
      }
    }
    return new FaultService(nodes, of(null, null, touches.size(), faults));
  }

  static Of of(@Nullable Integer node, @Nullable String vmi, int touches, List<SplitFault> faults) {
    return new Of(
        node,
        vmi,
        touches,
        faults.size(),
        parts(faults, values -> percentile(values, MEDIAN)),
        parts(faults, values -> percentile(values, HIGH)),
        parts(faults, values -> Arrays.stream(values).average().orElse(0)));
  }

  private static Parts parts(List<SplitFault> faults, ToDoubleFunction<double[]> figure) {
    double[] five = {
      figure(faults, SplitFault::exitToEvent, figure),
      figure(faults, SplitFault::protocol, figure),
      figure(faults, SplitFault::transport, figure),
      figure(faults, SplitFault::install, figure),
      figure(faults, SplitFault::resume, figure)
    };
    return new Parts(
        five[0],
        five[1],
        five[2],
        five[3],
        five[4],
        Arrays.stream(five).sum(),
        figure(faults, SplitFault::total, figure));
  }

  private static double figure(
      List<SplitFault> faults,
      ToDoubleFunction<SplitFault> part,
      ToDoubleFunction<double[]> figure) {
    double value = figure.applyAsDouble(faults.stream().mapToDouble(part).sorted().toArray());
    return Math.round(value * RESOLUTION) / RESOLUTION;
  }

  /** The smallest value that so many percent do not exceed; 0 of none. */
  private static double percentile(double[] sorted, int percent) {
    int rank = (int) Math.ceil(sorted.length * percent / PERCENT);
    return sorted.length == 0 ? 0 : sorted[Math.max(0, rank - 1)];
  }

  /** A node whose guest touched pages without one fault being known to the end, or null. */
  @Nullable Of nodeWithoutTimes() {
    return nodes.stream().filter(n -> n.faults() == 0).findFirst().orElse(null);
  }

  /** The table for people. */
  public String table() {
    if (nodes.isEmpty()) {
      return TITLE + ": none, as no two nodes have CPUs\n";
    }
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            HEADER,
            TITLE,
            "faults",
            "exit to event",
            "protocol",
            "transport",
            "install",
            "resume",
            "sum",
            "guest"));
    for (Of n : nodes) {
      rows(out, "node " + n.node() + " (" + n.vmi() + ")", n);
    }
    if (nodes.size() > 1) {
      rows(out, "all", all);
    }
    return out.toString();
  }

  private static void rows(StringBuilder out, String name, Of of) {
    row(out, name + " p50", of.faults(), of.p50());
    row(out, name + " mean", of.faults(), of.mean());
  }

  private static void row(StringBuilder out, String label, int faults, Parts p) {
    out.append(
        String.format(
            Locale.ROOT,
            ROW,
            label,
            faults,
            p.exitToEvent(),
            p.protocol(),
            p.transport(),
            p.install(),
            p.resume(),
            p.sum(),
            p.guest()));
  }
}
