package org.pluribus.perf.ratio;

import java.util.Locale;

/** One comparison: by rounds, what it took us and what it took the other side. */
final class Ratio {
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
  private final Samples ours = new Samples();
  private final Samples theirs = new Samples();
  private final Samples ratios = new Samples();

  Ratio(String name, double target) {
    this.name = name;
    this.target = target;
  }

  /** A round's result, in nanoseconds for one exit, fault, or the like. */
  void add(double our, double their) {
    ours.add(our);
    theirs.add(their);
    ratios.add(our / their);
  }

  /** Whether the median of the ratios is small enough. */
  boolean met() {
    return ratios.median() <= target;
  }

  /**
   * A line of the table: medians, the median of the ratios of each round, and the ratio of the best
   * rounds, which whoever else uses the machine disturbs least.
   */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%-24s %8.0f %8.0f %5.2fx %-16s %5.2fx   at most %.2fx: %s",
        name,
        theirs.median(),
        ours.median(),
        ratios.median(),
        String.format(Locale.ROOT, " (%.2f .. %.2f)", ratios.min(), ratios.max()),
        ours.min() / theirs.min(),
        target,
        met() ? "met" : "missed");
  }
}
