package org.pluribus.vmm.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pluribus.vmm.apic.ApicCluster.ids;

import org.junit.jupiter.api.Test;

/** Redirection, edges, levels with remote IRR, EOI from the IOAPIC's node and from another. */
class IoApicTest {

  private static final int LEVEL = 1 << 15;
  private static final int REMOTE_IRR = 1 << 14;
  private static final int MASKED = 1 << 16;

  private final ApicCluster cluster = new ApicCluster(2, 1).enableAll();
  private final IoApic ioApic = cluster.ioApic;

  private int readIndex(int index) {
    ioApic.write(0x00, 4, index);
    return (int) ioApic.read(0x10, 4);
  }

  private void writeIndex(int index, int value) {
    ioApic.write(0x00, 4, index);
    ioApic.write(0x10, 4, value & 0xFFFF_FFFFL);
  }

  private void redirect(int pin, int destination, int low) {
    writeIndex(0x11 + 2 * pin, destination << 24);
    writeIndex(0x10 + 2 * pin, low);
  }

  private int low(int pin) {
    return readIndex(0x10 + 2 * pin);
  }

  private boolean take(int apic, int vector) {
    cluster.settle();
    if (cluster.apics[apic].pendingVector() != vector) {
      return false;
    }
    cluster.apics[apic].acknowledge();
    return true;
  }

  private void eoi(int apic) {
    cluster.write(apic, ApicRegister.EOI, 0);
    cluster.settle();
  }

  @Test
  void identityAndReset() {
    assertThat(readIndex(1)).isEqualTo(0x0017_0020);
    writeIndex(0, 0x0500_0000);
    assertThat(readIndex(0)).isEqualTo(0x0500_0000);
    for (int pin = 0; pin < IoApic.PINS; pin++) {
      assertThat(low(pin)).isEqualTo(MASKED);
    }
    assertThat(readIndex(0x40)).as("beyond the last pin").isZero();
    writeIndex(0x40, -1);
    assertThat(ioApic.read(0x00, 4)).isEqualTo(0x40);
  }

  @Test
  void readOnlyBitsStayAndTheRestIsKept() {
    redirect(5, 0xAB, 0xFFFF_FFFF & ~MASKED & ~0x700);
    assertThat(low(5)).isEqualTo(0xA8FF);
    assertThat(readIndex(0x10 + 11)).isEqualTo(0xAB00_0000);
  }

  @Test
  void anEdgeFiresOncePerRise() {
    redirect(4, 0, 0x34);
    ioApic.setPin(4, true);
    assertThat(take(0, 0x34)).isTrue();
    eoi(0);
    ioApic.setPin(4, true);
    assertThat(take(0, 0x34)).isFalse();
    ioApic.setPin(4, false);
    ioApic.setPin(4, true);
    assertThat(take(0, 0x34)).isTrue();
    assertThat(low(4) & REMOTE_IRR).isZero();
  }

  @Test
  void aMaskedEdgeIsLost() {
    redirect(4, 0, MASKED | 0x34);
    ioApic.setPin(4, true);
    redirect(4, 0, 0x34);
    assertThat(take(0, 0x34)).isFalse();
  }

  @Test
  void aLevelStaysUntilTheDeviceLetsGo() {
    redirect(9, 0, LEVEL | 0x59);
    ioApic.setPin(9, true);
    assertThat(low(9) & REMOTE_IRR).isNotZero();
    assertThat(take(0, 0x59)).isTrue();
    assertThat(cluster.read(0, ApicRegister.TMR + 0x20) & 1 << 0x19).isNotZero();
    ioApic.setPin(9, false);
    ioApic.setPin(9, true);
    assertThat(take(0, 0x59)).as("one at a time").isFalse();
    eoi(0);
    assertThat(take(0, 0x59)).as("still asserted at EOI").isTrue();
    ioApic.setPin(9, false);
    eoi(0);
    assertThat(low(9) & REMOTE_IRR).isZero();
    assertThat(take(0, 0x59)).isFalse();
  }

  @Test
  void theEoiOfAnotherNodesVcpuComesBack() {
    redirect(9, 1, LEVEL | 0x59);
    ioApic.setPin(9, true);
    assertThat(take(1, 0x59)).isTrue();
    eoi(1);
    assertThat(cluster.eois).containsExactly(0x59);
    assertThat(take(1, 0x59)).isTrue();
    ioApic.setPin(9, false);
    eoi(1);
    assertThat(low(9) & REMOTE_IRR).isZero();
  }

