package org.pluribus.perf.ratio;

import java.util.Locale;
import org.openjdk.jmh.util.ListStatistics;

/** One comparison: by rounds, what it took us and what it took the other side. */
final class Ratio {
  private static final double MEDIAN = 50;

  /** The table's heading. */
  static final String HEADING =
      String.format(
          Locale.ROOT,
          "%-24s %8s %8s %6s %-16s %6s   %s",
          "nanoseconds",
          "against",
          "ours",
          "ratio",
          " (min .. max)",
          "best",
          "target");

  private final String name;
  private final double target;
  private final ListStatistics ours = new ListStatistics();
  private final ListStatistics theirs = new ListStatistics();
  private final ListStatistics ratios = new ListStatistics();

  Ratio(String name, double target) {
    this.name = name;
    this.target = target;
  }

  /** A round's result, in nanoseconds for one exit, fault, or the like. */
  void add(double our, double their) {
    ours.addValue(our);
    theirs.addValue(their);
    ratios.addValue(our / their);
  }

  static double median(ListStatistics values) {
    return values.getPercentile(MEDIAN);
  }

  /**
   * A line of the table: medians, the median of the ratios of each round, and the ratio of the best
   * rounds, which whoever else uses the machine disturbs least.
   */
  @Override
  public String toString() {
    double ratio = median(ratios);
    return String.format(
        Locale.ROOT,
        "%-24s %8.0f %8.0f %5.2fx %-16s %5.2fx   at most %.2fx: %s",
        name,
        median(theirs),
        median(ours),
        ratio,
        String.format(Locale.ROOT, " (%.2f .. %.2f)", ratios.getMin(), ratios.getMax()),
        ours.getMin() / theirs.getMin(),
        target,
        ratio <= target ? "met" : "missed");
  }
}
