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
          new Scope(2, 1, 1, 2, 1, true, true),
          new Scope(3, 1, 1, 1, 0, false, true),
          new Scope(3, 1, 1, 1, 1, false, false),
          new Scope(3, 1, 1, 2, 0, false, true),
          new Scope(2, 1, 1, 2, 0, false, true, 1),
          new Scope(2, 1, 1, 1, 2, false, true, 1),
          new Scope(3, 1, 1, 1, 0, false, true, 1));

  /** What was found, with the shortest trace; empty if nothing was. */
  @Override
  public String get() {
    for (Scope scope : SCOPES) {
      try {
        Explorer.explore(scope);
      } catch (CheckFailure failure) {
        return String.valueOf(failure.getMessage());
      }
    }
    return "";
  }
}
