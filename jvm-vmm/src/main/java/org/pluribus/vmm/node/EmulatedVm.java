package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.HostProfile;
import org.pluribus.vmm.emulator.CodeCache;
import org.pluribus.vmm.emulator.Cpu;
import org.pluribus.vmm.emulator.CpuidTable;
import org.pluribus.vmm.emulator.RegionCompiler;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.time.GuestClock;

/** A node whose vCPUs our own emulator runs: needs nothing of the host but memory and threads. */
public final class EmulatedVm implements VmBackend {
  /** What options and reports call it. */
  public static final String NAME = "emulator";

  /**
   * System property: runs of a block before it is compiled; 0 only interprets, which helps to tell
   * a fault of the compiler from one of the interpreter.
   */
  public static final String COMPILE_THRESHOLD = "pluribus.compileThreshold";

  /** Measured on kernel boots: compiling earlier costs the two cores more than it saves. */
  private static final int DEFAULT_COMPILE_THRESHOLD = 1000;

  /**
   * Blocks between two looks around when there are no peers: only the clock and the console want a
   * look.
   */
  private static final int POLL_BLOCKS_ALONE = 100_000;

  /** Measured: 200 us for a hold of 20 and a factor of 2 (docs/coherence.md). */
  private static final long BOUNCE_HOLDS = 5;

  private static final long NANOS_PER_MICRO = 1_000;
  private static final int PAGE_SHIFT = 12;
  private static final int LATENCY_DIGITS = 3;

  private final HostProfile profile;
  private final GuestClock clock;
  private final int pollBlocks;
  private final CodeCache codeCache;
  private final SoftMmuPageRights rights;
  private final BusLock busLock = new BusLock();
  private final @Nullable RegionCompiler compiler = makeCompiler();
  private final List<EmulatedVcpu> vcpus = new ArrayList<>();

  public EmulatedVm(GuestRamLayout layout, HostProfile profile, GuestClock clock) {
    this.profile = profile;
    this.clock = clock;
    pollBlocks = layout.nodeCount() > 1 ? profile.pollBlocks() : POLL_BLOCKS_ALONE;
    codeCache = new CodeCache(layout.ramEnd() >>> PAGE_SHIFT);
    long bounceNanos =
        profile.bounceFactor() * BOUNCE_HOLDS * profile.holdMicros() * NANOS_PER_MICRO;
    rights = new SoftMmuPageRights(layout, codeCache, bounceNanos, System::nanoTime);
  }

  private static @Nullable RegionCompiler makeCompiler() {
    int threshold = Integer.getInteger(COMPILE_THRESHOLD, DEFAULT_COMPILE_THRESHOLD);
    return threshold > 0 ? RegionCompiler.inBackground(threshold) : null;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public PageRights rights() {
    return rights;
  }

  @Override
  public VcpuBackend makeVcpu(VcpuThread vcpu, int apicId, CpuidTable cpuid) {
    EmulatedVcpu made =
        new EmulatedVcpu(
            vcpu,
            rights,
            profile,
            clock,
            busLock,
            environment -> {
              Cpu cpu = new Cpu(vcpu.index(), environment, codeCache, cpuid);
              cpu.pollBlocks(pollBlocks);
              if (compiler != null) {
                cpu.compileWith(compiler);
              }
              return cpu;
            });
    vcpus.add(made);
    return made;
  }

  @Override
  public void start(PluribusNode node) {
    // The vCPUs ask for pages themselves.
  }

  @Override
  public void clockChanged() {
    // The vCPUs read the clock itself.
  }

  @Override
  public long guestTsc() {
    return clock.tsc();
  }

  @Override
  public void stop() {
    // vCPUs that wait look at the node's state now and then.
  }

  @Override
  public Histogram latency() {
    Histogram sum = new Histogram(LATENCY_DIGITS);
    vcpus.forEach(v -> sum.add(v.latency()));
    return sum;
  }

  @Override
  public Map<String, Integer> unknownInstructions() {
    Map<String, Integer> all = new TreeMap<>();
    for (EmulatedVcpu v : vcpus) {
      v.unknownInstructions().forEach((k, n) -> all.merge(k, n.get(), Integer::sum));
    }
    return all;
  }

  @Override
  public void close() {
    if (compiler != null) {
      compiler.close();
    }
  }
}
