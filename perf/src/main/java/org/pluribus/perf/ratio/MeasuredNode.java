package org.pluribus.perf.ratio;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.hw.HostProfile;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.Transport;
import org.pluribus.vmm.acpi.VcpuPlacement;
import org.pluribus.vmm.devices.MachineControl;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.node.KvmVm;
import org.pluribus.vmm.node.NativeTwins;
import org.pluribus.vmm.node.NodeMachine;
import org.pluribus.vmm.node.NodeMemory;
import org.pluribus.vmm.node.PluribusNode;

/**
 * A node with one vCPU on KVM, from the same parts as a node of {@code pluribus run}: {@link KvmVm}
 * with its userfaultfd and fault thread, {@link PluribusNode} with the coherence engine, {@link
 * NodeMachine} with APIC, buses and devices.
 *
 * <p>Node 0 runs the guest; a round is the guest's. Node 1, if there is one, has the pages the
 * guest stores to as their home; its vCPU waits for a start-up IPI that never comes, and its rounds
 * take the pages back.
 *
 * <p>Arguments: image, kind, count, first, limit (see {@link GuestImage}), bytes of RAM, this
 * node's id, and the {@link Network}'s.
 */
public final class MeasuredNode {
  /** Asks for {@link Allocations#line}. */
  static final String ALLOCATIONS = "allocations";

  private static final long STOP_MILLIS = 2_000;
  private static final int FIXED_ARGUMENTS = 7;
  private static final long LAST_WORD = GuestMemory.PAGE_SIZE - Long.BYTES;

  private final GuestImage.Work work;
  private final int self;
  private final HostProfile profile = HostProfile.load(FaultRatio.PROFILE);
  private final Transport transport;
  private final Memfd memfd;
  private final Mapping ram;
  private final KvmVm vm;
  private final NativeTwins twins;
  private final PluribusNode node;
  private final NodeMemory memory;
  private final NodeMachine machine;
  private final Rounds rounds = new Rounds();
  private final Peers peers = new NodePeers();

  /** Whether the pages have been taken back at least once. */
  private boolean taken;

  private MeasuredNode(GuestImage.Work work, long ramBytes, int self, Network network) {
    this.work = work;
    this.self = self;
    GuestRamLayout layout = GuestRamLayout.of(ramBytes, network.nodes());
    transport = network.transport(self, layout.pageCount(), profile);
    memfd = Memfd.create("pluribus-perf-" + self, layout.ramSize());
    ram = Mapping.of(memfd);
    transport.shareMemory(ram.address(), layout.ramSize());
    if (network.nodes() == 1) {
      // As in baseline.c: a page that the memory file lacks costs more.
      ram.segment().fill((byte) 1);
    }
    vm = KvmVm.create(layout, memfd, ram, profile, KvmVm.tscHzHere());
    // As in NodeRuntime: sends deltas, and its rights know better for how long a vCPU needs a page.
    twins = NativeTwins.of(ram.segment(), DeltaMode.ON);
    node =
        new PluribusNode(
            self,
            layout,
            ram.address(),
            transport,
            vm.rights(),
            new PluribusNode.Policy(0, DeltaMode.ON, twins, null));
    memory = new NodeMemory(node, ram.segment(), profile);
    List<VcpuPlacement> vcpus = new ArrayList<>();
    for (int id = 0; id < network.nodes(); id++) {
      vcpus.add(new VcpuPlacement(id, id));
    }
    machine =
        new NodeMachine(
            node,
            vm,
            vm.clock(),
            profile,
            vcpus,
            0,
            Integer.SIZE - Integer.numberOfLeadingZeros(network.nodes() - 1),
            KvmVm.lackingHere(),
            new NoEnd(),
            vcpu -> fail("vCPU " + vcpu + " has shut down"),
            rounds);
  }

