package org.pluribus.vmm.apic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The 8259 pair as kernels program it. */
class Pic8259Test {

  private final Pic8259 pic = new Pic8259();

  /** ICW1 to ICW4 for both chips, all inputs unmasked, as Linux's init_8259A but for AEOI. */
  static void initialise(Pic8259 pic, int masterBase, int slaveBase) {
    initialise(pic, masterBase, slaveBase, 1);
  }

  private static void initialise(Pic8259 pic, int masterBase, int slaveBase, int icw4) {
    pic.masterPorts().write(0, 1, 0x11);
    pic.masterPorts().write(1, 1, masterBase);
    pic.masterPorts().write(1, 1, 4);
    pic.masterPorts().write(1, 1, icw4);
    pic.slavePorts().write(0, 1, 0x11);
    pic.slavePorts().write(1, 1, slaveBase);
    pic.slavePorts().write(1, 1, 2);
    pic.slavePorts().write(1, 1, 1);
    pic.masterPorts().write(1, 1, 0);
    pic.slavePorts().write(1, 1, 0);
  }

  static void eoi(Pic8259 pic) {
    pic.masterPorts().write(0, 1, 0x20);
  }

  private int masterIsr() {
    pic.masterPorts().write(0, 1, 0x0B);
    return (int) pic.masterPorts().read(0, 1);
  }

  private int masterIrr() {
    pic.masterPorts().write(0, 1, 0x0A);
    return (int) pic.masterPorts().read(0, 1);
  }

  private int slaveIsr() {
    pic.slavePorts().write(0, 1, 0x0B);
    return (int) pic.slavePorts().read(0, 1);
  }

  @Test
  void linuxFindsIt() {
    pic.slavePorts().write(1, 1, 0xFF);
    pic.masterPorts().write(1, 1, 0xFB);
    assertThat(pic.masterPorts().read(1, 1)).isEqualTo(0xFB);
  }

