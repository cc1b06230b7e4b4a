package org.pluribus.vmm.cli;

import java.util.Locale;
import java.util.function.Function;
import org.pluribus.vmm.control.NodeReport;
import org.pluribus.vmm.control.RunReport;

/** What each node did, as a table for people: a row per figure, a column per node. */
final class ReportTable {
  private static final int LABEL_WIDTH = 26;
  private static final int COLUMN_WIDTH = 14;
  private static final double MEGA = 1e6;
  private static final double MEBI = 1 << 20;

  private final RunReport report;
  private final StringBuilder out = new StringBuilder();

  private ReportTable(RunReport report) {
    this.report = report;
  }

  static String of(RunReport report) {
    return new ReportTable(report).build();
  }

  private String build() {
    out.append('\n');
    row("", n -> "node " + n.id());
    row("vCPUs (" + report.nodes().getFirst().vmi() + ")", n -> "" + n.vcpus());
    row("instructions, millions", n -> number(n.instructions() / MEGA));
    row("guest MIPS", n -> number(n.mips()));
    row("faults: read", n -> "" + n.faults().read());
    row("faults: write", n -> "" + n.faults().write());
    row("faults: upgrade", n -> "" + n.faults().upgrade());
    row("pages in", n -> "" + n.pagesIn());
    row("pages out", n -> "" + n.pagesOut());
    row("of them by RDMA", n -> "" + n.pagesPlaced());
    row("page copies in Java", n -> "" + n.pagesCopied());
    row("zero pages granted", n -> "" + n.pagesZero());
    row("MiB of RAM held, at most", n -> number(n.mirror().residentPeakBytes() / MEBI));
    row("deltas in", n -> "" + n.deltasIn());
    row("deltas out", n -> "" + n.deltasOut());
    row("sparse pages in", n -> "" + n.sparseIn());
    row("sparse pages out", n -> "" + n.sparseOut());
    row("MiB of pages out", n -> number(n.pageBytesOut() / MEBI));
    row("MiB saved by deltas", n -> number(n.pageBytesSaved() / MEBI));
    row("MiB in", n -> number(n.bytesIn() / MEBI));
    row("MiB out", n -> number(n.bytesOut() / MEBI));
    row("IPIs sent", n -> "" + n.ipisSent());
    row("IPIs received", n -> "" + n.ipisReceived());
    row("fault latency p50, us", n -> number(n.faultLatencyMicros().p50()));
    row("fault latency mean, us", n -> number(n.faultLatencyMicros().mean()));
    row("fault latency p99, us", n -> number(n.faultLatencyMicros().p99()));
    row("fault latency max, us", n -> number(n.faultLatencyMicros().max()));
    Double boot = report.bootSeconds();
    out.append(
        String.format(
            Locale.ROOT,
            "%nboot to init %s s, whole run %.1f s%n",
            boot == null ? "?" : String.format(Locale.ROOT, "%.1f", boot),
            report.wallSeconds()));
    return out.toString();
  }

  private void row(String label, Function<NodeReport, String> figure) {
    out.append(pad(label, LABEL_WIDTH));
    for (NodeReport n : report.nodes()) {
      String s = figure.apply(n);
      out.append(" ".repeat(Math.max(1, COLUMN_WIDTH - s.length()))).append(s);
    }
    out.append('\n');
  }

  private static String pad(String s, int width) {
    return s + " ".repeat(Math.max(0, width - s.length()));
  }

  private static String number(double v) {
    return String.format(Locale.ROOT, "%.1f", v);
  }
}
