package org.pluribus.perf.ratio;

import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.HdrHistogram.Histogram;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.coherence.CoherenceCounters;

/**
 * What a node's JVM has allocated up to a moment, or between two.
 *
 * @param serving bytes, by the threads that serve faults: the one that takes them from userfaultfd
 *     and runs the duty cycle, transport and its driver included, and those of the vCPUs
 * @param all bytes, by all threads there were
 * @param collections of garbage
 * @param pages that came from the other node or went to it
 * @param faults of the guest that its vCPU had to wait for
 */
record Allocations(long serving, long all, long collections, long pages, long faults) {
  private static final ThreadMXBean THREADS =
      (ThreadMXBean) ManagementFactory.getThreadMXBean(); // HotSpot's is one

  /**
   * In this JVM, until now.
   *
   * @param latency of the guest's faults
   */
  static Allocations now(CoherenceCounters counters, Histogram latency) {
    long[] serving =
        Thread.getAllStackTraces().keySet().stream()
            .filter(t -> t.getName().startsWith("faults-") || t.getName().startsWith("vcpu-"))
            .mapToLong(Thread::threadId)
            .toArray();
    if (serving.length == 0) {
      throw new IllegalStateException("no thread serves faults");
    }
    return new Allocations(
        Arrays.stream(THREADS.getThreadAllocatedBytes(serving)).sum(),
        THREADS.getTotalThreadAllocatedBytes(),
        ManagementFactory.getGarbageCollectorMXBeans().stream()
            .mapToLong(GarbageCollectorMXBean::getCollectionCount)
            .sum(),
        counters.get(CoherenceCounter.PAGES_IN) + counters.get(CoherenceCounter.PAGES_OUT),
        latency.getTotalCount());
  }

  Allocations since(Allocations before) {
    return new Allocations(
        serving - before.serving,
        all - before.all,
        collections - before.collections,
        pages - before.pages,
        faults - before.faults);
  }

  /** One line, for {@link #of}. */
  String line() {
    return serving + " " + all + " " + collections + " " + pages + " " + faults;
  }

  /** What {@link #line} said. */
  static Allocations of(String line) {
    long[] n = Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray();
    return new Allocations(n[0], n[1], n[2], n[3], n[4]);
  }
}