  @Test
  void edgesNeedNoEoiFromOtherNodes() {
    redirect(4, 1, 0x34);
    ioApic.setPin(4, true);
    assertThat(take(1, 0x34)).isTrue();
    eoi(1);
    assertThat(cluster.eois).isEmpty();
  }

  @Test
  void aVectorThatTurnsFromLevelToEdgeLosesItsTriggerMode() {
    redirect(9, 1, LEVEL | 0x59);
    ioApic.setPin(9, true);
    take(1, 0x59);
    ioApic.setPin(9, false);
    eoi(1);
    redirect(9, 1, 0x59);
    ioApic.setPin(9, true);
    assertThat(take(1, 0x59)).isTrue();
    eoi(1);
    assertThat(cluster.eois).hasSize(1);
  }

  @Test
  void maskedLevelFiresWhenUnmasked() {
    redirect(9, 0, LEVEL | MASKED | 0x59);
    ioApic.setPin(9, true);
    assertThat(take(0, 0x59)).isFalse();
    redirect(9, 0, LEVEL | 0x59);
    assertThat(take(0, 0x59)).isTrue();
  }

  @Test
  void suppressedBroadcastNeedsTheEoiRegister() {
    cluster.write(0, ApicRegister.SPURIOUS, 0x11FF);
    redirect(9, 0, LEVEL | 0x59);
    ioApic.setPin(9, true);
    take(0, 0x59);
    eoi(0);
    assertThat(low(9) & REMOTE_IRR).isNotZero();
    ioApic.setPin(9, false);
    ioApic.write(0x40, 4, 0x58);
    assertThat(low(9) & REMOTE_IRR).as("another vector").isNotZero();
    ioApic.write(0x40, 4, 0x59);
    assertThat(low(9) & REMOTE_IRR).isZero();
  }

  @Test
  void switchingToEdgeClearsAStuckRemoteIrr() {
    redirect(9, 0, LEVEL | 0x59);
    ioApic.setPin(9, true);
    writeIndex(0x10 + 18, MASKED | 0x59);
    assertThat(low(9) & REMOTE_IRR).isZero();
    writeIndex(0x10 + 18, MASKED | LEVEL | 0x59);
    assertThat(low(9) & REMOTE_IRR).isZero();
  }

  @Test
  void logicalAndNmiDelivery() {
    cluster.write(0, ApicRegister.LOGICAL_DESTINATION, 1 << 24);
    cluster.write(1, ApicRegister.LOGICAL_DESTINATION, 2 << 24);
    redirect(4, 3, 1 << 11 | 0x34);
    ioApic.setPin(4, true);
    cluster.settle();
    assertThat(cluster.holders(0x34)).isEqualTo(ids(0, 1));
    redirect(3, 1, 0x400);
    ioApic.setPin(3, true);
    cluster.settle();
    assertThat(cluster.apics[1].takeNmi()).isTrue();
  }

  @Test
  void isaInterruptsGoToBothControllersAndTheTimerToPin2() {
    Pic8259 pic = new Pic8259();
    Pic8259Test.initialise(pic, 0x30, 0x38);
    InterruptLines lines = new InterruptLines(pic, ioApic);
    redirect(2, 0, 0xB0);
    redirect(4, 0, 0xB4);
    lines.isa(0).set(true);
    assertThat(take(0, 0xB0)).isTrue();
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x30);
    lines.isa(4).set(true);
    assertThat(take(0, 0xB4)).isFalse();
    eoi(0);
    assertThat(take(0, 0xB4)).isTrue();
    lines.gsi(20).set(true);
    Pic8259Test.eoi(pic);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x34);
  }

  @Test
  void aSharedWireIsAssertedWhileAnyDeviceAssertsIt() {
    InterruptLines lines = new InterruptLines(new Pic8259(), ioApic);
    redirect(17, 0, LEVEL | 0x61);
    var one = lines.gsi(17);
    var two = lines.gsi(17);
    one.set(true);
    two.set(true);
    two.set(true);
    assertThat(take(0, 0x61)).isTrue();
    two.set(false);
    eoi(0);
    assertThat(take(0, 0x61)).as("the other one still asserts").isTrue();
    one.set(false);
    eoi(0);
    assertThat(take(0, 0x61)).isFalse();
  }
}
