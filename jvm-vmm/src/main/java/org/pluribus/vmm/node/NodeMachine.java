package org.pluribus.vmm.node;

import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.HostProfile;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.IpiMessage;
import org.pluribus.vmm.acpi.VcpuPlacement;
import org.pluribus.vmm.apic.ExtIntSource;
import org.pluribus.vmm.apic.InterruptLines;
import org.pluribus.vmm.apic.IoApic;
import org.pluribus.vmm.apic.IpiRouter;
import org.pluribus.vmm.apic.LocalApic;
import org.pluribus.vmm.apic.Pic8259;
import org.pluribus.vmm.bus.Bus;
import org.pluribus.vmm.devices.ByteOutput;
import org.pluribus.vmm.devices.MachineControl;
import org.pluribus.vmm.devices.PlatformDevices;
import org.pluribus.vmm.devices.PortMap;
import org.pluribus.vmm.emulator.CpuFeature;
import org.pluribus.vmm.emulator.CpuModel;
import org.pluribus.vmm.emulator.CpuidConfig;
import org.pluribus.vmm.emulator.CpuidTable;
import org.pluribus.vmm.loader.EntryState;
import org.pluribus.vmm.memory.AddressMap;
import org.pluribus.vmm.time.HostClock;
import org.pluribus.vmm.time.Pit8254;
import org.pluribus.vmm.time.TimerQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's part of the machine: its vCPUs with their APICs and timers, and, on {@link
 * DeviceAccess#DEVICE_NODE}, the devices.
 */
public final class NodeMachine implements AutoCloseable {
  /** I/O ports of the legacy chips (PC/AT; ELCR: EISA). */
  private static final int PIC_MASTER = 0x20;

  private static final int PIC_SLAVE = 0xA0;
  private static final int PIC_EDGE_LEVEL = 0x4D0;
  private static final int PIT = 0x40;
  private static final int SYSTEM_CONTROL_B = 0x61;

  private static final Logger LOG = LoggerFactory.getLogger(NodeMachine.class);

  private final PluribusNode node;
  private final VmBackend vm;
  private final HostClock clock;
  private final TimerQueue timers;
  private final IpiRouter router;
  private final DeviceAccess devices;
  private final @Nullable PlatformDevices platform;
  private final VcpuThread[] vcpus;

  /** A machine whose CPUs say that they execute in order. */
  public NodeMachine(
      PluribusNode node,
      VmBackend vm,
      HostClock clock,
      HostProfile profile,
      List<VcpuPlacement> all,
      int apicIdBits,
      int packageBits,
      Set<CpuFeature> withoutFeatures,
      MachineControl control,
      IntConsumer tripleFault,
      ByteOutput console) {
    this(
        node,
        vm,
        clock,
        profile,
        all,
        apicIdBits,
        packageBits,
        withoutFeatures,
        CpuModel.IN_ORDER,
        control,
        tripleFault,
        console);
  }

  /**
   * @param vm makes the vCPUs
   * @param clock this node's view of the machine's time
   * @param profile how patient the vCPU threads are
   * @param all all vCPUs of the machine
   * @param apicIdBits bits of an APIC id that number the vCPUs of a node
   * @param packageBits bits of an APIC id below the package number
   * @param withoutFeatures what the machine's CPUs do not promise
   * @param model which processor they say they are
   * @param console gets the serial console's output on the device node
   */
  public NodeMachine(
      PluribusNode node,
      VmBackend vm,
      HostClock clock,
      HostProfile profile,
      List<VcpuPlacement> all,
      int apicIdBits,
      int packageBits,
      Set<CpuFeature> withoutFeatures,
      CpuModel model,
      MachineControl control,
      IntConsumer tripleFault,
      ByteOutput console) {
    this.node = node;
    this.vm = vm;
    this.clock = clock;
    timers = new TimerQueue(clock);
    router = makeRouter(node, all);
    ExtIntSource extInt = new NoExtInt();
    if (node.id() == DeviceAccess.DEVICE_NODE) {
      Pic8259 pic = new Pic8259();
      IoApic ioApic = new IoApic(0, router);
      InterruptLines lines = new InterruptLines(pic, ioApic);
      Bus ports = Bus.ports();
      Bus mmio = Bus.mmio();
      mmio.attach(AddressMap.IOAPIC_BASE, AddressMap.IOAPIC_SIZE, ioApic);
      attachLegacy(ports, pic, new Pit8254(timers, lines.isa(0)));
      platform =
          PlatformDevices.create(
              control,
              console,
              lines.isa(PortMap.COM1_IRQ),
              lines.isa(PortMap.ACPI_SCI_IRQ),
              InstantSource.system(),
              clock::nanos);
      platform.attachTo(ports);
      devices = new DeviceAccess(node, all.size(), ports, mmio);
      extInt = pic;
    } else {
      platform = null;
      devices = new DeviceAccess(node, all.size(), null, null);
    }
    vcpus =
        makeVcpus(
            profile, all, apicIdBits, packageBits, withoutFeatures, model, extInt, tripleFault);
    node.vcpus(vcpus);
    if (extInt instanceof Pic8259 pic) {
      pic.connectIntr(this::extIntChanged);
    }
  }

