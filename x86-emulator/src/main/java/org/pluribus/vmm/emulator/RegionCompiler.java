package org.pluribus.vmm.emulator;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Compiles hot guest code, region by region, to JVM bytecode. One per node, shared by its CPUs:
 * {@link #inBackground} makes one whose own thread compiles while the vCPUs go on interpreting.
 */
public final class RegionCompiler implements BlockCompiler, AutoCloseable {
  /** Runs of a block after which it is compiled, unless told otherwise. */
  public static final int DEFAULT_THRESHOLD = 2000;

  /** Regions waiting; a hot block that finds the queue full asks again later. */
  private static final int QUEUE_LENGTH = 1024;

  /** Instructions a region grows to; a smaller limit is tried when the method gets too long. */
  private static final int MAX_INSNS = 160;

  private static final int MIN_INSNS = 8;

  /** {@link Block#heat} of a block that is not to be offered again. */
  private static final int SETTLED = Integer.MIN_VALUE;

  private record Request(CodePage page, int offset, Block block) {}

  private final int threshold;
  private final BlockingQueue<Request> queue = new ArrayBlockingQueue<>(QUEUE_LENGTH);
  private final @Nullable Thread thread;

  private final LongAdder regions = new LongAdder();
  private final LongAdder insns = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private volatile @Nullable Throwable lastFailure;

  private RegionCompiler(int threshold, boolean background) {
    if (threshold < 1) {
      throw new IllegalArgumentException("threshold " + threshold + ": it must be at least 1");
    }
    this.threshold = threshold;
    thread = background ? new Thread(this::work, "region-compiler") : null;
    if (thread != null) {
      thread.setDaemon(true);
      thread.start();
    }
  }

  /** A compiler with its own daemon thread. */
  public static RegionCompiler inBackground(int threshold) {
    return new RegionCompiler(threshold, true);
  }

  /** A compiler that works on the vCPU's thread at once: for tests. */
  public static RegionCompiler immediate(int threshold) {
    return new RegionCompiler(threshold, false);
  }

  /** Regions compiled so far. */
  public long regions() {
    return regions.sum();
  }

  /** Guest instructions in them. */
  public long insns() {
    return insns.sum();
  }

  /** Hot blocks sent away because the queue was full. */
  public long refused() {
    return refused.sum();
  }

  /** Regions that could not be compiled; they stay interpreted. */
  public long failures() {
    return failures.sum();
  }

  /** Why the last of the {@link #failures} failed. */
  public @Nullable Throwable lastFailure() {
    return lastFailure;
  }

  @Override
  public int threshold() {
    return threshold;
  }

  @Override
  public void offer(Cpu cpu, Block block) {
    block.heat = SETTLED;
    if (cpu.codeBits != 64 || block.crossingBytes != null) {
      return;
    }
    CodePage page = cpu.fetchPage[(int) (cpu.rip >>> 12) & CpuMemory.ITLB_MASK];
    Request r = new Request(page, (int) cpu.rip & 0xFFF, block);
    if (thread == null) {
      compile(r);
    } else if (!queue.offer(r)) {
      refused.increment();
      block.heat = 0;
    }
  }

  private void work() {
    try {
      while (true) {
        compile(queue.take());
      }
    } catch (InterruptedException e) {
      // close() ends the thread this way.
    }
  }

  private void compile(Request r) {
    try {
      for (int limit = MAX_INSNS; limit >= MIN_INSNS && r.block.compiled == null; limit /= 2) {
        if (!r.block.valid || compile(r, limit)) {
          return;
        }
      }
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      failures.increment();
      lastFailure = e;
    }
  }

  /** False when the region was too large. */
  private boolean compile(Request r, int limit) throws ReflectiveOperationException {
    Region region = Region.around(r.page, r.offset, limit);
    if (region == null) {
      return true;
    }
    CompiledCode[] entries = RegionClass.compile(region);
    if (entries == null) {
      return false;
    }
    r.page.install(region, r.block, entries);
    regions.increment();
    region.nodes.values().forEach(n -> insns.add(n.insns.length));
    return true;
  }

  @Override
  public void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
