package org.pluribus.vmm.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pluribus.vmm.apic.ApicRegister.MSR_APIC_BASE;

import org.junit.jupiter.api.Test;

/** Mode switches and the MSR interface. */
class X2ApicTest {

  private static final long ENABLED = 0xFEE0_0800L;
  private static final long X2APIC = 0xFEE0_0C00L;
  private static final long DISABLED = 0xFEE0_0000L;

  private final ApicCluster cluster = new ApicCluster(1, 2);
  private final LocalApic apic = cluster.apics[1];

  private boolean setBase(long value) {
    return apic.writeMsr(MSR_APIC_BASE, value);
  }

  private static int msr(int register) {
    return 0x800 + (register >> 4);
  }

  @Test
  void allLegalTransitions() {
    assertThat(setBase(X2APIC)).isTrue();
    assertThat(setBase(X2APIC)).isTrue();
    assertThat(setBase(DISABLED)).isTrue();
    assertThat(setBase(DISABLED)).isTrue();
    assertThat(setBase(ENABLED)).isTrue();
    assertThat(setBase(DISABLED)).isTrue();
  }

  @Test
  void illegalTransitionsAreRefusedAndChangeNothing() {
    assertThat(setBase(0xFEE0_0400L)).as("x2APIC without enable").isFalse();
    setBase(X2APIC);
    assertThat(setBase(ENABLED)).as("x2APIC to xAPIC").isFalse();
    assertThat(cluster.msr(1, MSR_APIC_BASE)).isEqualTo(X2APIC);
    setBase(DISABLED);
    assertThat(setBase(X2APIC)).as("disabled to x2APIC").isFalse();
    assertThat(setBase(ENABLED | 1)).as("reserved bit").isFalse();
    assertThat(setBase(ENABLED | 1L << 52)).as("beyond physical addresses").isFalse();
    assertThat(cluster.msr(1, MSR_APIC_BASE)).isEqualTo(DISABLED);
  }

  @Test
  void theBspFlagCannotBeMoved() {
    assertThat(setBase(ENABLED | 0x100)).isTrue();
    assertThat(cluster.msr(1, MSR_APIC_BASE)).isEqualTo(ENABLED);
  }

  @Test
  void registersLiveInMsrsOnlyInX2apicMode() {
    assertThat(apic.readMsr(0x802)).isFalse();
    assertThat(apic.writeMsr(0x808, 0)).isFalse();
    assertThat(apic.mmioBase()).isEqualTo(0xFEE0_0000L);
    setBase(X2APIC);
    assertThat(apic.mmioBase()).isEqualTo(-1);
    assertThat(apic.read(ApicRegister.VERSION, 4)).isZero();
    assertThat(cluster.msr(1, 0x802)).isEqualTo(1);
    assertThat(cluster.msr(1, 0x803)).isEqualTo(0x0105_0014);
    assertThat(cluster.msr(1, 0x80D)).isEqualTo(2);
    setBase(DISABLED);
    assertThat(apic.readMsr(0x802)).isFalse();
  }

  @Test
  void thePageFollowsItsBaseAddress() {
    setBase(0xD000_0800L);
    assertThat(apic.mmioBase()).isEqualTo(0xD000_0000L);
  }

  @Test
  void stateSurvivesTheSwitchToX2apicButNotDisabling() {
    cluster.write(1, ApicRegister.SPURIOUS, 0x1AB);
    cluster.write(1, ApicRegister.LVT_ERROR, 0xFE);
    setBase(X2APIC);
    assertThat(cluster.msr(1, msr(ApicRegister.SPURIOUS))).isEqualTo(0x1AB);
    assertThat(cluster.msr(1, msr(ApicRegister.LVT_ERROR))).isEqualTo(0xFE);
    setBase(DISABLED);
    setBase(ENABLED);
    assertThat(cluster.read(1, ApicRegister.SPURIOUS)).isEqualTo(0xFF);
    assertThat(cluster.read(1, ApicRegister.LOGICAL_DESTINATION)).isZero();
  }

