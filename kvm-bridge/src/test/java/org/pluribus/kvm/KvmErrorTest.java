package org.pluribus.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.posix.Errno;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.PosixException;

/** What the kernel refuses becomes one line: the ioctl, the errno, the cure. */
class KvmErrorTest {
  private static void assertFailure(Runnable action, String call, Errno errno, String cure) {
    assertThatThrownBy(action::run)
        .asInstanceOf(InstanceOfAssertFactories.type(PosixException.class))
        .satisfies(e -> assertThat(e.call()).isEqualTo(call))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
        .satisfies(
            e -> assertThat(e.getMessage()).startsWith(call).contains(errno.name()).contains(cure))
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @Test
  void aMissingDeviceNamesTheModule(@TempDir Path dir) {
    String path = dir.resolve("kvm").toString();
    assertFailure(() -> Kvm.open(path), "open", Errno.ENOENT, "modprobe kvm_intel or kvm_amd");
  }

  @Test
  void anotherFileIsNoKvm(@TempDir Path dir) throws Exception {
    String path = Files.createFile(dir.resolve("plain")).toString();
    assertFailure(
        () -> Kvm.open(path), "KVM_GET_API_VERSION", Errno.ENOTTY, "does not know the ioctl");
  }

  @Test
  void closedDescriptorsSayThatTheyAreClosed() {
    TinyGuest guest = new TinyGuest(3, "EB FE  jmp self");
    guest.close();
    assertFailure(guest.kvm::createVm, "KVM_CREATE_VM", Errno.EBADF, "is closed");
    assertFailure(() -> guest.vm.createVcpu(1), "KVM_CREATE_VCPU", Errno.EBADF, "is closed");
    assertFailure(guest.vcpu::run, "KVM_RUN", Errno.EBADF, "is closed");
    assertFailure(guest.vcpu::nmi, "KVM_NMI", Errno.EBADF, "is closed");
    assertFailure(() -> guest.vcpu.getRegs(new Regs()), "KVM_GET_REGS", Errno.EBADF, "is closed");
    guest.close();
  }

  @Test
  void wrongArgumentsSayWhatWouldBeRight() {
    try (TinyGuest guest = new TinyGuest(3, "EB FE  jmp self")) {
      VmFd vm = guest.vm;
      Mapping memory = guest.guestView;
      String region = "KVM_SET_USER_MEMORY_REGION";
      assertFailure(
          () -> vm.setUserMemoryRegion(1, 0, 0x100_0001, 0x1000, memory.address()),
          region,
          Errno.EINVAL,
          "multiples of 4096");
      assertFailure(
          () -> vm.setUserMemoryRegion(1, 0, 0x1000, 0x1000, memory.address()),
          region,
          Errno.EEXIST,
          "overlaps another slot");
      assertFailure(() -> vm.createVcpu(0), "KVM_CREATE_VCPU", Errno.EEXIST, "number them apart");
      assertFailure(
          () -> vm.createVcpu(1 << 20), "KVM_CREATE_VCPU", Errno.EINVAL, "KVM_CAP_MAX_VCPU_ID");
      assertFailure(
          () -> vm.enableCap(KvmCap.NR_VCPUS), "KVM_ENABLE_CAP", Errno.EINVAL, "KVM_CAP_NR_VCPUS");
      Sregs nonsense = Sregs.create();
      guest.vcpu.getSregs(nonsense);
      nonsense.cr0(0x8000_0000L); // paging without protected mode
      assertFailure(
          () -> guest.vcpu.setSregs(nonsense), "KVM_SET_SREGS", Errno.EINVAL, "contradict");
      assertFailure(() -> guest.vcpu.interrupt(256), "KVM_INTERRUPT", Errno.EINVAL, "out of range");
    }
  }

  @Test
  void whatCannotReachTheKernelIsRefusedBefore() {
    assertThatThrownBy(() -> MsrFilterRange.deny(0, 0)).hasMessageContaining("1 to 12288");
    assertThatThrownBy(() -> new Msrs(2).count(3)).hasMessage("3 MSRs in a list for 2");
    assertThatThrownBy(() -> new Regs().general(16)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new DebugRegs().db(4)).hasMessageContaining("DR4");
    assertThatThrownBy(() -> new Fpu().xmm(16, 0, 0)).hasMessage("register 16 of 16");
    assertThatThrownBy(() -> Sregs.create().copyFrom(Sregs.create2()))
        .hasMessageContaining("kvm_sregs2");
  }

  @Test
  void theHostTellsItsExtensions() {
    TinyGuest.assumeKvm();
    try (Kvm kvm = Kvm.open()) {
      assertThat(kvm.has(KvmCap.IMMEDIATE_EXIT)).isTrue();
      assertThat(kvm.has(KvmCap.USER_MEMORY)).isTrue();
      assertThat(kvm.checkExtension(KvmCap.MAX_VCPUS)).isGreaterThanOrEqualTo(1);
      assertThat(kvm.vcpuMmapSize()).isGreaterThanOrEqualTo(KvmAbi.RUN_BYTES);
      try (VmFd vm = kvm.createVm()) {
        assertThat(vm.xsaveBytes()).isGreaterThanOrEqualTo(4096);
        assertThat(vm.checkExtension(KvmCap.NR_MEMSLOTS)).isGreaterThan(2);
      }
    }
  }
}
