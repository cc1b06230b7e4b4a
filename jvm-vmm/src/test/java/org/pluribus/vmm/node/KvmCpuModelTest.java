package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.pluribus.hw.host.KernelCodeProbe;
import org.pluribus.kvm.Kvm;
import org.pluribus.vmm.emulator.CpuModel;

/** The real KVM's processor: shown where a guest's kernel can run at all. */
class KvmCpuModelTest {
  /** A processor that no host has: family 1. */
  private static final CpuModel FOREIGN = new CpuModel("GenuineIntel", 0x00000100, 0, 0, 0, 0, 0);

  @Test
  void aHostShowsItsProcessorIfKernelCodeIsNative() {
    OneVcpu.assumeKvm();
    boolean isNative;
    try (Kvm kvm = Kvm.open()) {
      isNative = KernelCodeProbe.run(kvm).isNative();
    }
    CpuModel here = KvmCpuModel.here();
    assertThat(here != null).isEqualTo(isNative);
    if (here != null) {
      assertThat(here.signature()).isNotZero();
      assertThat(here.masked()).isEqualTo(here);
      KvmCpuModel.require(here);
    }
  }

  @Test
  void aForeignProcessorIsRefusedInOneLine() {
    OneVcpu.assumeKvm();
    assertThatThrownBy(() -> KvmCpuModel.require(FOREIGN))
        .isInstanceOf(UnfitHostException.class)
        .message()
        .startsWith("this host's processor is ")
        .contains("leave cpuModel out of the cluster file")
        .doesNotContain("\n");
  }
}
