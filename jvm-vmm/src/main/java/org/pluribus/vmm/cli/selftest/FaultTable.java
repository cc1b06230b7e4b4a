package org.pluribus.vmm.cli.selftest;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.pluribus.vmm.control.NodeReport;

/** Page faults of each payload and how long they took, as a table for people. */
public final class FaultTable {
  private static final String HEADER = "%-12s %9s %9s %9s %9s %10s %10s %10s%n";
  private static final String ROW = "%-12s %9d %9d %9d %9d %10.1f %10.1f %10.1f%n";

  private FaultTable() {}

  /**
   * The table; faults and pages are all nodes' sums, latencies in microseconds those of the node
   * where they are longest.
   */
  public static String of(List<PayloadResult> results) {
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            HEADER,
            "faults",
            "read",
            "write",
            "upgrade",
            "pages in",
            "p50 us",
            "p99 us",
            "max us"));
    for (PayloadResult r : results) {
      out.append(
          String.format(
              Locale.ROOT,
              ROW,
              r.payload(),
              sum(r, n -> n.faults().read()),
              sum(r, n -> n.faults().write()),
              sum(r, n -> n.faults().upgrade()),
              r.pageTransfers(),
              most(r, n -> n.faultLatencyMicros().p50()),
              most(r, n -> n.faultLatencyMicros().p99()),
              most(r, n -> n.faultLatencyMicros().max())));
    }
    return out.toString();
  }

  private static long sum(PayloadResult r, ToLongFunction<NodeReport> figure) {
    return r.nodes().stream().mapToLong(figure).sum();
  }

  private static double most(PayloadResult r, ToDoubleFunction<NodeReport> figure) {
    return r.nodes().stream().mapToDouble(figure).max().orElse(0);
  }
}
