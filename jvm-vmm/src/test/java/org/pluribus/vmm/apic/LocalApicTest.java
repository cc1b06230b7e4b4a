package org.pluribus.vmm.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pluribus.vmm.apic.IpiMessage.FIXED;

import org.junit.jupiter.api.Test;

/** Priorities, nesting, EOI, errors, INIT and SIPI, LINT pins, of one APIC in xAPIC mode. */
class LocalApicTest {

  private final ApicCluster cluster = new ApicCluster(1, 2).enableAll();
  private final LocalApic apic = cluster.apics[0];

  @Test
  void resetValuesAreThoseOfTheSdm() {
    ApicCluster fresh = new ApicCluster(1, 2);
    assertThat(fresh.read(1, ApicRegister.ID)).isEqualTo(1 << 24);
    assertThat(fresh.read(1, ApicRegister.VERSION)).isEqualTo(0x0105_0014);
    assertThat(fresh.read(1, ApicRegister.SPURIOUS)).isEqualTo(0xFF);
    assertThat(fresh.read(1, ApicRegister.DESTINATION_FORMAT)).isEqualTo(-1);
    assertThat(fresh.read(1, ApicRegister.LOGICAL_DESTINATION)).isZero();
    for (int r = ApicRegister.LVT_TIMER; r <= ApicRegister.LVT_ERROR; r += 0x10) {
      assertThat(fresh.read(1, r)).isEqualTo(0x1_0000);
    }
    assertThat(fresh.read(0, ApicRegister.LVT_LINT0)).isEqualTo(0x700);
    assertThat(fresh.msr(0, ApicRegister.MSR_APIC_BASE)).isEqualTo(0xFEE0_0900L);
    assertThat(fresh.msr(1, ApicRegister.MSR_APIC_BASE)).isEqualTo(0xFEE0_0800L);
  }

  @Test
  void higherVectorsNestAndEoiUncoversTheLower() {
    apic.accept(FIXED, 0x31, false);
    assertThat(apic.acknowledge()).isEqualTo(0x31);
    apic.accept(FIXED, 0x3F, false);
    assertThat(apic.pendingVector()).as("same class doesn't nest").isEqualTo(-1);
    apic.accept(FIXED, 0x52, false);
    assertThat(apic.acknowledge()).isEqualTo(0x52);
    assertThat(cluster.read(0, ApicRegister.PPR)).isEqualTo(0x50);
    assertThat(apic.pendingVector()).isEqualTo(-1);

    cluster.write(0, ApicRegister.EOI, 0);
    assertThat(cluster.read(0, ApicRegister.PPR)).isEqualTo(0x30);
    assertThat(apic.pendingVector()).isEqualTo(-1);
    cluster.write(0, ApicRegister.EOI, 0);
    assertThat(apic.acknowledge()).isEqualTo(0x3F);
  }

  @Test
  void aVectorMayBeRequestedAgainWhileInService() {
    apic.accept(FIXED, 0x41, false);
    assertThat(apic.acknowledge()).isEqualTo(0x41);
    apic.accept(FIXED, 0x41, false);
    apic.accept(FIXED, 0x41, false);
    assertThat(cluster.read(0, ApicRegister.ISR + 0x20)).isEqualTo(2);
    assertThat(cluster.read(0, ApicRegister.IRR + 0x20)).isEqualTo(2);
    cluster.write(0, ApicRegister.EOI, 0);
    assertThat(apic.acknowledge()).isEqualTo(0x41);
    cluster.write(0, ApicRegister.EOI, 0);
    assertThat(apic.pendingVector()).isEqualTo(-1);
  }

  @Test
  void taskPriorityHoldsBackItsClassAndBelow() {
    apic.accept(FIXED, 0x4F, false);
    apic.setCr8(4);
    assertThat(cluster.read(0, ApicRegister.TPR)).isEqualTo(0x40);
    assertThat(apic.pendingVector()).isEqualTo(-1);
    assertThat(apic.acknowledge()).as("spurious").isEqualTo(0xFF);
    int before = cluster.kicks[0].get();
    cluster.write(0, ApicRegister.TPR, 0x3F);
    assertThat(apic.cr8()).isEqualTo(3);
    assertThat(apic.pendingVector()).isEqualTo(0x4F);
    assertThat(cluster.kicks[0].get()).as("lowering TPR kicks").isGreaterThan(before);
  }

