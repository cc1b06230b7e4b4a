package org.pluribus.coherence.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Visits <em>every</em> state that a small cluster with one page can get into, whatever the order
 * of events: each lane's oldest message, each completion of a revoke, each end of a hold, each
 * vCPU's next access may come next. The controllers are the shipped ones; as they can't be copied,
 * a state is reached again by replaying the choices that led to it.
 */
public final class Explorer {
  /**
   * What is explored.
   *
   * @param accesses how often each vCPU accesses the page; it may read or write each time
   * @param devices nodes with a device that pins the page once, for reading or writing
   * @param holds whether grants are held until used or expired
   * @param slowRevokes whether a revoke completes in a later step
   */
  public record Scope(
      int nodes, int vcpusPerNode, int accesses, int devices, boolean holds, boolean slowRevokes) {}

  private final Scope scope;
  private final Set<String> seen = new HashSet<>();

  private Explorer(Scope scope) {
    this.scope = scope;
  }

  /**
   * Explores and returns the number of states.
   *
   * @throws CheckFailure with the events that lead there, if a state is reached which must not be
   */
  public static int explore(Scope scope) {
    return new Explorer(scope).run();
  }

  private int run() {
    Deque<int[]> paths = new ArrayDeque<>();
    paths.push(new int[0]);
    while (!paths.isEmpty()) {
      follow(paths.pop(), paths);
    }
    return seen.size();
  }

  /**
   * Replays a path, goes on along first choices as long as states are new, and notes the others.
   */
  private void follow(int[] path, Deque<int[]> paths) {
    ExplorerWorld world = new ExplorerWorld(scope);
    List<Integer> taken = new ArrayList<>();
    try {
      for (int choice : path) {
        taken.add(choice);
        world.take(choice);
      }
      while (seen.add(world.key())) {
        int choices = world.choices();
        if (choices == 0) {
          world.checkAtRest();
          return;
        }
        for (int other = 1; other < choices; other++) {
          paths.push(extended(taken, other));
        }
        taken.add(0);
        world.take(0);
      }
    } catch (CheckFailure | RuntimeException failure) {
      throw explain(taken, failure);
    }
  }

  private static int[] extended(List<Integer> taken, int last) {
    int[] path = new int[taken.size() + 1];
    for (int i = 0; i < taken.size(); i++) {
      path[i] = taken.get(i);
    }
    path[taken.size()] = last;
    return path;
  }

  private CheckFailure explain(List<Integer> taken, Throwable failure) {
    StringBuilder text = new StringBuilder(failure + " in " + scope + " after\n");
    ExplorerWorld world = new ExplorerWorld(scope);
    for (int i = 0; i < taken.size(); i++) {
      text.append(world.label(taken.get(i))).append('\n');
      if (i < taken.size() - 1) {
        world.take(taken.get(i));
      }
    }
    CheckFailure explained = new CheckFailure(text.toString());
    explained.initCause(failure);
    return explained;
  }
}