  @Test
  void aDisabledApicTakesNothing() {
    setBase(DISABLED);
    assertThat(apic.accept(IpiMessage.NMI, 0, false)).isFalse();
    assertThat(apic.accept(IpiMessage.INIT, 0, false)).isFalse();
    assertThat(apic.takeInit()).isFalse();
  }

  @Test
  void everyIllegalAccessIsAProtectionFault() {
    cluster.toX2apic();
    int[] unreadable = {0x800, 0x80B, 0x80E, 0x80C, 0x809, 0x831, 0x83F, 0x82F, 0x840, 0x8FF};
    for (int m : unreadable) {
      assertThat(apic.readMsr(m)).as("read of 0x%x", m).isFalse();
    }
    int[] unwritable = {0x802, 0x803, 0x80A, 0x80D, 0x80E, 0x810, 0x827, 0x831, 0x839, 0x840};
    for (int m : unwritable) {
      assertThat(apic.writeMsr(m, 1)).as("write of 0x%x", m).isFalse();
    }
    assertThat(apic.writeMsr(0x80D, 0)).as("read-only, even with zero").isFalse();
  }

  @Test
  void reservedBitsAreAProtectionFault() {
    cluster.toX2apic();
    assertThat(apic.writeMsr(0x808, 0x100)).as("TPR").isFalse();
    assertThat(apic.writeMsr(0x808, 0x1_0000_0000L)).as("upper half").isFalse();
    assertThat(apic.writeMsr(0x80B, 1)).as("EOI").isFalse();
    assertThat(apic.writeMsr(0x80B, 0)).isTrue();
    assertThat(apic.writeMsr(0x828, 1)).as("ESR").isFalse();
    assertThat(apic.writeMsr(0x828, 0)).isTrue();
    assertThat(apic.writeMsr(0x80F, 0x2000)).as("SVR").isFalse();
    assertThat(apic.writeMsr(0x832, 0x8_0000)).as("LVT timer").isFalse();
    assertThat(apic.writeMsr(0x837, 0x700)).as("LVT error").isFalse();
    assertThat(apic.writeMsr(0x83E, 4)).as("divide").isFalse();
    assertThat(apic.writeMsr(0x830, 0x10_0000)).as("ICR").isFalse();
    assertThat(apic.writeMsr(0x83F, 0x100)).as("self IPI").isFalse();
  }

  @Test
  void selfIpiAndIcr() {
    cluster.toX2apic();
    for (LocalApic a : cluster.apics) {
      a.writeMsr(0x80F, 0x1FF);
    }
    assertThat(apic.writeMsr(0x83F, 0x55)).isTrue();
    assertThat(apic.acknowledge()).isEqualTo(0x55);
    assertThat(apic.writeMsr(0x80B, 0)).isTrue();
    assertThat(apic.writeMsr(0x830, 0x0000_0000_0000_4066L)).isTrue();
    assertThat(cluster.holders(0x66)).containsExactly(0);
    assertThat(cluster.msr(1, 0x830)).isEqualTo(0x4066);
  }

  @Test
  void logicalIdsComeFromTheApicId() {
    assertThat(DestinationMatch.x2apicLogicalId(0)).isEqualTo(1);
    assertThat(DestinationMatch.x2apicLogicalId(0x2F)).isEqualTo(0x0002_8000);
    assertThat(DestinationMatch.x2apicLogicalId(0x123)).isEqualTo(0x0012_0008);
  }

  @Test
  void msrsOutsideAreNotOurs() {
    assertThat(LocalApic.ownsMsr(0x1B)).isTrue();
    assertThat(LocalApic.ownsMsr(0x6E0)).isTrue();
    assertThat(LocalApic.ownsMsr(0x800)).isTrue();
    assertThat(LocalApic.ownsMsr(0x8FF)).isTrue();
    assertThat(LocalApic.ownsMsr(0x7FF)).isFalse();
    assertThat(LocalApic.ownsMsr(0x900)).isFalse();
    assertThat(LocalApic.ownsMsr(0xC000_0080)).isFalse();
  }
}
