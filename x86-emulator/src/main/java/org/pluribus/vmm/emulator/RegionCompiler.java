package org.pluribus.vmm.emulator;

import java.util.ArrayDeque;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Compiles hot guest code, region by region, to JVM bytecode. One per node, shared by its CPUs:
 * {@link #inBackground} makes one whose own thread compiles while the vCPUs go on interpreting.
 */
public final class RegionCompiler implements BlockCompiler, AutoCloseable {
  /** Runs of a block after which it is compiled, unless told otherwise. */
  public static final int DEFAULT_THRESHOLD = 1000;

  /** Regions waiting; a hot block that finds the queue full asks again later. */
  private static final int QUEUE_LENGTH = 1024;

  /** Instructions a region grows to; a smaller limit is tried when the method gets too long. */
  private static final int MAX_INSNS = 160;

  private static final int MIN_INSNS = 8;

  /**
   * Thresholds that the inner blocks of a region have to run in the interpreter, once it is
   * compiled, to get a region of their own: they are entered from elsewhere then.
   */
  private static final int COOLING = 4;

  /** A block belongs to a region if it ran at least this fraction of the threshold. */
  private static final int RARE = 16;

  /** {@link Block#heat} of a block that is not to be offered again; it still counts from here. */
  private static final int SETTLED = Integer.MIN_VALUE;

  /** Time between two looks whether the JVM has compiled a region's method, and their number. */
  private static final long LOOK_NANOS = 5_000_000;

  private static final int LOOKS = 100;

  private record Request(CodePage page, int offset, Block block) {}

  /** A region to be used as soon as the JVM has compiled it. */
  private static final class Waiting {
    final Request request;
    final CompiledRegion compiled;
    int looks;

    /** {@link System#nanoTime} of the next look. */
    long next;

    Waiting(Request request, CompiledRegion compiled) {
      this.request = request;
      this.compiled = compiled;
    }
  }

  /** In the order of their next looks; this compiler's thread only. */
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

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
        Waiting first = waiting.peek();
        long wait = first == null ? Long.MAX_VALUE : first.next - System.nanoTime();
        Request r = wait <= 0 ? null : queue.poll(wait, TimeUnit.NANOSECONDS);
        if (r != null) {
          compile(r);
        } else if (first != null) {
          look(waiting.remove());
        }
      }
    } catch (InterruptedException e) {
      // close() ends the thread this way.
    }
  }

  private void look(Waiting w) {
    if (w.looks++ == LOOKS || w.compiled.isCompiledByJvm()) {
      install(w.request, w.compiled);
    } else {
      w.next = System.nanoTime() + LOOK_NANOS;
      waiting.add(w);
    }
  }

  private static void install(Request r, CompiledRegion compiled) {
    r.page.install(compiled.region, r.block, compiled.entries);
  }

  private void compile(Request r) {
    try {
      // Heat that is not settled any more: a region compiled meanwhile has the block in it.
      boolean wanted = r.block.compiled == null && r.block.heat < SETTLED / 2;
      for (int limit = MAX_INSNS; limit >= MIN_INSNS && wanted; limit /= 2) {
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
    Region region = Region.around(r.page, r.offset, limit, threshold / RARE);
    if (region == null) {
      return true;
    }
    CompiledRegion compiled = RegionClass.compile(region);
    if (compiled == null) {
      return false;
    }
    r.page.cool(region, -threshold * COOLING);
    if (thread == null) {
      install(r, compiled);
    } else {
      look(new Waiting(r, compiled));
    }
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
