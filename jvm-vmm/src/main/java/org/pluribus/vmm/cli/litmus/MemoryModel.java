package org.pluribus.vmm.cli.litmus;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What memory may do, as an abstract machine of which every run is tried: Owens, Sarkar and Sewell,
 * "A Better x86 Memory Model: x86-TSO".
 *
 * <p>Each CPU has a queue of its stores (the store buffer), whose oldest goes to memory at any
 * time. A CPU loads its own youngest store of a variable, else what memory has. MFENCE and locked
 * instructions wait until the CPU's queue is empty; the latter are one step. Without the queues
 * that is sequential consistency.
 */
enum MemoryModel {
  SEQUENTIAL_CONSISTENCY,
  X86_TSO;

  /** All outcomes of a test that the model allows. */
  Set<Long> outcomes(LitmusTest test) {
    Set<Long> outcomes = new TreeSet<>();
    Set<State> seen = new HashSet<>();
    Deque<State> open = new ArrayDeque<>();
    State start = State.start(test);
    seen.add(start);
    open.add(start);
    while (!open.isEmpty()) {
      State state = open.remove();
      boolean over = true;
      for (int cpu = 0; cpu < test.cpus().size(); cpu++) {
        for (State next : successors(test, state, cpu)) {
          over = false;
          if (seen.add(next)) {
            open.add(next);
          }
        }
      }
      if (over) {
        outcomes.add(state.outcome(test));
      }
    }
    return outcomes;
  }

  /** Where a CPU, or its queue, may take the machine: neither can when it is done. */
  private List<State> successors(LitmusTest test, State state, int cpu) {
    State drained = state.drain(cpu);
    State stepped = null;
    int at = state.counters[cpu];
    if (at < test.cpus().get(cpu).size()) {
      stepped = step(test, state, cpu, test.cpus().get(cpu).get(at));
    }
    if (drained == null) {
      return stepped == null ? List.of() : List.of(stepped);
    }
    return stepped == null ? List.of(drained) : List.of(drained, stepped);
  }

  /** What an operation makes of the machine; null while the CPU has to wait with it. */
  private @Nullable State step(LitmusTest test, State state, int cpu, Operation operation) {
    boolean drained = state.queues[cpu].length == 0;
    State next = state.copy();
    next.counters[cpu]++;
    int base = test.firstSlot(cpu);
    switch (operation) {
      case Operation.Fence() -> {
        return drained ? next : null;
      }
      case Operation.Store(int variable, int value) -> {
        if (this == X86_TSO) {
          next.enqueue(cpu, variable, value);
        } else {
          next.memory[variable] = value;
        }
      }
      case Operation.Load(int register, int variable) ->
          next.registers[base + register] = state.seenBy(cpu, variable);
      case Operation.Reading locked -> {
        if (!drained) {
          return null;
        }
        int before = state.memory[locked.variable()];
        next.registers[base + locked.register()] = before;
        next.memory[locked.variable()] = after(locked, before);
      }
    }
    return next;
  }

  /** What a locked instruction leaves in memory. */
  private static int after(Operation.Reading locked, int before) {
    return switch (locked) {
      case Operation.Exchange e -> e.value();
      case Operation.Add a -> before + a.value();
      case Operation.CompareExchange c -> before == c.expected() ? c.value() : before;
      case Operation.Load _ -> before;
    };
  }

  /**
   * The abstract machine at one moment. A queue holds variable and value of each store in turn, the
   * oldest first.
   */
  private record State(int[] memory, int[] registers, int[] counters, int[][] queues) {
    static State start(LitmusTest test) {
      int cpus = test.cpus().size();
      return new State(
          new int[test.variables()], new int[test.variableSlot()], new int[cpus], new int[cpus][0]);
    }

    /** Queues are replaced, never changed, so copies may share them. */
    State copy() {
      return new State(memory.clone(), registers.clone(), counters.clone(), queues.clone());
    }

    void enqueue(int cpu, int variable, int value) {
      int[] queue = queues[cpu];
      int[] longer = Arrays.copyOf(queue, queue.length + 2);
      longer[queue.length] = variable;
      longer[queue.length + 1] = value;
      queues[cpu] = longer;
    }

    /** Lets the oldest store of a CPU's queue go to memory; null if there is none. */
    @Nullable State drain(int cpu) {
      int[] queue = queues[cpu];
      if (queue.length == 0) {
        return null;
      }
      State next = copy();
      next.memory[queue[0]] = queue[1];
      next.queues[cpu] = Arrays.copyOfRange(queue, 2, queue.length);
      return next;
    }

    int seenBy(int cpu, int variable) {
      int[] queue = queues[cpu];
      for (int i = queue.length - 2; i >= 0; i -= 2) {
        if (queue[i] == variable) {
          return queue[i + 1];
        }
      }
      return memory[variable];
    }

    long outcome(LitmusTest test) {
      long outcome = 0;
      for (int i = 0; i < registers.length; i++) {
        outcome |= (long) registers[i] << i * LitmusTest.SLOT_BITS;
      }
      for (int i = 0; i < memory.length; i++) {
        outcome |= (long) memory[i] << (test.variableSlot() + i) * LitmusTest.SLOT_BITS;
      }
      return outcome;
    }

    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof State s
          && Arrays.equals(memory, s.memory)
          && Arrays.equals(registers, s.registers)
          && Arrays.equals(counters, s.counters)
          && Arrays.deepEquals(queues, s.queues);
    }

    @Override
    public int hashCode() {
      return Arrays.deepHashCode(new Object[] {memory, registers, counters, queues});
    }
  }
}
