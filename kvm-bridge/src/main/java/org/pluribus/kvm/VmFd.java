package org.pluribus.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.pluribus.posix.Abi;
import org.pluribus.posix.Descriptor;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.PosixException;

/**
 * A virtual machine: guest-physical memory, and what all vCPUs share.
 *
 * <p>Safe for any thread. Close the vCPUs first; memory handed to {@link #setUserMemoryRegion} must
 * stay mapped until the region is deleted or all descriptors of the VM are closed.
 */
@Abi.Headers({"linux/kvm.h"})
public final class VmFd implements AutoCloseable {
  /** Region flag: remember which pages the guest wrote; linux/kvm.h, as the next. */
  @Abi("KVM_MEM_LOG_DIRTY_PAGES")
  public static final int MEM_LOG_DIRTY_PAGES = 1;

  /** Region flag: guest writes exit as MMIO. */
  @Abi("KVM_MEM_READONLY")
  public static final int MEM_READONLY = 2;

  /** Reason bit of {@link KvmCap#X86_USER_SPACE_MSR}: an access KVM would answer with #GP. */
  @Abi("KVM_MSR_EXIT_REASON_INVAL")
  public static final int MSR_EXIT_INVALID = 1;

  /** Reason bit: an MSR that KVM does not know. */
  @Abi("KVM_MSR_EXIT_REASON_UNKNOWN")
  public static final int MSR_EXIT_UNKNOWN = 2;

  /** Reason bit: an MSR that the filter denies. */
  @Abi("KVM_MSR_EXIT_REASON_FILTER")
  public static final int MSR_EXIT_FILTERED = 4;

  private final Descriptor vm;
  private final int runBytes;

  VmFd(Descriptor vm, int runBytes) {
    this.vm = vm;
    this.runBytes = runBytes;
  }

  /** The descriptor's number, -1 once closed. */
  public int fd() {
    return vm.fd();
  }

  /** What this VM says of an extension; see {@link Kvm#checkExtension}. */
  public int checkExtension(KvmCap extension) {
    return KvmIoctl.KVM_CHECK_EXTENSION.require(fd(), extension.number());
  }

  /** Size in bytes of a vCPU's extended state, for {@link Xsave}; at least 4096. */
  public int xsaveBytes() {
    return Math.max(checkExtension(KvmCap.XSAVE2), KvmAbi.XSAVE_BYTES);
  }