  @Test
  void eoiKicksForWhatItUncovers() {
    apic.accept(FIXED, 0x60, false);
    apic.accept(FIXED, 0x50, false);
    apic.acknowledge();
    int before = cluster.kicks[0].get();
    cluster.write(0, ApicRegister.EOI, 0);
    assertThat(cluster.kicks[0].get()).isGreaterThan(before);
  }

  @Test
  void eoiWithoutInterruptInServiceDoesNothing() {
    cluster.write(0, ApicRegister.EOI, 0);
    assertThat(cluster.read(0, ApicRegister.PPR)).isZero();
    assertThat(apic.pendingVector()).isEqualTo(-1);
  }

  @Test
  void softwareDisabledRefusesVectorsAndMasksTheLvtButTakesNmis() {
    cluster.write(0, ApicRegister.LVT_TIMER, 0x30);
    cluster.write(0, ApicRegister.SPURIOUS, 0xFF);
    assertThat(apic.accept(FIXED, 0x40, false)).isFalse();
    assertThat(apic.pendingVector()).isEqualTo(-1);
    assertThat(cluster.read(0, ApicRegister.LVT_TIMER)).isEqualTo(0x1_0030);
    cluster.write(0, ApicRegister.LVT_TIMER, 0x30);
    assertThat(cluster.read(0, ApicRegister.LVT_TIMER)).as("stays masked").isEqualTo(0x1_0030);
    assertThat(apic.accept(IpiMessage.NMI, 0, false)).isTrue();
    assertThat(apic.takeNmi()).isTrue();
    assertThat(apic.takeNmi()).isFalse();
  }

  @Test
  void errorsShowAfterAWriteToTheEsr() {
    cluster.write(0, ApicRegister.LVT_ERROR, 0xFE);
    cluster.sendIpi(0, 1, 0x0F);
    assertThat(cluster.read(0, ApicRegister.ERROR_STATUS)).as("before the write").isZero();
    cluster.write(0, ApicRegister.ERROR_STATUS, 0);
    assertThat(cluster.read(0, ApicRegister.ERROR_STATUS)).isEqualTo(1 << 5);
    assertThat(apic.acknowledge()).isEqualTo(0xFE);
    assertThat(cluster.holders(0x0F)).isEmpty();

    apic.accept(FIXED, 3, false);
    cluster.read(0, 0x3A0);
    cluster.write(0, ApicRegister.ERROR_STATUS, 0);
    assertThat(cluster.read(0, ApicRegister.ERROR_STATUS)).isEqualTo(1 << 6 | 1 << 7);
    cluster.write(0, ApicRegister.ERROR_STATUS, 0);
    assertThat(cluster.read(0, ApicRegister.ERROR_STATUS)).isZero();
  }

  @Test
  void onlyAlignedWordWritesCountAndBytesCanBeRead() {
    apic.write(ApicRegister.TPR, 1, 0x20);
    apic.write(ApicRegister.TPR + 4, 4, 0x20);
    assertThat(cluster.read(0, ApicRegister.TPR)).isZero();
    assertThat(apic.read(ApicRegister.VERSION + 2, 1) & 0xFF).isEqualTo(5);
    assertThat(apic.read(ApicRegister.VERSION + 8, 4)).isZero();
  }

  @Test
  void apStartsByInitAndTwoSipisAsLinuxSendsThem() {
    LocalApic ap = cluster.apics[1];
    assertThat(ap.waitingForSipi()).isTrue();
    cluster.sendIpi(0, 1, 0xC500); // INIT, level, assert
    cluster.sendIpi(0, 1, 0x8500); // INIT, level, de-assert: ignored
    cluster.sendIpi(0, 1, 0x0699);
    assertThat(ap.takeSipi()).as("INIT not taken yet is taken along").isEqualTo(0x99);
    assertThat(ap.waitingForSipi()).isFalse();
    cluster.sendIpi(0, 1, 0x0699);
    assertThat(ap.takeInit()).isFalse();
    assertThat(ap.takeSipi()).isEqualTo(-1);
    assertThat(ap.wakeupPending(false)).as("a second SIPI is void").isFalse();
  }

