package org.pluribus.coherence.sim;

import org.jspecify.annotations.Nullable;

/**
 * Makes a failing run short enough to read: as few nodes, pages, vCPUs, operations and disturbances
 * as still fail, in whatever way.
 */
public final class Shrinker {
  /** Runs it may take. */
  private static final int RUN_LIMIT = 500;

  private SimConfig smallest;
  private CheckFailure failure;
  private int runs;

  private Shrinker(SimConfig config, CheckFailure failure) {
    this.smallest = config;
    this.failure = failure;
  }

  /**
   * Runs a cluster.
   *
   * @throws CheckFailure if it fails: that of the shortest run found, with all its events
   */
  public static Simulation.Result run(SimConfig config) {
    try {
      return Simulation.run(config);
    } catch (CheckFailure failure) {
      Shrinker shrinker = new Shrinker(config, failure);
      while (shrinker.runs < RUN_LIMIT && shrinker.shrinks()) {}
      throw shrinker.report(config);
    }
  }

  private boolean shrinks() {
    for (SimConfig candidate : smallest.simpler()) {
      runs++;
      CheckFailure fails = failureOf(candidate);
      if (fails != null) {
        smallest = candidate;
        failure = fails;
        return true;
      }
    }
    return false;
  }

  private static @Nullable CheckFailure failureOf(SimConfig config) {
    try {
      Simulation.run(config);
      return null;
    } catch (CheckFailure failure) {
      return failure;
    }
  }

  private CheckFailure report(SimConfig original) {
    CheckFailure report =
        new CheckFailure(failure.getMessage() + "\nshrunk in " + runs + " runs from " + original);
    report.initCause(failure);
    return report;
  }
}
