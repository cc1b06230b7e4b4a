package org.pluribus.vmm.control;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.HostProfile;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportException;
import org.pluribus.vmm.acpi.AcpiTables;
import org.pluribus.vmm.emulator.CpuModel;
import org.pluribus.vmm.loader.BadImageException;
import org.pluribus.vmm.loader.BootOptions;
import org.pluribus.vmm.loader.EntryState;
import org.pluribus.vmm.loader.KernelImage;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.node.EmulatedVm;
import org.pluribus.vmm.node.FaultLog;
import org.pluribus.vmm.node.KvmCpuModel;
import org.pluribus.vmm.node.KvmVm;
import org.pluribus.vmm.node.MirrorBudget;
import org.pluribus.vmm.node.NativeTwins;
import org.pluribus.vmm.node.NodeMachine;
import org.pluribus.vmm.node.NodeMemory;
import org.pluribus.vmm.node.PluribusNode;
import org.pluribus.vmm.node.VcpuStopped;
import org.pluribus.vmm.node.VmBackend;
import org.pluribus.vmm.time.HostClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One node from connecting to its peers to the final report. {@link #run} is the node's life, on
 * the calling thread, which also looks after the node while its vCPUs run.
 */
public final class NodeRuntime implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeRuntime.class);

  /** How long nodes wait for each other to start. */
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(60);

  /** How long a ready node waits for the start: node 0 loads the kernel meanwhile. */
  private static final long START_TIMEOUT_NANOS = Duration.ofSeconds(120).toNanos();

  /** How long node 0 waits for the others' final reports, and vCPU threads for their end. */
  private static final long STOP_TIMEOUT_MILLIS = 5_000;

  /** Looks of the node's thread while its vCPUs poll for themselves. */
  private static final long WATCH_MILLIS = 1;

  /** Looks of the node's thread while a thread of the node runs the duty cycle. */
  private static final long LOOK_MILLIS = 10;

  /** After a panic the guest has this long to reset by itself. */
  private static final long PANIC_GRACE_NANOS = Duration.ofSeconds(3).toNanos();

  private static final long NANOS_PER_MICRO = 1_000;

  private static final int RNG_SEED_BYTES = 32;

  /** Linux, Documentation/admin-guide/kernel-parameters.txt; since 5.11. */
  private static final String TSC_FREQUENCY = "tsc_early_khz=";

  private static final long HZ_PER_KHZ = 1_000;

  private final ClusterConfig config;
  private final int self;
  private final Transport transport;
  private final ConsoleWatcher console;
  private final MachineEnd end = new MachineEnd();
  private final GuestRamLayout layout;
  private final Memfd memfd;
  private final Mapping ram;
  private final MirrorBudget budget;
  private final NativeTwins twins;
  private final VmBackend vm;
  private final PluribusNode node;
  private final NodeMemory memory;
  private final NodeMachine machine;
  private final NodePeers peers;
  private Runnable onStart = () -> {};
  private long startedNanos;
  private volatile boolean connected;

  /**
   * Sets the node up; nothing runs yet.
   *
   * @param consoleOut where node 0 writes the guest's console
   */
  public NodeRuntime(ClusterConfig config, int self, Transport transport, OutputStream consoleOut) {
    this(config, self, transport, consoleOut, NodeRam.create(config, self));
  }

  /** A node whose memory is there already. It becomes the node's, to be closed with it. */
  NodeRuntime(
      ClusterConfig config, int self, Transport transport, OutputStream consoleOut, NodeRam given) {
    this.config = config;
    this.self = self;
    this.transport = transport;
    checkCpuModel();
    layout = config.layout();
    HostProfile profile = HostProfile.load(config.profileName());
    memfd = given.file();
    ram = given.mapping();
    budget = new MirrorBudget(memfd, layout, self, MirrorSize.bytesOf(config, self));
    transport.shareMemory(ram.address(), layout.ramSize());
    HostClock clock;
    long holdNanos = profile.holdMicros() * NANOS_PER_MICRO;
    if (config.node(self).underKvm()) {
      KvmVm kvm = KvmVm.create(layout, memfd, ram, profile, config.guestTscHz());
      clock = kvm.clock();
      vm = kvm;
      holdNanos = 0; // its rights know better which page a vCPU needs, and for how long
    } else {
      clock = new HostClock(System::nanoTime, config.guestTscHz());
      vm = new EmulatedVm(layout, profile, clock);
    }
    twins = NativeTwins.of(ram.segment(), config.deltaMode());
    node =
        new PluribusNode(
            self,
            layout,
            ram.address(),
            transport,
            vm.rights(),
            new PluribusNode.Policy(holdNanos, config.deltaMode(), twins, budget));
    if (config.keepsFaultTimes()) {
      node.faultLog(new FaultLog(vm::guestTsc));
    }
    memory = new NodeMemory(node, ram.segment(), profile);
    console = new ConsoleWatcher(consoleOut, end);
    machine =
        new NodeMachine(
            node,
            vm,
            clock,
            profile,
            config.vcpus(),
            config.apicIdBits(),
            config.packageBits(),
            config.withoutFeatures(),
            config.model(),
            end,
            end::tripleFault,
            console);
    peers = new NodePeers(node, machine, config.nodes().size(), end);
  }

  /** A guest that takes this host's processor for another leaves out mitigations it needs. */
  private void checkCpuModel() {
    if (config.cpuModel() != null) {
      KvmCpuModel.require(config.model());
    } else if (config.nodes().stream().allMatch(ClusterConfig.Node::underKvm)) {
      CpuModel here = KvmCpuModel.here();
      if (here != null) {
        LOG.warn(
            "the guest is told of a processor without speculation flaws and takes no measures against"
                + " them; add to the cluster file: cpuModel: {}",
            here.text());
      }
    }
  }

  /** Ends the machine from outside: a timeout, Ctrl-C. Any thread. */
  public void end(int exitCode, String reason) {
    end.end(exitCode, reason);
  }

  /** Whether the peers have been found: before that there is nothing to stop. Any thread. */
  boolean isConnected() {
    return connected;
  }

  /** A peer's process is gone: unless the machine has ended, that is its end. Any thread. */
  public void peerEnded(int peer, String reason) {
    peers.gone(peer);
    end.end(Outcome.NODE_FAILURE, reason);
    transport.abandon(reason);
  }

  /** Gives a byte of console input to the guest; false when its queue is full. Any thread. */
  public boolean type(byte value) {
    return machine.type(value);
  }

  /** Nanoseconds from the first instruction until the kernel started init; -1 when it did not. */
  public long bootNanos() {
    long at = console.initStartedNanos();
    return at == 0 ? -1 : at - startedNanos;
  }

  /** What other nodes reported, by node id, as JSON; null where none came. Node 0, after run. */
  public AtomicReferenceArray<byte @Nullable []> peerReports() {
    return peers.reports();
  }

  /** This node's own report. After run. */
  public NodeReport report() {
    budget.sample();
    return NodeReport.of(node, machine, transport, budget, startedNanos);
  }

  /** What to do right before the guest's first instruction; before run. */
  void onStart(Runnable action) {
    onStart = action;
  }

  /** Lives the node's life; returns how the machine ended. */
  public Outcome run() throws BadImageException, IOException, InterruptedException {
    return run(CONNECT_TIMEOUT);
  }

  /** {@link #run()} for peers that are there within {@code connectTimeout}. */
  public Outcome run(Duration connectTimeout)
      throws BadImageException, IOException, InterruptedException {
    try {
      transport.connect(peers, connectTimeout);
    } catch (TransportException e) {
      Outcome early = end.outcome();
      if (early == null) {
        throw e;
      }
      return early; // a node's process has failed, or we were told to end
    }
    connected = true;
    machine.startTimers();
    Outcome early = self == 0 ? startAsFirst() : startAsOther();
    if (early == null) {
      onStart.run();
      startedNanos = System.nanoTime();
      machine.startVcpus();
      watch();
    }
    return stop();
  }

  private @Nullable Outcome startAsFirst()
      throws BadImageException, IOException, InterruptedException {
    EntryState entry;
    // Who loads waits for pages of other nodes, and would for ever once they are lost.
    end.whenEnded(node::stop);
    try {
      entry = loadKernel();
    } catch (VcpuStopped stopped) {
      noteFailure();
      return end.outcome();
    } catch (BadImageException | IOException e) {
      end.end(Outcome.BAD_INPUT, "node 0 could not load the kernel: " + e.getMessage());
      stop();
      throw e;
    }
    end.whenEnded(() -> {});
    machine.enter(entry);
    awaitPeers(peers::allReady, "to be ready");
    peers.broadcast(LifecycleKind.START, 0, "");
    return end.outcome();
  }

  private EntryState loadKernel() throws BadImageException, IOException {
    KernelImage image = KernelImage.detect(Path.of(config.kernel()));
    LOG.info("loading {} into {}", image.describe(), layout);
    long rsdp = AcpiTables.write(memory, config.vcpus(), layout, List.of());
    byte[] seed = new byte[RNG_SEED_BYTES];
    new SecureRandom().nextBytes(seed);
    List<Path> initrds = config.initrd() == null ? List.of() : List.of(Path.of(config.initrd()));
    return image.load(memory, layout, new BootOptions(append(), initrds, rsdp, seed, farCpus()));
  }

  /**
   * The guest's command line. On other processors than Intel's, Linux does not believe CPUID leaf
   * 0x15 and would count the TSC against a timer that exits to us, so it is told the frequency.
   */
  private String append() {
    String append = config.append() == null ? "" : config.append();
    boolean told = config.model().isIntel() || append.contains(TSC_FREQUENCY);
    return told ? append : append + " " + TSC_FREQUENCY + config.guestTscHz() / HZ_PER_KHZ;
  }

  /** The CPUs of other nodes than ours, the first; Linux numbers CPUs as the nodes are numbered. */
  private String farCpus() {
    int first = config.node(self).cpus();
    int last = config.vcpus().size() - 1;
    return first > last ? "" : first + "-" + last;
  }

  private @Nullable Outcome startAsOther() throws InterruptedException {
    peers.synchroniseClock(machine.clock());
    peers.sendReady();
    awaitPeers(peers::started, "to start the machine");
    return end.outcome();
  }

  private void awaitPeers(java.util.function.BooleanSupplier condition, String what)
      throws InterruptedException {
    long deadline = System.nanoTime() + START_TIMEOUT_NANOS;
    while (!condition.getAsBoolean() && end.outcome() == null) {
      if (System.nanoTime() - deadline > 0) {
        end.end(Outcome.NODE_FAILURE, "node " + self + " waited too long for its peers " + what);
        return;
      }
      noteFailure();
      if (node.tryDuty() == 0) {
        Thread.sleep(WATCH_MILLIS);
      }
    }
  }

  /** If this node cannot go on, the machine can't. */
  private void noteFailure() {
    String failure = node.failureReason();
    if (failure != null) {
      end.end(Outcome.NODE_FAILURE, "node " + self + ": " + failure);
    }
  }

  /** Looks after the node while its vCPUs run. */
  private void watch() throws InterruptedException {
    long panicNanos = 0;
    while (end.await(node.hasDutyThread() ? LOOK_MILLIS : WATCH_MILLIS) == null) {
      if (!node.hasDutyThread()) {
        node.tryDuty();
      }
      budget.sample();
      console.flush();
      peers.tickClock(machine.clock());
      noteFailure();
      if (end.hasPanicked()) {
        panicNanos = panicNanos == 0 ? System.nanoTime() : panicNanos;
        if (System.nanoTime() - panicNanos > PANIC_GRACE_NANOS) {
          end.end(Outcome.GUEST_FAILURE, "the guest's kernel panicked");
        }
      }
    }
  }

  private Outcome stop() throws InterruptedException {
    Outcome outcome = end.await(0);
    if (outcome == null) {
      throw new IllegalStateException("stopping without a reason");
    }
    console.flush();
    boolean hung = outcome.exitCode() == Outcome.TIMEOUT;
    for (String line : machine.describeVcpus()) {
      LOG.atLevel(hung ? Level.WARN : Level.INFO).log("at the end: {}", line);
    }
    peers.broadcast(LifecycleKind.STOP, outcome.exitCode(), outcome.reason());
    machine.stopVcpus(STOP_TIMEOUT_MILLIS);
    exchangeReports();
    return outcome;
  }

  private void exchangeReports() throws InterruptedException {
    if (self != 0) {
      peers.sendReport(report().toJson());
    }
    long deadline = System.nanoTime() + STOP_TIMEOUT_MILLIS * 1_000_000;
    while (!(self == 0 ? peers.allReported() : peers.byeFrom(0))
        && System.nanoTime() - deadline < 0) {
      if (node.tryDuty() == 0) {
        Thread.sleep(WATCH_MILLIS);
      }
    }
    peers.broadcast(LifecycleKind.BYE, 0, "");
  }

  @Override
  public void close() {
    machine.close();
    vm.close();
    transport.close();
    twins.close();
    ram.close();
    memfd.close();
  }
}
