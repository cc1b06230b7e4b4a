package org.pluribus.coherence.sim;

/** Somebody on a node who needs sets of pages, again and again: a vCPU or a device. */
abstract class SimAgent {
  private static final int MAX_THINK_NANOS = 300;
  private static final int MAX_WAKE_NANOS = 60;
  private static final long NOTHING = -1;

  final Simulation simulation;
  final SimNode node;
  long[] pages = {};
  boolean[] writes = {};
  private int operationsLeft;
  private long waitsFor = NOTHING;

  SimAgent(Simulation simulation, SimNode node) {
    this.simulation = simulation;
    this.node = node;
    this.operationsLeft = simulation.config().operations();
  }

  /** Tries to do the current operation: either calls {@link #faulted} or, in the end, next. */
  abstract void attempt();

  void start() {
    next();
  }

  /** Draws the next operation, or stops after the last. */
  final void next() {
    if (operationsLeft == 0) {
      return;
    }
    SimConfig config = simulation.config();
    int count = 1 + simulation.random().nextInt(config.pagesPerInstruction());
    count = Math.min(count, config.pages());
    pages =
        simulation
            .random()
            .ints(0, config.pages())
            .distinct()
            .limit(count)
            .asLongStream()
            .toArray();
    writes = new boolean[count];
    for (int i = 0; i < count; i++) {
      writes[i] = simulation.random().nextInt(3) == 0;
    }
    node.after(simulation.random().nextInt(MAX_THINK_NANOS), this::attempt);
  }

  final void completed() {
    operationsLeft--;
    next();
  }

  final void faulted(long page, boolean write) {
    waitsFor = page; // First: the wake may come during the call.
    node.fault(page, write);
  }

  /** The node's wake effect: retry, on the spot or a little later. */
  final void woken(long page) {
    if (waitsFor != page) {
      return;
    }
    waitsFor = NOTHING;
    if (simulation.random().nextInt(4) == 0) {
      attempt();
    } else {
      node.after(simulation.random().nextInt(MAX_WAKE_NANOS), this::attempt);
    }
  }

  final boolean isDone() {
    return operationsLeft == 0 && waitsFor == NOTHING;
  }

  @Override
  public String toString() {
    String waiting = waitsFor == NOTHING ? "" : ", waits for page " + waitsFor;
    return getClass().getSimpleName() + " with " + operationsLeft + " operations left" + waiting;
  }
}
