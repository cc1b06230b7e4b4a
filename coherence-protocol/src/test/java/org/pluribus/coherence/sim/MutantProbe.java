package org.pluribus.coherence.sim;

import java.util.List;
import java.util.function.Supplier;
import org.pluribus.coherence.sim.Explorer.Scope;

/**
 * Explores small clusters, the smallest first, until a fault is found. Made by reflection in a
 * class loader that has altered controllers, hence a type of the JDK.
 */
public final class MutantProbe implements Supplier<String> {
  private static final List<Scope> SCOPES =
      List.of(
          new Scope(2, 1, 1, 2, 0, false, true),
          new Scope(2, 1, 1, 2, 0, false, true, 1),
          new Scope(3, 1, 1, 1, 0, false, true),
          new Scope(2, 1, 1, 2, 1, true, true),
          new Scope(2, 1, 1, 1, 2, false, true, 1),
          new Scope(3, 1, 1, 1, 1, false, false),
          new Scope(3, 1, 1, 2, 0, false, true),
          new Scope(3, 1, 1, 1, 0, false, true, 1));

  /** Clusters that send what changed of a page; {@code ExhaustiveTest} knows them to be good. */
  private static final List<Scope> WITH_DELTAS =
      List.of(
          new Scope(2, 1, 1, 2, 0, false, false, 0, 1),
          new Scope(2, 1, 1, 2, 0, false, false, 1, 1),
          new Scope(2, 2, 1, 2, 0, false, false, 0, 1));

  /** What was found, with the shortest trace; empty if nothing was. */
  @Override
  public String get() {
    return explore(SCOPES);
  }

  private static String explore(List<Scope> scopes) {
    for (Scope scope : scopes) {
      try {
        Explorer.explore(scope);
      } catch (CheckFailure failure) {
        return String.valueOf(failure.getMessage());
      }
    }
    return "";
  }

  /** The same for bugs of deltas, which show nowhere else. */
  public static final class OfDeltas implements Supplier<String> {
    @Override
    public String get() {
      return explore(WITH_DELTAS);
    }
  }
}
