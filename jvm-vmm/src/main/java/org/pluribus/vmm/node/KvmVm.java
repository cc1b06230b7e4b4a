package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.HostProfile;
import org.pluribus.kvm.Kvm;
import org.pluribus.kvm.KvmCap;
import org.pluribus.kvm.MsrFilterRange;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.kvm.VmFd;
import org.pluribus.posix.HostTsc;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;
import org.pluribus.posix.PosixException;
import org.pluribus.posix.ThreadSlice;
import org.pluribus.vmm.emulator.CpuFeature;
import org.pluribus.vmm.emulator.CpuidTable;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.memory.RamRange;
import org.pluribus.vmm.time.GuestClock;
import org.pluribus.vmm.time.HostClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node whose vCPUs the processor executes, through {@code /dev/kvm} of a stock kernel. Guest RAM
 * is guarded by userfaultfd ({@link UffdPageRights}); one thread of the node, the fault thread,
 * takes the guest's page faults and runs the duty cycle meanwhile.
 *
 * <p>No in-kernel interrupt controller: interrupts between nodes have to pass through us (KVM
 * api.rst, KVM_CREATE_IRQCHIP).
 */
public final class KvmVm implements VmBackend {
  private static final Logger LOG = LoggerFactory.getLogger(KvmVm.class);

  /** What options and reports call it. */
  public static final String NAME = "kvm";

  /** Intel hosts want three free pages and one more below 4 GiB (api.rst, KVM_SET_TSS_ADDR). */
  private static final long TSS_ADDRESS = 0xFFFB_D000L;

  private static final long IDENTITY_MAP_ADDRESS = 0xFFFB_C000L;

  /** IA32_APIC_BASE and IA32_TSC_DEADLINE: the APICs are ours, so these have to exit. */
  private static final int MSR_APIC_BASE = 0x1B;

  private static final int MSR_TSC_DEADLINE = 0x6E0;

  private static final long KILO = 1_000;
  private static final long NANOS_PER_MICRO = 1_000;

  /** Time slice of the fault thread, the shortest there is. */
  private static final long SLICE_NANOS = 100_000;

  /** A wait for the fault thread's end. */
  private static final long JOIN_MILLIS = 5_000;

  /** Clocks of two nodes that differ by less are as equal as can be measured, ticks. */
  private static final long TOLERATED_TICKS = 2_000;

  private final GuestRamLayout layout;
  private final Kvm kvm;
  private final VmFd vm;
  private final UffdPageRights rights;
  private final HostProfile profile;
  private final HostClock clock;
  private final boolean scaled;
  private final long hostTscHz;
  private final List<KvmVcpu> vcpus = new ArrayList<>();
  private volatile long tscOffset;

  /** What the kernel says the guest's counter is ahead of the host's. */
  private volatile long givenTscOffset;

  private volatile boolean stopping;
  private @Nullable Thread faultThread;

  /**
   * @param alias the RAM image as Java sees it
   * @param tscHz frequency of the guest's TSC on every node
   * @throws UnfitHostException naming what this host lacks or refuses
   */
  public static KvmVm create(
      GuestRamLayout layout, Memfd ram, Mapping alias, HostProfile profile, long tscHz) {
    try {
      return new KvmVm(layout, ram, alias, profile, tscHz);
    } catch (PosixException | UnsupportedOperationException e) {
      throw new UnfitHostException(e);
    }
  }

  private KvmVm(GuestRamLayout layout, Memfd ram, Mapping alias, HostProfile profile, long tscHz) {
    this.layout = layout;
    this.profile = profile;
    kvm = Kvm.open();
    hostTscHz = hostTscHz(kvm);
    scaled = hostTscHz != tscHz;
    if (scaled && !kvm.has(KvmCap.TSC_CONTROL)) {
      kvm.close();
      throw new UnfitHostException(
          "this host's TSC runs at %d Hz and cannot be scaled to the machine's %d Hz; give the cluster file tscHz: %d, or run this node with vmi: emulator"
              .formatted(hostTscHz, tscHz, hostTscHz));
    }
    LongSupplier nanos = HostClock.nanosOf(HostTsc::read, hostTscHz);
    clock = new HostClock(nanos, tscHz);
    vm = kvm.createVm();
    UseTime use = new UseTime(profile.holdMicros() * NANOS_PER_MICRO, profile.bounceFactor());
    rights = new UffdPageRights(ram, alias, use, clock::nanos);
    vm.setTssAddress(TSS_ADDRESS);
    vm.setIdentityMapAddress(IDENTITY_MAP_ADDRESS);
    vm.enableCap(
        KvmCap.X86_USER_SPACE_MSR,
        VmFd.MSR_EXIT_INVALID | VmFd.MSR_EXIT_UNKNOWN | VmFd.MSR_EXIT_FILTERED);
    vm.setMsrFilter(
        true,
        List.of(MsrFilterRange.deny(MSR_APIC_BASE, 1), MsrFilterRange.deny(MSR_TSC_DEADLINE, 1)));
    int slot = 0;
    for (RamRange r : layout.ranges()) {
      long host = rights.viewAddress() + layout.ramOffset(r.start());
      vm.setUserMemoryRegion(slot++, 0, r.start(), r.length(), host);
    }
  }

  /**
   * What all nodes have to do without when this host is one of them.
   *
   * @throws UnfitHostException when there is no usable /dev/kvm
   */
  public static Set<CpuFeature> lackingHere() {
    try (Kvm kvm = Kvm.open()) {
      return KvmCpuid.lacking(kvm);
    } catch (PosixException e) {
      throw new UnfitHostException(e);
    }
  }