  @Test
  void linuxInitialisesItWithAndWithoutAutomaticEoi() {
    pic.masterPorts().write(1, 1, 0xFF);
    initialise(pic, 0x30, 0x38);
    assertThat(pic.masterPorts().read(1, 1)).isZero();
    pic.setIrq(0, true);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x30);
    assertThat(masterIsr()).isEqualTo(1);
    initialise(pic, 0x30, 0x38, 3);
    assertThat(masterIsr()).as("ICW1 clears it").isZero();
    pic.setIrq(0, false);
    pic.setIrq(0, true);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x30);
    assertThat(masterIsr()).as("automatic EOI").isZero();
  }

  @Test
  void higherPriorityInterruptsAndLowerWaits() {
    initialise(pic, 0x30, 0x38);
    pic.setIrq(4, true);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x34);
    pic.setIrq(6, true);
    assertThat(pic.intr()).isFalse();
    pic.setIrq(1, true);
    assertThat(pic.intr()).isTrue();
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x31);
    assertThat(masterIsr()).isEqualTo(0b1_0010);
    assertThat(masterIrr()).isEqualTo(0b100_0000);
    eoi(pic);
    assertThat(pic.intr()).isFalse();
    eoi(pic);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x36);
  }

  @Test
  void slaveInterruptsThroughTheCascade() {
    initialise(pic, 0x30, 0x38);
    pic.setIrq(8, true);
    pic.setIrq(14, true);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x38);
    assertThat(masterIsr()).isEqualTo(4);
    assertThat(slaveIsr()).isEqualTo(1);
    assertThat(pic.intr()).isFalse();
    pic.slavePorts().write(0, 1, 0x60);
    pic.masterPorts().write(0, 1, 0x62);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x3E);
    pic.slavePorts().write(0, 1, 0x66);
    pic.masterPorts().write(0, 1, 0x62);
    assertThat(pic.intr()).isFalse();
    assertThat(masterIsr() | slaveIsr()).isZero();
  }

  @Test
  void anInterruptMaskedInTheLastMomentIsSpurious() {
    initialise(pic, 0x30, 0x38);
    pic.setIrq(3, true);
    assertThat(pic.intr()).isTrue();
    pic.masterPorts().write(1, 1, 0x08);
    assertThat(pic.intr()).isFalse();
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x37);
    assertThat(masterIsr()).as("a spurious interrupt isn't in service").isZero();
  }

  @Test
  void aLevelThatGoesAwayIsSpuriousOnItsOwnChip() {
    initialise(pic, 0x30, 0x38);
    pic.edgeLevelPorts().write(1, 1, 0xFF);
    assertThat(pic.edgeLevelPorts().read(1, 1)).as("8 and 13 stay edge").isEqualTo(0xDE);
    pic.edgeLevelPorts().write(0, 1, 0xFF);
    assertThat(pic.edgeLevelPorts().read(0, 1)).as("0, 1, 2 stay edge").isEqualTo(0xF8);
    pic.setIrq(5, true);
    pic.setIrq(5, false);
    assertThat(pic.intr()).isFalse();
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x37);
  }

  @Test
  void levelTriggeredFiresAgainAfterEoi() {
    initialise(pic, 0x30, 0x38);
    pic.edgeLevelPorts().write(0, 1, 0x20);
    pic.setIrq(5, true);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x35);
    eoi(pic);
    assertThat(pic.intr()).isTrue();
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x35);
    pic.setIrq(5, false);
    eoi(pic);
    assertThat(pic.intr()).isFalse();
  }

  @Test
  void anEdgeIsRememberedWhileMasked() {
    initialise(pic, 0x30, 0x38);
    pic.masterPorts().write(1, 1, 0xFF);
    pic.setIrq(4, true);
    pic.setIrq(4, false);
    assertThat(pic.intr()).isFalse();
    pic.masterPorts().write(1, 1, 0xEF);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x34);
  }

  @Test
  void intrDropsInEachCycleSoThatEveryInterruptIsAnEdge() {
    List<Boolean> edges = new ArrayList<>();
    initialise(pic, 0x30, 0x38);
    pic.connectIntr(edges::add);
    pic.setIrq(4, true);
    pic.setIrq(1, true);
    assertThat(edges).containsExactly(false, true);
    pic.acknowledgeInterrupt();
    assertThat(edges).as("IRQ 4 waits for IRQ 1").containsExactly(false, true, false);
    eoi(pic);
    assertThat(edges).containsExactly(false, true, false, true);
  }

  @Test
  void polling() {
    initialise(pic, 0x30, 0x38);
    pic.masterPorts().write(0, 1, 0x0C);
    assertThat(pic.masterPorts().read(0, 1)).isZero();
    pic.setIrq(6, true);
    pic.masterPorts().write(0, 1, 0x0C);
    assertThat(pic.masterPorts().read(0, 1)).isEqualTo(0x86);
    assertThat(masterIsr()).isEqualTo(0x40);
  }

  @Test
  void rotationGivesTheLastServedTheLowestPriority() {
    initialise(pic, 0x30, 0x38);
    pic.setIrq(3, true);
    pic.acknowledgeInterrupt();
    pic.masterPorts().write(0, 1, 0xA0);
    pic.setIrq(3, false);
    pic.setIrq(3, true);
    pic.setIrq(4, true);
    pic.setIrq(1, true);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x34);
    eoi(pic);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x31);
    eoi(pic);
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x33);
  }

  @Test
  void specialMaskLetsLowerPrioritiesThrough() {
    initialise(pic, 0x30, 0x38);
    pic.setIrq(1, true);
    pic.acknowledgeInterrupt();
    pic.setIrq(5, true);
    assertThat(pic.intr()).isFalse();
    pic.masterPorts().write(1, 1, 0x02);
    pic.masterPorts().write(0, 1, 0x68);
    assertThat(pic.intr()).isTrue();
    assertThat(pic.acknowledgeInterrupt()).isEqualTo(0x35);
  }
}
