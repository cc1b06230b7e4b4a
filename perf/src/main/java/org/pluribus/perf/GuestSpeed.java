package org.pluribus.perf;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.pluribus.vmm.emulator.PlainMachine;
import org.pluribus.vmm.emulator.RegionCompiler;

/**
 * How fast one emulated CPU runs a {@link GuestLoop}. The guest's MIPS are the instructions over
 * the CPU time of the thread, not the time that went by: whoever else uses the machine counts less.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class GuestSpeed {
  /** Names of the counters among JMH's secondary results. */
  static final String INSTRUCTIONS = "instructions";

  static final String CPU_MICROS = "cpuMicros";

  /** Interpreted, and compiled as soon as it is hot. */
  static final String[] MODES = {"interpreted", "compiled"};

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final double NANOS_PER_MICRO = 1000;

  /** Blocks in one call of {@link #run}: some milliseconds at most. */
  private static final int BLOCKS = 1 << 16;

  @Param({"INTEGER", "COPY", "CALLS", "BYTES"})
  public String loop = "";

  @Param({"interpreted", "compiled"})
  public String mode = "";

  private @Nullable PlainMachine machine;
  private @Nullable RegionCompiler compiler;

  /** What JMH reports besides the number of calls. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Counters {
    public long instructions;
    public double cpuMicros;
  }

  @Setup
  public void start() {
    PlainMachine m = PlainMachine.in64();
    m.code(GuestLoop.valueOf(loop).code);
    m.safepointsLeft = 0; // the CPU comes back whenever it wants to look around
    m.cpu.pollBlocks(BLOCKS);
    if (mode.equals(MODES[1])) {
      compiler = RegionCompiler.inBackground(RegionCompiler.DEFAULT_THRESHOLD);
      m.cpu.compileWith(compiler);
    }
    machine = m;
  }

  @TearDown
  public void stop() {
    if (compiler != null) {
      compiler.close();
    }
    if (machine != null) {
      machine.close();
    }
  }

  @Benchmark
  public void run(Counters counters) {
    PlainMachine m = machine;
    if (m == null) {
      throw new IllegalStateException("not set up");
    }
    long begin = THREADS.getCurrentThreadCpuTime();
    long before = m.cpu.instructions;
    m.cpu.run();
    counters.instructions += m.cpu.instructions - before;
    counters.cpuMicros += (THREADS.getCurrentThreadCpuTime() - begin) / NANOS_PER_MICRO;
  }
}
