package org.pluribus.perf.ratio;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Measured values of one kind. */
final class Samples {
  private final List<Double> sorted = new ArrayList<>();

  void add(double value) {
    int at = Collections.binarySearch(sorted, value);
    sorted.add(at < 0 ? ~at : at, value);
  }

  /** The middle one; of an even number, the greater of the two. */
  double median() {
    return sorted.get(sorted.size() / 2);
  }

  double min() {
    return sorted.getFirst();
  }

  double max() {
    return sorted.getLast();
  }
}
