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
          "%-26s %10s %10s %7s   %-14s %s",
          "nanoseconds",
          "against",
          "ours",
          "ratio",
          "(min .. max)",
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

  /** A line of the table: medians, and the median of the ratios of each round. */
  @Override
  public String toString() {
    double ratio = median(ratios);
    return String.format(
        Locale.ROOT,
        "%-26s %10.0f %10.0f %6.2fx   %-14s at most %.2fx: %s",
        name,
        median(theirs),
        median(ours),
        ratio,
        String.format(Locale.ROOT, "(%.2f .. %.2f)", ratios.getMin(), ratios.getMax()),
        target,
        ratio <= target ? "met" : "missed");
  }
}
