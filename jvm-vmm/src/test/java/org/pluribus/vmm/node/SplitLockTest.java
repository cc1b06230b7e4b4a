package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pluribus.hw.HostProfile;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.vmm.apic.ExtIntSource;
import org.pluribus.vmm.apic.IpiRouter;
import org.pluribus.vmm.apic.LocalApic;
import org.pluribus.vmm.bus.Bus;
import org.pluribus.vmm.emulator.CpuidConfig;
import org.pluribus.vmm.emulator.CpuidTable;
import org.pluribus.vmm.loader.EntryState;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.time.HostClock;
import org.pluribus.vmm.time.TimerQueue;

/**
 * LOCK across two pages on real nodes: 64-bit guest code runs on all vCPUs at once, interpreted at
 * first and compiled later; pages travel by loopback.
 */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class SplitLockTest {
  private static final long NODE_RAM = 16L << 20;
  private static final long HOLD_NANOS = 20_000;
  private static final long LOOK_MILLIS = 20;

  /** Page tables that map the first GiB to itself by one page. */
  private static final long PML4 = 0x1000;

  private static final long PDPT = 0x2000;

  /** Present, writable, accessed. */
  private static final int TABLE_FLAGS = 0x23;

  /** Also dirty, and a large page. */
  private static final int PAGE_FLAGS = 0xE3;

  private static final int CODE_SELECTOR = 0x08;
  private static final int DATA_SELECTOR = 0x10;

  private static final long CODE = 0x10_0000;

  /** Dword over a page boundary: a spinlock, or a counter. */
  private static final long CROSSING = 0x20_1FFE;

  /** Dword over another one: incremented with LOCK. */
  private static final long COUNTED = 0x20_4FFD;

  /** Dword that the spinlock guards. */
  private static final long GUARDED = 0x20_6000;

  /** Dword: vCPUs that have finished. */
  private static final long FINISHED = 0x20_8000;

  /** Counts itself as finished and halts. */
  private static final String END = "F0FF4500" + "F4"; // lock inc dword [rbp]; hlt

  private final List<LoopbackNode> nodes = new ArrayList<>();
  private final List<VcpuThread> vcpus = new ArrayList<>();
  private final List<EmulatedVm> vms = new ArrayList<>();

  /** No 8259 on any of the nodes. */
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

  private void startNodes(int nodeCount, int vcpusPerNode) throws InterruptedException {
    GuestRamLayout layout = GuestRamLayout.of(nodeCount * NODE_RAM, nodeCount);
    LoopbackCluster cluster = new LoopbackCluster(nodeCount);
    VmKey key = VmKey.random();
    for (int id = 0; id < nodeCount; id++) {
      EmulatedVm vm = new EmulatedVm(layout, HostProfile.load("single-host"), new HostClock());
      vms.add(vm);
      nodes.add(new LoopbackNode(id, layout, cluster, key, vm.rights(), HOLD_NANOS));
    }
    for (int id = 0; id < nodeCount; id++) {
      nodes.get(id).awaitConnected();
      addVcpus(nodes.get(id).node, vms.get(id), vcpusPerNode);
    }
    nodes.get(0).memory.writeLong(PML4, PDPT | TABLE_FLAGS);
    nodes.get(0).memory.writeLong(PDPT, PAGE_FLAGS);
  }

  private void addVcpus(PluribusNode node, EmulatedVm vm, int count) {
    int[] nodeOfApic = new int[node.layout().nodeCount() * count];
    Arrays.setAll(nodeOfApic, id -> id / count);
    IpiRouter router =
        new IpiRouter(node.id(), node.layout().nodeCount(), nodeOfApic, 0, node.messages());
    TimerQueue timers = new TimerQueue(new HostClock());
    DeviceAccess devices = new DeviceAccess(node, nodeOfApic.length, Bus.ports(), Bus.mmio());
    VcpuThread[] mine = new VcpuThread[count];
    for (int k = 0; k < count; k++) {
      int index = node.id() * count + k;
      mine[k] =
          new VcpuThread(
              index,
              node,
              HostProfile.load("single-host"),
              signal -> new LocalApic(index, true, timers, router, new NoExtInt(), signal),
              devices,
              thread -> vm.makeVcpu(thread, 0, new CpuidTable(CpuidConfig.uniprocessor())),
              () -> node.fail("triple fault"));
      vcpus.add(mine[k]);
    }
    node.vcpus(mine);
  }

  @AfterEach
  void stop() throws InterruptedException {
    for (LoopbackNode n : nodes) {
      n.node.stop();
    }
    for (VcpuThread v : vcpus) {
      assertThat(v.join(TimeUnit.SECONDS.toMillis(30))).as("vCPU %d ends", v.index()).isTrue();
    }
    for (LoopbackNode n : nodes) {
      n.close();
    }
    vms.forEach(EmulatedVm::close);
  }

  /** Puts a vCPU to code, behind instructions that load the registers it uses; none has a stack. */
  private void prepare(VcpuThread v, long at, int rounds, String hex) {
    String registers =
        load(0xBB, CROSSING)
            + load(0xBE, GUARDED)
            + load(0xBF, COUNTED)
            + load(0xBD, FINISHED)
            + load(0xB9, rounds);
    byte[] code = HexFormat.of().parseHex((registers + hex).replace(" ", ""));
    nodes.get(0).memory.writeBytes(at, code);
    v.enter(
        new EntryState(
            EntryState.Mode.LONG64,
            at,
            0,
            0,
            0,
            0,
            EntryState.CR0_PE | EntryState.CR0_ET | EntryState.CR0_PG,
            PML4,
            EntryState.CR4_PAE,
            EntryState.EFER_LME | EntryState.EFER_LMA,
            0,
            0,
            CODE_SELECTOR,
            DATA_SELECTOR,
            0));
  }

  /** MOV r32, imm32, by its opcode. */
  private static String load(int opcode, long value) {
    return "%02X%08X".formatted(opcode, Integer.reverseBytes((int) value));
  }

  private void awaitFinished() throws InterruptedException {
    while (value(FINISHED) < vcpus.size()) {
      Thread.sleep(LOOK_MILLIS);
      for (LoopbackNode n : nodes) {
        assertThat(n.node.failureReason()).isNull();
      }
    }
  }

  /** Through the coherence engine: the pages travel, and are pinned, under the vCPUs' feet. */
  private int value(long gpa) {
    return nodes.get(0).memory.readInt(gpa);
  }

  /** A lock word over two pages, taken by XCHG and let go by a plain store, guards plain INCs. */
  @ParameterizedTest
  @CsvSource({"1, 2, 100000", "1, 4, 30000", "2, 2, 10000", "3, 1, 20000"})
  void plainStoresLetTheLockGo(int nodeCount, int vcpusPerNode, int rounds) throws Exception {
    startNodes(nodeCount, vcpusPerNode);
    String code =
        "F08307FF" // l: lock add dword [rdi], -1
            + "B801000000" // mov eax, 1
            + "8703" // s: xchg [rbx], eax
            + "85C0" // test eax, eax
            + "7404" // jz +4
            + "F390" // pause
            + "EBF6" // jmp s
            + "FF06" // inc dword [rsi]
            + "C70300000000" // mov dword [rbx], 0
            + "FFC9" // dec ecx
            + "75E1" // jnz l
            + END;
    vcpus.forEach(v -> prepare(v, CODE, rounds, code));
    vcpus.forEach(VcpuThread::start);
    awaitFinished();
    assertThat(value(GUARDED)).isEqualTo(vcpus.size() * rounds);
    assertThat(value(COUNTED)).isEqualTo(-vcpus.size() * rounds);
    assertThat(value(CROSSING)).isZero();
  }

  /**
   * A LOCKed addition counts in the dwords on both sides of the boundary; a plain load of the lower
   * one and then of the upper one must never see the upper one behind.
   */
  @Test
  void plainLoadsSeeBothHalvesOrNone() throws Exception {
    startNodes(1, 2);
    int rounds = 100_000;
    String writer =
        "83EB02" // sub ebx, 2: four bytes on each side
            + "48B80100000001000000" // mov rax, 0x1_0000_0001
            + "F0480103" // l: lock add [rbx], rax
            + "FFC9" // dec ecx
            + "75F8" // jnz l
            + END;
    String reader =
        "83EB02" // sub ebx, 2
            + "8B03" // l: mov eax, [rbx]
            + "8B5304" // mov edx, [rbx+4]
            + "39C2" // cmp edx, eax
            + "7302" // jae +2
            + "FF06" // inc dword [rsi]
            + "39C8" // cmp eax, ecx
            + "75F1" // jne l
            + END;
    prepare(vcpus.get(0), CODE, rounds, writer);
    prepare(vcpus.get(1), CODE + 0x100, rounds, reader);
    vcpus.forEach(VcpuThread::start);
    awaitFinished();
    assertThat(value(GUARDED)).as("upper half seen behind").isZero();
  }
}
