package org.pluribus.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.List;
import org.pluribus.posix.Descriptor;
import org.pluribus.posix.Errno;
import org.pluribus.posix.PosixException;

/**
 * The host's virtualisation: {@code /dev/kvm}, open. Makes VMs and tells what they can have.
 *
 * <p>Safe for any thread. VMs live on after {@link #close()}.
 */
public final class Kvm implements AutoCloseable {
  /** The device. */
  public static final String DEVICE = "/dev/kvm";

  /** MSR index lists are asked for with this much room; KVM has some 400. */
  private static final int MAX_MSRS = 4096;

  private final Descriptor device;

  private Kvm(Descriptor device) {
    this.device = device;
  }

  /**
   * Opens {@link #DEVICE} and checks that its interface is version 12, the only one there is.
   *
   * @throws PosixException ENOENT without KVM in the kernel, EACCES without permission, ENODEV
   *     without hardware support
   */
  public static Kvm open() {
    return open(DEVICE);
  }

  /** Opens KVM's device under another path. */
  public static Kvm open(String path) {
    int fd = Descriptor.tryOpen(path, Descriptor.O_RDWR | Descriptor.O_CLOEXEC);
    if (fd < 0) {
      Errno errno = Errno.of(-fd);
      throw new PosixException("open", path, errno, openCure(errno, path));
    }
    Descriptor device = Descriptor.owning(fd);
    try {
      int version = KvmIoctl.KVM_GET_API_VERSION.require(fd, 0);
      if (version != KvmAbi.KVM_API_VERSION) {
        throw new UnsupportedOperationException(
            "%s speaks KVM version %d, we need %d; use Linux 2.6.22 or later"
                .formatted(path, version, KvmAbi.KVM_API_VERSION));
      }
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
    return new Kvm(device);
  }

  private static String openCure(Errno errno, String path) {
    if (errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM)) {
      return "you may not open %s; join its group: usermod -aG kvm USER, log in again (ls -l %s must show group kvm, mode 660)"
          .formatted(path, path);
    }
    if (errno.equals(Errno.ENOENT) || errno.equals(Errno.ENODEV) || errno.equals(Errno.ENXIO)) {
      return "no KVM here; enable virtualisation in the firmware and modprobe kvm_intel or kvm_amd"
          + " (in a container: --device "
          + DEVICE
          + ")";
    }
    return errno.cure();
  }

  /** The descriptor's number, -1 once closed. */
  public int fd() {
    return device.fd();
  }

  /**
   * What the host says of an extension: 0 if it lacks it, else 1 or a number that belongs to it.
   * Some answers differ per VM: {@link VmFd#checkExtension}.
   */
  public int checkExtension(KvmCap extension) {
    return KvmIoctl.KVM_CHECK_EXTENSION.require(fd(), extension.number());
  }

  /** Whether the host has an extension. */
  public boolean has(KvmCap extension) {
    return checkExtension(extension) > 0;
  }

  /** Size in bytes of a vCPU's run area. */
  public int vcpuMmapSize() {
    return KvmIoctl.KVM_GET_VCPU_MMAP_SIZE.require(fd(), 0);
  }

  /**
   * The CPUID answers that this host and its KVM can give to a guest. A superset of what a VM
   * should show: APIC ids and topology are the caller's to fill in.
   */
  public List<CpuidEntry> supportedCpuid() {
    CpuidBuffer buffer = new CpuidBuffer();
    KvmIoctl.KVM_GET_SUPPORTED_CPUID.require(fd(), buffer.address());
    List<CpuidEntry> entries = buffer.entries();
    Reference.reachabilityFence(buffer);
    return entries;
  }

  /** The MSRs whose values belong to a vCPU's state and can be got and set. */
  public int[] msrIndices() {
    return msrList(KvmIoctl.KVM_GET_MSR_INDEX_LIST);
  }

  /** The MSRs by which the host tells its features. */
  public int[] featureMsrIndices() {
    return msrList(KvmIoctl.KVM_GET_MSR_FEATURE_INDEX_LIST);
  }

  private int[] msrList(KvmIoctl request) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list =
          arena.allocate(KvmAbi.MSR_LIST_BYTES + (long) MAX_MSRS * Integer.BYTES, Integer.BYTES);
      list.set(JAVA_INT, 0, MAX_MSRS);
      request.require(fd(), list.address());
      int count = list.get(JAVA_INT, 0);
      return list.asSlice(KvmAbi.MSR_LIST_BYTES, (long) count * Integer.BYTES).toArray(JAVA_INT);
    }
  }

  /** Makes a VM without memory, vCPUs or interrupt controllers. */
  public VmFd createVm() {
    int fd = KvmIoctl.KVM_CREATE_VM.require(fd(), 0);
    return new VmFd(Descriptor.owning(fd), vcpuMmapSize());
  }

  @Override
  public void close() {
    device.close();
  }
}
