package org.pluribus.coherence.sim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Visits <em>every</em> state that a small cluster can get into, whatever the order of events: each
 * lane's oldest message, each completion of a revoke, each end of a hold, each vCPU's next access
 * may come next. Breadth first, so that the trace shown for a violation is one of the shortest. The
 * controllers are the shipped ones; as they can't be copied, a state is reached again by replaying
 * the choices that led to it.
 */
public final class Explorer {
  /** More states than any scope in use has: a bug may make their number endless. */
  private static final int STATE_LIMIT = 20_000_000;

  /**
   * What is explored. The home of page p is node p modulo the number of nodes.
   *
   * @param accesses how often each vCPU accesses a page; any page, to read or to write each time
   * @param devices nodes with a device that pins a page once, for reading or writing
   * @param holds whether grants are held until used or expired
   * @param slowRevokes whether a revoke completes in a later step
   * @param evictions how often each node offers a page to its home to make room; it forgets the
   *     bytes of pages that it gave up then
   * @param twins how many twins a node has room for; 0 for whole pages always
   */
  public record Scope(
      int nodes,
      int pages,
      int vcpusPerNode,
      int accesses,
      int devices,
      boolean holds,
      boolean slowRevokes,
      int evictions,
      int twins) {
    /** Without deltas. */
    public Scope(
        int nodes,
        int pages,
        int vcpusPerNode,
        int accesses,
        int devices,
        boolean holds,
        boolean slowRevokes,
        int evictions) {
      this(nodes, pages, vcpusPerNode, accesses, devices, holds, slowRevokes, evictions, 0);
    }

    /** Without evictions and deltas. */
    public Scope(
        int nodes,
        int pages,
        int vcpusPerNode,
        int accesses,
        int devices,
        boolean holds,
        boolean slowRevokes) {
      this(nodes, pages, vcpusPerNode, accesses, devices, holds, slowRevokes, 0, 0);
    }
  }

  /**
   * What was explored.
   *
   * @param steps events executed, those of replays not counted
   * @param depth events of the longest of the shortest ways to a state
   */
  public record Result(int states, long steps, int depth) {}

  private final Scope scope;
  private final @Nullable ProtocolCells cells;
  private final StateSet seen = new StateSet();

  /** State i was first reached from state parent[i] by choice[i]. */
  private int[] parent = new int[1 << 10];

  private int[] choice = new int[1 << 10];
  private int count;
  private long steps;
  private int depth;
  private boolean forges;
  private long forged;

  private Explorer(Scope scope, @Nullable ProtocolCells cells) {
    this.scope = scope;
    this.cells = cells;
  }

  /**
   * Explores.
   *
   * @throws CheckFailure with the events that lead there, if a state is reached which must not be
   */
  public static Result explore(Scope scope) {
    return new Explorer(scope, null).run();
  }

  /** Explores and notes each event that met a controller, with what came of it. */
  public static Result explore(Scope scope, ProtocolCells cells) {
    return new Explorer(scope, cells).run();
  }

  /**
   * Explores, and gives each controller, in each state, every message that has no place in the
   * protocol table there. It must be refused and change nothing.
   *
   * @return how many were refused
   */
  public static long forge(Scope scope) {
    Explorer explorer = new Explorer(scope, null);
    explorer.forges = true;
    explorer.run();
    return explorer.forged;
  }

  private Result run() {
    ExplorerWorld start = new ExplorerWorld(scope);
    seen.add(start.key());
    append(-1, 0);
    for (int state = 0; state < count; state++) {
      expand(state);
      if (count > STATE_LIMIT) {
        throw explain(path(state), new CheckFailure("more than " + STATE_LIMIT + " states"));
      }
    }
    return new Result(count, steps, depth);
  }

  private void expand(int state) {
    int[] path = path(state);
    depth = path.length;
    ExplorerWorld world = replay(path);
    int[] choices = world.choices();
    if (forges) {
      forged += new Forger(world).refused();
    }
    if (choices.length == 0) {
      try {
        world.checkAtRest();
      } catch (CheckFailure failure) {
        throw explain(path, failure);
      }
    }
    for (int i = 0; i < choices.length; i++) {
      ExplorerWorld next = i == choices.length - 1 ? world : replay(path);
      try {
        next.record(cells);
        next.take(choices[i]);
        next.check();
      } catch (CheckFailure | RuntimeException failure) {
        throw explain(extended(path, choices[i]), failure);
      }
      steps++;
      if (seen.add(next.key())) {
        append(state, choices[i]);
      }
    }
  }

  private ExplorerWorld replay(int[] path) {
    ExplorerWorld world = new ExplorerWorld(scope);
    for (int taken : path) {
      world.take(taken);
    }
    return world;
  }

  private void append(int from, int taken) {
    if (count == parent.length) {
      parent = Arrays.copyOf(parent, 2 * count);
      choice = Arrays.copyOf(choice, 2 * count);
    }
    parent[count] = from;
    choice[count] = taken;
    count++;
  }

  private int[] path(int state) {
    int length = 0;
    for (int at = state; parent[at] >= 0; at = parent[at]) {
      length++;
    }
    int[] path = new int[length];
    for (int at = state; parent[at] >= 0; at = parent[at]) {
      path[--length] = choice[at];
    }
    return path;
  }

  private static int[] extended(int[] path, int last) {
    int[] longer = Arrays.copyOf(path, path.length + 1);
    longer[path.length] = last;
    return longer;
  }

  private CheckFailure explain(int[] path, Throwable failure) {
    String what = failure instanceof CheckFailure ? failure.getMessage() : failure.toString();
    StringBuilder text = new StringBuilder(what);
    text.append("\nin ").append(scope).append(" after ").append(path.length).append(" events\n");
    ExplorerWorld world = new ExplorerWorld(scope);
    for (int i = 0; i < path.length; i++) {
      text.append("  ").append(world.label(path[i])).append('\n');
      if (i < path.length - 1) {
        world.take(path[i]);
      }
    }
    CheckFailure explained = new CheckFailure(text.toString());
    explained.initCause(failure);
    return explained;
  }
}