  /**
   * Shows a range of this process's memory to the guest.
   *
   * @param slot the region's number; setting it again moves it or changes its flags, 0 bytes delete
   *     it
   * @param flags MEM_ bits
   * @param guestPhysical first address for the guest, multiple of 4096
   * @param bytes length, multiple of 4096
   * @param hostAddress first address in this process, multiple of 4096
   * @throws PosixException EINVAL, EEXIST if it overlaps another, ENOMEM
   */
  public void setUserMemoryRegion(
      int slot, int flags, long guestPhysical, long bytes, long hostAddress) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment region = arena.allocate(KvmAbi.REGION_BYTES, Long.BYTES);
      region.set(JAVA_INT, KvmAbi.REGION_SLOT, slot);
      region.set(JAVA_INT, KvmAbi.REGION_FLAGS, flags);
      region.set(JAVA_LONG, KvmAbi.REGION_GUEST, guestPhysical);
      region.set(JAVA_LONG, KvmAbi.REGION_LENGTH, bytes);
      region.set(JAVA_LONG, KvmAbi.REGION_HOST, hostAddress);
      int answer = KvmIoctl.KVM_SET_USER_MEMORY_REGION.call(fd(), region.address());
      if (answer < 0) {
        throw KvmIoctl.KVM_SET_USER_MEMORY_REGION.failure(
            -answer,
            "slot %d, guest 0x%x, %d bytes at 0x%x"
                .formatted(slot, guestPhysical, bytes, hostAddress));
      }
    }
  }

  /** Shows all of a mapping to the guest, from a guest-physical address on. */
  public void setUserMemoryRegion(int slot, long guestPhysical, Mapping memory) {
    setUserMemoryRegion(slot, 0, guestPhysical, memory.length(), memory.address());
  }

  /**
   * Tells Intel hosts where three pages of guest-physical address space are free for a task-state
   * segment of theirs; before the first vCPU. Others ignore it.
   */
  public void setTssAddress(long guestPhysical) {
    KvmIoctl.KVM_SET_TSS_ADDR.require(fd(), guestPhysical);
  }

  /** Tells Intel hosts where one page is free for a page table of theirs; before the first vCPU. */
  public void setIdentityMapAddress(long guestPhysical) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(JAVA_LONG);
      address.set(JAVA_LONG, 0, guestPhysical);
      KvmIoctl.KVM_SET_IDENTITY_MAP_ADDR.require(fd(), address.address());
    }
  }

  /** The VM's clock in nanoseconds: what kvmclock shows to guests that use it. */
  public long clockNanos() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment clock = arena.allocate(KvmAbi.CLOCK_BYTES, Long.BYTES);
      KvmIoctl.KVM_GET_CLOCK.require(fd(), clock.address());
      return clock.get(JAVA_LONG, KvmAbi.CLOCK_NANOS);
    }
  }

  /** Sets the VM's clock, nanoseconds. */
  public void setClockNanos(long nanos) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment clock = arena.allocate(KvmAbi.CLOCK_BYTES, Long.BYTES);
      clock.set(JAVA_LONG, KvmAbi.CLOCK_NANOS, nanos);
      KvmIoctl.KVM_SET_CLOCK.require(fd(), clock.address());
    }
  }

  /**
   * Switches an extension on.
   *
   * @param arguments what the extension takes, at most four; for {@link KvmCap#X86_USER_SPACE_MSR}
   *     the MSR_EXIT_ bits
   * @throws PosixException EINVAL if the kernel lacks it
   */
  public void enableCap(KvmCap extension, long... arguments) {
    if (arguments.length > KvmAbi.ENABLE_CAP_MAX_ARGS) {
      throw new IllegalArgumentException(
          "%s with %d arguments: at most 4".formatted(extension, arguments.length));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cap = arena.allocate(KvmAbi.ENABLE_CAP_BYTES, Long.BYTES);
      cap.set(JAVA_INT, KvmAbi.ENABLE_CAP_CAP, extension.number());
      for (int i = 0; i < arguments.length; i++) {
        cap.set(JAVA_LONG, KvmAbi.ENABLE_CAP_ARGS + 8L * i, arguments[i]);
      }
      int answer = KvmIoctl.KVM_ENABLE_CAP.call(fd(), cap.address());
      if (answer < 0) {
        throw KvmIoctl.KVM_ENABLE_CAP.failure(-answer, "KVM_CAP_" + extension);
      }
    }
  }

  /**
   * Denies guest accesses to MSRs. A denied access raises #GP in the guest, or exits if {@link
   * #MSR_EXIT_FILTERED} is enabled. Replaces the former filter. With ranges absent, all is allowed.
   *
   * @param defaultAllow what holds for MSRs outside all ranges
   * @param ranges at most 16; x2APIC MSRs (0x800-0x8FF) cannot be denied (Linux ignores it)
   */
  public void setMsrFilter(boolean defaultAllow, List<MsrFilterRange> ranges) {
    if (ranges.size() > KvmAbi.KVM_MSR_FILTER_MAX_RANGES) {
      throw new IllegalArgumentException(
          "%d MSR filter ranges: at most 16".formatted(ranges.size()));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment filter = arena.allocate(KvmAbi.MSR_FILTER_BYTES, Long.BYTES);
      filter.set(JAVA_INT, 0, defaultAllow ? 0 : KvmAbi.KVM_MSR_FILTER_DEFAULT_DENY);
      for (int i = 0; i < ranges.size(); i++) {
        long at = KvmAbi.MSR_FILTER_RANGES + (long) i * KvmAbi.MSR_RANGE_BYTES;
        ranges.get(i).write(filter.asSlice(at, KvmAbi.MSR_RANGE_BYTES), arena);
      }
      KvmIoctl.KVM_X86_SET_MSR_FILTER.require(fd(), filter.address());
    }
  }

  /**
   * Sets the TSC frequency of vCPUs made later ({@link KvmCap#VM_TSC_CONTROL}).
   *
   * @param kilohertz guest ticks per millisecond; must be the host's unless {@link
   *     KvmCap#TSC_CONTROL}
   */
  public void setTscKhz(int kilohertz) {
    KvmIoctl.KVM_SET_TSC_KHZ.require(fd(), kilohertz);
  }

  /** The TSC frequency of vCPUs made later, kHz. */
  public int tscKhz() {
    return KvmIoctl.KVM_GET_TSC_KHZ.require(fd(), 0);
  }

  /**
   * Makes a vCPU in the state after reset (for the boot processor).
   *
   * @param id its number and initial APIC id, below {@link KvmCap#MAX_VCPU_ID}
   * @throws PosixException EEXIST, EINVAL, ENOMEM
   */
  public VcpuFd createVcpu(int id) {
    int answer = KvmIoctl.KVM_CREATE_VCPU.call(fd(), id);
    if (answer < 0) {
      throw KvmIoctl.KVM_CREATE_VCPU.failure(-answer, "vCPU " + id);
    }
    Descriptor vcpu = Descriptor.owning(answer);
    try {
      return new VcpuFd(id, vcpu, new KvmRun(vcpu, runBytes));
    } catch (RuntimeException e) {
      vcpu.close();
      throw e;
    }
  }

  @Override
  public void close() {
    vm.close();
  }
}
