package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.pluribus.hw.HostProfile;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.vmm.apic.ExtIntSource;
import org.pluribus.vmm.apic.IpiMessage;
import org.pluribus.vmm.apic.IpiRouter;
import org.pluribus.vmm.apic.LocalApic;
import org.pluribus.vmm.bus.Bus;
import org.pluribus.vmm.bus.BusDevice;
import org.pluribus.vmm.emulator.CpuFeature;
import org.pluribus.vmm.emulator.CpuidConfig;
import org.pluribus.vmm.emulator.CpuidTable;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.time.HostClock;
import org.pluribus.vmm.time.TimerQueue;

/**
 * A node with one vCPU of either kind, which the test's own thread runs, a piece at a time. The
 * guest ends a piece by writing to {@link #END_PORT}; both that and {@link #interrupt} stop it by
 * an INIT that the machine then never serves.
 */
final class OneVcpu implements AutoCloseable {
  /** A guest that writes here has come to its end. */
  static final int END_PORT = 0xF4;

  static final long RAM_BYTES = 16L << 20;

  private static final String DEVICE = "/dev/kvm";
  private static final long HOLD_NANOS = 20_000;

  /** What executes the instructions. */
  enum Kind {
    KVM,
    EMULATOR;

    Kind other() {
      return this == KVM ? EMULATOR : KVM;
    }
  }

  final Kind kind;
  private final LoopbackNode loopback;
  private final VmBackend vm;
  private final VcpuThread thread;
  private final TimerQueue timers;
  private volatile boolean ended;

  OneVcpu(Kind kind) throws InterruptedException {
    this.kind = kind;
    GuestRamLayout layout = GuestRamLayout.of(RAM_BYTES, 1);
    HostProfile profile = HostProfile.load("single-host");
    long tscHz = kvmExists() ? KvmVm.tscHzHere() : CpuidConfig.STANDARD_TSC_HZ;
    Set<CpuFeature> without = kvmExists() ? KvmVm.lackingHere() : Set.of();
    VmBackend[] made = new VmBackend[1];
    loopback =
        new LoopbackNode(
            0,
            layout,
            new LoopbackCluster(1),
            VmKey.random(),
            (image, alias) -> {
              made[0] =
                  kind == Kind.KVM
                      ? KvmVm.create(layout, image, alias, profile, tscHz)
                      : new EmulatedVm(layout, profile, new HostClock());
              return made[0].rights();
            },
            HOLD_NANOS);
    loopback.awaitConnected();
    vm = made[0];
    PluribusNode node = loopback.node;
    Bus ports = Bus.ports();
    ports.attach(END_PORT, 1, new EndPort());
    DeviceAccess devices = new DeviceAccess(node, 1, ports, Bus.mmio());
    IpiRouter router = new IpiRouter(0, 1, new int[] {0}, 0, node.messages());
    timers = new TimerQueue(new HostClock());
    CpuidTable cpuid = new CpuidTable(new CpuidConfig(0, 0, 1, tscHz, without));
    thread =
        new VcpuThread(
            0,
            node,
            profile,
            signal -> new LocalApic(0, true, timers, router, new NoExtInt(), signal),
            devices,
            vcpu -> vm.makeVcpu(vcpu, 0, cpuid),
            () -> node.fail("triple fault"));
    node.vcpus(new VcpuThread[] {thread});
    vm.start(node);
  }

  private static boolean kvmExists() {
    return Files.exists(Path.of(DEVICE));
  }

  /** Skips the test, and says why, where there is no KVM. */
  static void assumeKvm() {
    if (!kvmExists()) {
      System.err.println("SKIPPED: " + DEVICE + " does not exist");
    }
    Assumptions.assumeTrue(kvmExists(), DEVICE + " does not exist");
  }

  /** Where the guest says that it is done. */
  private final class EndPort implements BusDevice {
    @Override
    public long read(long offset, int size) {
      return -1;
    }

    @Override
    public void write(long offset, int size, long value) {
      ended = true;
      interrupt();
    }
  }

  private static final class NoExtInt implements ExtIntSource {
    @Override
    public boolean intr() {
      return false;
    }

    @Override
    public int acknowledgeInterrupt() {
      throw new IllegalStateException("no 8259 here");
    }
  }

  /** Makes {@link #run} return soon. Any thread. */
  void interrupt() {
    thread.apic().accept(IpiMessage.INIT, 0, false);
    thread.kick();
  }

  /** Forgets an {@link #interrupt} that came when the guest had stopped already. */
  void forgetInterrupt() {
    thread.apic().takeInit();
  }

  LocalApic apic() {
    return thread.apic();
  }

  VcpuState state() {
    return thread.backend().capture();
  }

  void state(VcpuState state) {
    thread.backend().restore(state);
  }

  /** Runs until the guest ends or is interrupted; true when it came to its end. */
  boolean run() {
    ended = false;
    try {
      thread.backend().run();
    } catch (VcpuStopped stopped) {
      assertThat(loopback.node.failureReason()).as("%s", kind).isNull();
    }
    thread.backend().quiet();
    assertThat(loopback.node.failureReason()).as("%s", kind).isNull();
    return ended;
  }

  void write(long gpa, byte... bytes) {
    loopback.memory.writeBytes(gpa, bytes);
  }

  void writeLong(long gpa, long value) {
    loopback.memory.writeLong(gpa, value);
  }

  byte[] read(long gpa, int length) {
    byte[] bytes = new byte[length];
    loopback.memory.read(gpa, MemorySegment.ofArray(bytes));
    return bytes;
  }

  @Override
  public void close() throws InterruptedException {
    loopback.node.stop();
    vm.stop();
    thread.backend().close();
    vm.close();
    loopback.close();
    timers.close();
  }
}