  private VcpuThread[] makeVcpus(
      HostProfile profile,
      List<VcpuPlacement> all,
      int apicIdBits,
      int packageBits,
      Set<CpuFeature> withoutFeatures,
      CpuModel model,
      ExtIntSource extInt,
      IntConsumer tripleFault) {
    java.util.ArrayList<VcpuThread> mine = new java.util.ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      VcpuPlacement p = all.get(i);
      if (p.node() != node.id()) {
        continue;
      }
      int index = i;
      int cores =
          (int) all.stream().filter(o -> (o.apicId() ^ p.apicId()) >>> packageBits == 0).count();
      CpuidTable cpuid =
          new CpuidTable(
              new CpuidConfig(
                  p.apicId(),
                  apicIdBits,
                  packageBits,
                  cores,
                  clock.tscHz(),
                  withoutFeatures,
                  model));
      mine.add(
          new VcpuThread(
              index,
              node,
              profile,
              signal ->
                  new LocalApic(
                      p.apicId(),
                      index == 0,
                      timers,
                      router,
                      index == 0 ? extInt : new NoExtInt(),
                      signal),
              devices,
              thread -> vm.makeVcpu(thread, p.apicId(), cpuid),
              () -> tripleFault.accept(index)));
    }
    return mine.toArray(VcpuThread[]::new);
  }

  private static IpiRouter makeRouter(PluribusNode node, List<VcpuPlacement> all) {
    int highest = all.stream().mapToInt(VcpuPlacement::apicId).max().orElse(0);
    int[] nodeOf = new int[highest + 1];
    java.util.Arrays.fill(nodeOf, -1);
    for (VcpuPlacement p : all) {
      nodeOf[p.apicId()] = p.node();
    }
    return new IpiRouter(
        node.id(), node.layout().nodeCount(), nodeOf, DeviceAccess.DEVICE_NODE, node.messages());
  }

  /** The timer and interrupt controllers at their PC/AT ports. */
  private static void attachLegacy(Bus ports, Pic8259 pic, Pit8254 pit) {
    ports.attach(PIC_MASTER, 2, pic.masterPorts());
    ports.attach(PIC_SLAVE, 2, pic.slavePorts());
    ports.attach(PIC_EDGE_LEVEL, 2, pic.edgeLevelPorts());
    ports.attach(PIT, 4, pit.ports());
    ports.attach(SYSTEM_CONTROL_B, 1, pit.systemControlPort());
  }

  private void extIntChanged(boolean level) {
    vcpus[0].apic().lint(LocalApic.LINT0, level);
  }

  /** Nodes without the 8259 pair. */
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

  public HostClock clock() {
    return clock;
  }

  /** Moves this node's clock towards node 0's: see {@link HostClock#adjust}. */
  public void adjustClock(long aheadNanos) {
    clock.adjust(aheadNanos);
    vm.clockChanged();
  }

  public IpiRouter router() {
    return router;
  }

  public int vcpuCount() {
    return vcpus.length;
  }

  /** Gives a byte to the guest's serial console. Any thread. */
  public boolean type(byte value) {
    return platform != null && platform.uart().receive(value);
  }

  public void startTimers() {
    timers.start("timers-" + node.id());
  }

  /** Sets the boot vCPU's registers. Before {@link #startVcpus}. */
  public void enter(EntryState state) {
    vcpus[0].enter(state);
  }

  public void startVcpus() {
    vm.start(node);
    for (VcpuThread v : vcpus) {
      v.start();
    }
  }

  /** A line per vCPU: where it is. Any thread. */
  public List<String> describeVcpus() {
    return java.util.Arrays.stream(vcpus).map(VcpuThread::describe).toList();
  }

  /** Stops the vCPUs and waits for their threads, for a bounded time. */
  public void stopVcpus(long millis) throws InterruptedException {
    node.stop();
    vm.stop();
    long deadline = System.nanoTime() + millis * 1_000_000;
    for (VcpuThread v : vcpus) {
      if (!v.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000))) {
        LOG.warn("{} does not stop", v.describe());
      }
    }
  }

  /** Instructions all vCPUs of this node executed. */
  public long instructions() {
    long n = 0;
    for (VcpuThread v : vcpus) {
      n += v.backend().instructions();
    }
    return n;
  }

  /** Latencies of this node's page faults, nanoseconds. */
  public Histogram latency() {
    return vm.latency();
  }

  /** Times of this node's latest page faults, or null if it keeps none. After the vCPUs' end. */
  public @Nullable FaultRecords faultRecords() {
    FaultLog log = node.faultLog();
    return log.isOn() ? log.records(node.layout(), clock.tscHz()) : null;
  }

  /** Unknown instructions by their bytes. */
  public Map<String, Integer> unknownInstructions() {
    return vm.unknownInstructions();
  }

  /** What runs the vCPUs: {@link VmBackend#name}. */
  public String vmi() {
    return vm.name();
  }

  // ---- from peers; duty token

  public void onIpi(IpiMessage ipi) {
    router.receive(RemoteIpis.decode(ipi));
  }

  public void onEoi(int vector) {
    router.receiveEoi(vector);
  }

  public void onBusRequest(int from, BusRequest request) {
    devices.onRequest(from, request);
  }

  public void onBusReply(long id, long value, BusStatus status) {
    devices.onReply(id, value, status);
  }

  @Override
  public void close() {
    timers.close();
    for (VcpuThread v : vcpus) {
      v.backend().close();
    }
  }
}