  /** For a process's command line. */
  static List<String> arguments(
      String image, GuestImage.Work work, long ramBytes, int self, Network network) {
    List<String> all = new ArrayList<>(List.of(image, work.kind().name()));
    for (long number : new long[] {work.count(), work.first(), work.limit(), ramBytes, self}) {
      all.add(String.valueOf(number));
    }
    all.addAll(network.arguments());
    return all;
  }

  /** One node of the comparison. */
  public static void main(String[] args) throws IOException, InterruptedException {
    GuestImage.Work work =
        new GuestImage.Work(
            GuestImage.Kind.valueOf(args[1]),
            Long.parseLong(args[2]),
            Long.parseLong(args[3]),
            Long.parseLong(args[4]));
    List<String> network = Arrays.asList(args).subList(FIXED_ARGUMENTS, args.length);
    MeasuredNode measured =
        new MeasuredNode(
            work, Long.parseLong(args[5]), Integer.parseInt(args[6]), Network.of(network));
    measured.start(Path.of(args[0]));
    measured.serve();
    measured.close();
  }

  private void start(Path file) throws IOException, InterruptedException {
    transport.connect(peers, Network.CONNECT_TIMEOUT);
    if (self == 0) {
      GuestImage image = new GuestImage(file, work);
      image.load(memory);
      machine.enter(image.entry());
    }
    machine.startVcpus();
    if (self == 0) {
      rounds.awaitGuest();
    }
  }

  private void serve() throws IOException, InterruptedException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    System.out.println("ready");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals(ALLOCATIONS)) {
        System.out.println(Allocations.now(node.counters(), vm.latency()).line());
        continue;
      }
      long nanos = self == 0 ? rounds.next() : takeBack();
      String lost = peers.lost() == null ? node.failureReason() : peers.lost();
      if (lost != null) {
        fail(lost);
      }
      System.out.println(nanos);
    }
  }

  /**
   * Takes the pages back from the guest, with a write to most of each page's bytes. The first bytes
   * must be as the guest has stored them then, and the last as they were: pages came whole, both
   * ways.
   */
  private long takeBack() {
    byte[] bytes = new byte[GuestMemory.PAGE_SIZE - 2 * Long.BYTES];
    long start = System.nanoTime();
    Arrays.fill(bytes, (byte) start);
    for (long gpa = work.first(); gpa < work.limit(); gpa += GuestImage.STEP) {
      memory.writeBytes(gpa + Long.BYTES, bytes);
    }
    long nanos = System.nanoTime() - start;
    for (long page = 0; page < work.count(); page++) {
      long gpa = work.first() + page * GuestImage.STEP;
      check(gpa, taken ? work.count() - page : 0);
      check(gpa + LAST_WORD, taken ? gpa : 0);
      memory.writeLong(gpa + LAST_WORD, gpa);
    }
    taken = true;
    return nanos;
  }

  private void check(long gpa, long expected) {
    long there = memory.readLong(gpa);
    if (there != expected) {
      fail("0x%x at GPA 0x%x instead of 0x%x".formatted(there, gpa, expected));
    }
  }

  private void close() throws InterruptedException {
    if (self == 0) {
      rounds.end();
    }
    machine.stopVcpus(STOP_MILLIS);
    machine.close();
    vm.close();
    transport.close();
    twins.close();
    ram.close();
    memfd.close();
  }

  private static void fail(String why) {
    System.err.printf(Locale.ROOT, "perf: %s%n", why);
    Runtime.getRuntime().halt(1);
  }

  private final class NodePeers extends Peers {
    @Override
    public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
      node.onCoherence(message, payload);
    }
  }

  /** The guest never asks for the machine's end. */
  private static final class NoEnd implements MachineControl {
    @Override
    public void powerOff() {
      fail("the guest has powered off");
    }

    @Override
    public void reset() {
      fail("the guest has reset the machine");
    }

    @Override
    public void debugExit(int exitCode) {
      fail("the guest has ended with code " + exitCode);
    }
  }
}
