package org.pluribus.kvm;

import org.pluribus.posix.Errno;
import org.pluribus.posix.Ioctl;
import org.pluribus.posix.PosixException;

/**
 * The ioctls of /dev/kvm, of a VM and of a vCPU that this package uses; linux/kvm.h:916-1821.
 *
 * <p>The constants bear their C names, so that an error message can name the call. {@link
 * #call(int, long)} answers as the kernel does, {@link #require} throws.
 */
enum KvmIoctl {
  KVM_GET_API_VERSION(none(0x00)),
  KVM_CREATE_VM(none(0x01)),
  KVM_GET_MSR_INDEX_LIST(both(0x02, KvmAbi.MSR_LIST_BYTES)),
  KVM_CHECK_EXTENSION(none(0x03)),
  KVM_GET_VCPU_MMAP_SIZE(none(0x04)),
  KVM_GET_SUPPORTED_CPUID(both(0x05, KvmAbi.CPUID_BYTES)),
  KVM_GET_MSR_FEATURE_INDEX_LIST(both(0x0a, KvmAbi.MSR_LIST_BYTES)),

  KVM_CREATE_VCPU(none(0x41)),
  KVM_SET_USER_MEMORY_REGION(in(0x46, KvmAbi.REGION_BYTES)),
  KVM_SET_TSS_ADDR(none(0x47)),
  KVM_SET_IDENTITY_MAP_ADDR(in(0x48, Long.BYTES)),
  KVM_SET_CLOCK(in(0x7b, KvmAbi.CLOCK_BYTES)),
  KVM_GET_CLOCK(out(0x7c, KvmAbi.CLOCK_BYTES)),
  KVM_X86_SET_MSR_FILTER(in(0xc6, KvmAbi.MSR_FILTER_BYTES)),

  KVM_RUN(none(0x80)),
  KVM_GET_REGS(out(0x81, KvmAbi.REGS_BYTES)),
  KVM_SET_REGS(in(0x82, KvmAbi.REGS_BYTES)),
  KVM_GET_SREGS(out(0x83, KvmAbi.SREGS_BYTES)),
  KVM_SET_SREGS(in(0x84, KvmAbi.SREGS_BYTES)),
  KVM_TRANSLATE(both(0x85, KvmAbi.TRANSLATION_BYTES)),
  KVM_INTERRUPT(in(0x86, KvmAbi.INTERRUPT_BYTES)),
  KVM_GET_MSRS(both(0x88, KvmAbi.MSRS_BYTES)),
  KVM_SET_MSRS(in(0x89, KvmAbi.MSRS_BYTES)),
  KVM_GET_FPU(out(0x8c, KvmAbi.FPU_BYTES)),
  KVM_SET_FPU(in(0x8d, KvmAbi.FPU_BYTES)),
  KVM_SET_CPUID2(in(0x90, KvmAbi.CPUID_BYTES)),
  KVM_GET_CPUID2(both(0x91, KvmAbi.CPUID_BYTES)),
  KVM_GET_MP_STATE(out(0x98, KvmAbi.MP_STATE_BYTES)),
  KVM_SET_MP_STATE(in(0x99, KvmAbi.MP_STATE_BYTES)),
  KVM_NMI(none(0x9a)),
  KVM_SET_GUEST_DEBUG(in(0x9b, KvmAbi.GUEST_DEBUG_BYTES)),
  KVM_GET_VCPU_EVENTS(out(0x9f, KvmAbi.EVENTS_BYTES)),
  KVM_SET_VCPU_EVENTS(in(0xa0, KvmAbi.EVENTS_BYTES)),
  KVM_GET_DEBUGREGS(out(0xa1, KvmAbi.DEBUGREGS_BYTES)),
  KVM_SET_DEBUGREGS(in(0xa2, KvmAbi.DEBUGREGS_BYTES)),
  KVM_SET_TSC_KHZ(none(0xa2)),
  KVM_GET_TSC_KHZ(none(0xa3)),
  KVM_ENABLE_CAP(in(0xa3, KvmAbi.ENABLE_CAP_BYTES)),
  KVM_GET_XSAVE(out(0xa4, KvmAbi.XSAVE_BYTES)),
  KVM_SET_XSAVE(in(0xa5, KvmAbi.XSAVE_BYTES)),
  KVM_GET_XCRS(out(0xa6, KvmAbi.XCRS_BYTES)),
  KVM_SET_XCRS(in(0xa7, KvmAbi.XCRS_BYTES)),
  KVM_GET_SREGS2(out(0xcc, KvmAbi.SREGS2_BYTES)),
  KVM_SET_SREGS2(in(0xcd, KvmAbi.SREGS2_BYTES)),
  KVM_GET_XSAVE2(out(0xcf, KvmAbi.XSAVE_BYTES)),
  KVM_SET_DEVICE_ATTR(in(0xe1, KvmAbi.DEVICE_ATTR_BYTES)),
  KVM_GET_DEVICE_ATTR(in(0xe2, KvmAbi.DEVICE_ATTR_BYTES)),
  KVM_HAS_DEVICE_ATTR(in(0xe3, KvmAbi.DEVICE_ATTR_BYTES));

