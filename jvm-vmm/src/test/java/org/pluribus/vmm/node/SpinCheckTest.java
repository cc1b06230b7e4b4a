package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pluribus.kvm.Kvm;
import org.pluribus.kvm.Regs;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.kvm.VmFd;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.vmm.emulator.CodeCache;
import org.pluribus.vmm.memory.GuestRamLayout;

/** Which code looks like a wait, by a real vCPU that has not started: its paging is off. */
class SpinCheckTest {
  private static final long RAM = 32L << 20;
  private static final long PAGE = 0x10_0000;
  private static final int LENGTH = 4096;

  /** Linux's spin lock: mov eax, [rdi]; test eax, eax; je out; pause; jmp to the start. */
  private static final byte[] LOCK = HexFormat.of().parseHex("8b0785c07404f390ebf6c3");

  private static final int PAUSE_AT = 6;

  private LoopbackNode node;
  private Kvm kvm;
  private VmFd vm;
  private VcpuFd vcpu;
  private SpinCheck check;

  @BeforeEach
  void start() throws Exception {
    OneVcpu.assumeKvm();
    GuestRamLayout layout = GuestRamLayout.of(RAM, 1);
    PageRights rights =
        new SoftMmuPageRights(layout, new CodeCache(layout.ramEnd() >>> 12), 0, System::nanoTime);
    node = new LoopbackNode(0, layout, new LoopbackCluster(1), VmKey.random(), rights, 0);
    node.awaitConnected();
    kvm = Kvm.open();
    vm = kvm.createVm();
    vcpu = vm.createVcpu(0);
    check = new SpinCheck(vcpu, layout, node.node);
  }

  @AfterEach
  void stop() throws Exception {
    if (node != null) {
      vcpu.close();
      vm.close();
      kvm.close();
      node.close();
    }
  }

  private boolean spinsAt(long rip) {
    Regs regs = new Regs();
    vcpu.getRegs(regs);
    regs.rip(rip);
    vcpu.setRegs(regs);
    return check.now();
  }

  @Test
  void everyInstructionOfAWaitingLoopCounts() {
    node.memory.writeBytes(PAGE + 100, LOCK);
    for (int at = 0; at < LOCK.length; at++) {
      assertThat(spinsAt(PAGE + 100 + at)).as("at byte %d of the loop", at).isTrue();
    }
  }

  @Test
  void aPauseFartherAwayDoesNotCount() {
    node.memory.writeBytes(PAGE + 100, LOCK);
    assertThat(spinsAt(PAGE + 100 + PAUSE_AT - 24)).isTrue();
    assertThat(spinsAt(PAGE + 100 + PAUSE_AT - 25)).isFalse();
    assertThat(spinsAt(PAGE + 100 + PAUSE_AT + 24)).isTrue();
    assertThat(spinsAt(PAGE + 100 + PAUSE_AT + 25)).isFalse();
  }

  /** The neighbours of the page need not be here. */
  @Test
  void onlyThePageOfTheInstructionIsLookedAt() {
    node.memory.writeBytes(PAGE - 2, new byte[] {(byte) 0xF3, (byte) 0x90});
    node.memory.writeBytes(PAGE + LENGTH, new byte[] {(byte) 0xF3, (byte) 0x90});
    assertThat(spinsAt(PAGE - 2)).isTrue();
    assertThat(spinsAt(PAGE)).isFalse();
    assertThat(spinsAt(PAGE + LENGTH - 1)).isFalse();
    assertThat(spinsAt(PAGE + LENGTH)).isTrue();
  }

  @Test
  void codeThatIsNoRamOrNotHereIsNoWait() {
    assertThat(spinsAt(0xFFFF_0000L)).as("beyond RAM").isFalse();
    assertThat(spinsAt(PAGE * 2)).as("a page that nobody ever had").isFalse();
  }
}