  /**
   * The TSC frequency a machine with this host in it should have.
   *
   * @throws UnfitHostException when there is no usable /dev/kvm
   */
  public static long tscHzHere() {
    try (Kvm kvm = Kvm.open()) {
      return kvm.has(KvmCap.TSC_CONTROL) ? GuestClock.STANDARD_TSC_HZ : hostTscHz(kvm);
    } catch (PosixException e) {
      throw new UnfitHostException(e);
    }
  }

  private static long hostTscHz(Kvm kvm) {
    try (VmFd vm = kvm.createVm();
        VcpuFd vcpu = vm.createVcpu(0)) {
      return vcpu.tscKhz() * KILO;
    }
  }

  /** The clock of a node of this kind. */
  public HostClock clock() {
    return clock;
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
    String lacking =
        KvmCpuid.lacking(kvm).stream()
            .filter(cpuid::has)
            .map(CpuFeature::flag)
            .collect(Collectors.joining(", "));
    if (!lacking.isEmpty()) {
      throw new UnfitHostException(
          "this host's KVM has no %s, which the machine's CPUs promise; give the cluster file withoutCpuFeatures: [%s], or run this node with vmi: emulator"
              .formatted(lacking, lacking));
    }
    VcpuFd fd = vm.createVcpu(apicId);
    if (scaled) {
      fd.setTscKhz((int) (clock.tscHz() / KILO));
    }
    KvmVcpu made = new KvmVcpu(vcpu, this, fd, cpuid, vm.xsaveBytes());
    vcpus.add(made);
    rights.add(made);
    return made;
  }

  /** Where the guest's RAM is. */
  GuestRamLayout layout() {
    return layout;
  }

  // ---- time

  /** What to add to the host's counter, scaled, to get the guest's. Any thread. */
  long tscOffset() {
    return tscOffset;
  }

  /** A vCPU has got this offset, which need not be the one we asked for. */
  void givenTscOffset(long ticks) {
    givenTscOffset = ticks;
  }

  @Override
  public long guestTsc() {
    return scaledHostTsc() + givenTscOffset;
  }

  @Override
  public void clockChanged() {
    long wanted = clock.tsc() - scaledHostTsc();
    // Forward only: a guest's counter never goes back.
    if (wanted - tscOffset > TOLERATED_TICKS) {
      tscOffset = wanted;
      vcpus.forEach(KvmVcpu::kick);
    }
  }

  private long scaledHostTsc() {
    long ticks = HostTsc.read();
    return scaled ? HostClock.convert(ticks, hostTscHz, clock.tscHz()) : ticks;
  }

  // ---- faults

  @Override
  public void start(PluribusNode node) {
    tscOffset = clock.tsc() - scaledHostTsc();
    rights.faultLog(node.faultLog());
    Thread t = new Thread(() -> serveFaults(node), "faults-" + node.id());
    t.setDaemon(true);
    faultThread = t;
    node.dutyThreadStarts(t);
    t.start();
  }

  private void serveFaults(PluribusNode node) {
    VcpuFaults.Fetch fetch = node::prefetch;
    try (DutyWait wait = new DutyWait(profile, rights.fd(), node.transport().descriptors())) {
      goFirst(wait.sleepsAtOnce());
      while (!stopping) {
        int work = (wait.maybeFaults() ? takeFaults(node, fetch) : 0) + node.tryDuty();
        if (work > 0) {
          wait.reset();
        }
        // Messages that a turn left behind wake nobody.
        if (work < PluribusNode.POLL_LIMIT
            && wait.idle(node.nextDeadline())
            && !node.token().oweTurn()) {
          wait.letOthers();
        }
      }
    } catch (RuntimeException e) {
      if (!stopping) {
        LOG.error("the fault thread of node {} failed", node.id(), e);
        node.fail("page faults cannot be served: " + e.getMessage());
      }
    }
  }

  /**
   * vCPUs compute; this thread sleeps, and is waited for when it wakes.
   *
   * @param inAnyCase whether even before vCPUs that have had less time: only for a thread that
   *     never waits awake, as these could not use its core then
   */
  private static void goFirst(boolean inAnyCase) {
    int refused = inAnyCase ? ThreadSlice.requestFirst(SLICE_NANOS) : -1;
    if (refused < 0) {
      refused = ThreadSlice.request(SLICE_NANOS);
    }
    if (refused < 0) {
      LOG.debug("no short time slices for the fault thread: errno {}", -refused);
    }
  }

  private int takeFaults(PluribusNode node, VcpuFaults.Fetch fetch) {
    int count = rights.takeFaults();
    if (count == 0) {
      return 0;
    }
    FaultLog log = node.faultLog();
    long event = log.now();
    long now = System.nanoTime();
    node.token().take();
    try {
      for (int i = 0; i < count; i++) {
        long page = rights.faultPage(i);
        boolean write = rights.faultWrites(i);
        if (rights.suffices(page, write)) {
          rights.repair(page);
        } else {
          log.began(page, write, event);
          rights.began(i, now);
          node.fault(page, write);
          rights.companions(i, fetch);
        }
      }
      node.duty();
    } finally {
      node.token().release();
    }
    return count;
  }

  @Override
  public void stop() {
    stopping = true;
    vcpus.forEach(KvmVcpu::kick);
    // A vCPU may sit in a fault that nobody will serve now, and a kick does not reach it there.
    rights.end();
  }

  @Override
  public Histogram latency() {
    return rights.latency();
  }

  @Override
  public Map<String, Integer> unknownInstructions() {
    return Map.of();
  }

  @Override
  public void close() {
    stop();
    Thread t = faultThread;
    if (t != null) {
      try {
        t.join(JOIN_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    vcpus.forEach(KvmVcpu::close);
    vm.close();
    kvm.close();
    rights.close();
  }
}