  private final long request;

  KvmIoctl(long request) {
    this.request = request;
  }

  private static long none(int number) {
    return Ioctl.none(KvmAbi.KVMIO, number);
  }

  private static long in(int number, int bytes) {
    return Ioctl.write(KvmAbi.KVMIO, number, bytes);
  }

  private static long out(int number, int bytes) {
    return Ioctl.read(KvmAbi.KVMIO, number, bytes);
  }

  private static long both(int number, int bytes) {
    return Ioctl.readWrite(KvmAbi.KVMIO, number, bytes);
  }

  /** The request number. */
  long request() {
    return request;
  }

  /** Calls it: the kernel's answer, or minus errno. Allocates nothing. */
  int call(int fd, long argument) {
    return Ioctl.call(fd, request, argument);
  }

  /** The same for requests that do not sleep; see {@link Ioctl#callShort}. */
  int callShort(int fd, long argument) {
    return Ioctl.callShort(fd, request, argument);
  }

  /** Calls it and throws if the kernel refuses. */
  int require(int fd, long argument) {
    return checked(call(fd, argument), fd);
  }

  /** Passes an answer on, or throws what it says. */
  int checked(int answer, int fd) {
    if (answer < 0) {
      throw failure(-answer, fd < 0 ? "closed" : "fd " + fd);
    }
    return answer;
  }

  /** The exception for an errno of this ioctl. */
  PosixException failure(int errno, String detail) {
    Errno e = Errno.of(errno);
    return new PosixException(name(), detail, e, cure(e));
  }

  private String cure(Errno errno) {
    if (errno.equals(Errno.EBADF)) {
      return "the VM or vCPU is closed; do not use it any more";
    }
    if (errno.equals(Errno.ENOTTY)) {
      return "this kernel's KVM does not know the ioctl; use a newer kernel or check the extension";
    }
    return switch (this) {
      case KVM_CREATE_VM ->
          errno.equals(Errno.EBUSY)
              ? "another hypervisor holds the CPU's virtualisation; stop it"
              : errno.cure();
      case KVM_CREATE_VCPU ->
          errno.equals(Errno.EEXIST)
              ? "the VM has a vCPU of this id already; number them apart"
              : "the id must be below KVM_CAP_MAX_VCPU_ID and the VM have fewer vCPUs than"
                  + " KVM_CAP_MAX_VCPUS";
      case KVM_SET_USER_MEMORY_REGION ->
          errno.equals(Errno.EEXIST)
              ? "the region overlaps another slot; give each its own guest addresses"
              : errno.equals(Errno.EINVAL)
                  ? "addresses and size must be multiples of 4096, the slot below"
                      + " KVM_CAP_NR_MEMSLOTS, and a slot's size cannot change: delete it first"
                  : errno.cure();
      case KVM_ENABLE_CAP, KVM_X86_SET_MSR_FILTER ->
          "this kernel's KVM lacks the capability or the value is wrong; check the extension, or"
              + " use a newer kernel";
      case KVM_SET_CPUID2 ->
          "set CPUID before the vCPU's first run, with entries that KVM_GET_SUPPORTED_CPUID offers";
      case KVM_SET_SREGS, KVM_SET_SREGS2 ->
          "the control registers, EFER and segments contradict each other (SDM volume 3, 2.5)";
      case KVM_GET_CPUID2, KVM_GET_SUPPORTED_CPUID, KVM_GET_MSR_INDEX_LIST ->
          errno.equals(Errno.E2BIG)
              ? "the host has more entries than a list may hold"
              : errno.cure();
      default -> errno.cure();
    };
  }
}