  @Test
  void initResetsARunningApicAndAnEarlierSipiIsVoid() {
    LocalApic ap = cluster.apics[1];
    cluster.sendIpi(0, 1, 0x0610);
    assertThat(ap.takeSipi()).isEqualTo(0x10);
    cluster.write(1, ApicRegister.SPURIOUS, 0x1FF);
    cluster.write(1, ApicRegister.LOGICAL_DESTINATION, 2 << 24);
    ap.accept(FIXED, 0x80, false);
    ap.accept(IpiMessage.NMI, 0, false);
    cluster.sendIpi(0, 1, 0x4500);
    assertThat(ap.wakeupPending(false)).isTrue();
    assertThat(ap.takeInit()).isTrue();
    assertThat(ap.takeInit()).isFalse();
    assertThat(ap.waitingForSipi()).isTrue();
    assertThat(ap.pendingVector()).isEqualTo(-1);
    assertThat(ap.nmiPending()).isFalse();
    assertThat(cluster.read(1, ApicRegister.SPURIOUS)).isEqualTo(0xFF);
    assertThat(cluster.read(1, ApicRegister.LOGICAL_DESTINATION)).isZero();
    assertThat(cluster.read(1, ApicRegister.ID)).isEqualTo(1 << 24);

    cluster.sendIpi(0, 1, 0x0611);
    cluster.sendIpi(0, 1, 0x4500);
    assertThat(ap.takeSipi()).as("INIT after SIPI voids it").isEqualTo(-1);
    cluster.sendIpi(0, 1, 0x0612);
    assertThat(ap.takeSipi()).isEqualTo(0x12);
  }

  @Test
  void sipiBeforeTheInitWasTakenIsKept() {
    LocalApic ap = cluster.apics[1];
    cluster.sendIpi(0, 1, 0x0610);
    ap.takeSipi();
    cluster.sendIpi(0, 1, 0x4500);
    cluster.sendIpi(0, 1, 0x0620);
    assertThat(ap.takeSipi()).as("it runs: the INIT comes first").isEqualTo(-1);
    assertThat(ap.takeInit()).isTrue();
    assertThat(ap.takeSipi()).isEqualTo(0x20);
  }

  @Test
  void lint1IsTheBootProcessorsNmiAndLint0CanBeAVirtualWire() {
    apic.lint(LocalApic.LINT1, true);
    assertThat(apic.takeNmi()).isTrue();
    cluster.write(0, ApicRegister.LVT_LINT0, 0x30);
    apic.lint(LocalApic.LINT0, true);
    assertThat(apic.acknowledge()).isEqualTo(0x30);
    cluster.write(0, ApicRegister.EOI, 0);
    cluster.write(0, ApicRegister.LVT_LINT0, 0x1_0030);
    apic.lint(LocalApic.LINT0, true);
    assertThat(apic.pendingVector()).isEqualTo(-1);
  }

  @Test
  void extIntComesFromThePicThroughLint0AsLongAsItIsUnmasked() {
    Pic8259 pic = new Pic8259();
    ApicCluster pc = new ApicCluster(1, 1, pic);
    pic.connectIntr(level -> pc.apics[0].lint(LocalApic.LINT0, level));
    Pic8259Test.initialise(pic, 0x30, 0x38);
    assertThat(pc.apics[0].extIntPending()).isFalse();
    int before = pc.kicks[0].get();
    pic.setIrq(4, true);
    assertThat(pc.kicks[0].get()).isGreaterThan(before);
    assertThat(pc.apics[0].extIntPending()).as("as firmware leaves it").isTrue();
    assertThat(pc.apics[0].wakeupPending(true)).isTrue();
    assertThat(pc.apics[0].wakeupPending(false)).isFalse();
    pc.write(0, ApicRegister.SPURIOUS, 0x1FF);
    pc.write(0, ApicRegister.LVT_LINT0, 0x1_0700);
    assertThat(pc.apics[0].extIntPending()).isFalse();
    assertThat(pc.apics[0].acknowledgeInterrupt()).isEqualTo(-1);
    pc.write(0, ApicRegister.LVT_LINT0, 0x700);
    assertThat(pc.apics[0].acknowledgeInterrupt()).isEqualTo(0x34);
    assertThat(pc.apics[0].interruptPending()).isFalse();
  }

  @Test
  void onlyTheFirstRequestOfAVectorKicks() {
    int before = cluster.kicks[0].get();
    apic.accept(FIXED, 0x44, false);
    apic.accept(FIXED, 0x44, false);
    assertThat(cluster.kicks[0].get()).isEqualTo(before + 1);
  }
}
