package org.pluribus.hw.host;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.pluribus.kvm.Kvm;
import org.pluribus.kvm.KvmCap;
import org.pluribus.posix.PosixException;
import org.pluribus.uffd.UffdFeature;
import org.pluribus.uffd.UserfaultFd;

/**
 * Whether an operating system should run under this host's KVM: what {@code --vmi auto} goes by.
 *
 * @param isFit whether it should; if not, it belongs on the emulator
 * @param reason why, in one line, to follow "because"
 */
public record KvmFitness(boolean isFit, String reason) {
  /** KVM's extensions that a node cannot do without. */
  public static final Set<KvmCap> CAPABILITIES =
      Set.copyOf(
          EnumSet.of(
              KvmCap.USER_MEMORY,
              KvmCap.IMMEDIATE_EXIT,
              KvmCap.GET_TSC_KHZ,
              KvmCap.VCPU_ATTRIBUTES,
              KvmCap.X86_USER_SPACE_MSR,
              KvmCap.X86_MSR_FILTER));

  /**
   * Features of userfaultfd that guard guest RAM: a memfd, for reading and for writing. The last is
   * not used itself: it came with Linux 6.4, as did mapping a page that others share, which must be
   * write-protected from the start (UFFDIO_CONTINUE_MODE_WP) and which the kernel does not
   * announce.
   */
  public static final Set<UffdFeature> FAULT_FEATURES =
      Set.copyOf(
          EnumSet.of(
              UffdFeature.MISSING_SHMEM,
              UffdFeature.MINOR_SHMEM,
              UffdFeature.PAGEFAULT_FLAG_WP,
              UffdFeature.WP_HUGETLBFS_SHMEM,
              UffdFeature.WP_UNPOPULATED));

  /** Tries all that a node under KVM needs; some milliseconds. */
  public static KvmFitness ofThisHost() {
    return of(Kvm.DEVICE);
  }

  /** The same with KVM's device under another path. */
  static KvmFitness of(String device) {
    try (Kvm kvm = Kvm.open(device)) {
      List<KvmCap> lacking = lacking(kvm);
      if (!lacking.isEmpty()) {
        return new KvmFitness(false, "this host's KVM lacks " + names(lacking));
      }
      requireFaultHandling();
      KernelCodeProbe.Verdict verdict = KernelCodeProbe.run(kvm);
      return new KvmFitness(
          verdict.isNative(),
          "this host's KVM %s kernel code natively (%s)"
              .formatted(verdict.isNative() ? "runs" : "does not run", verdict.reason()));
    } catch (PosixException | UnsupportedOperationException e) {
      return new KvmFitness(false, String.valueOf(e.getMessage()));
    }
  }

  /**
   * Tries whether this process may guard guest RAM.
   *
   * @throws PosixException EPERM without permission
   * @throws UnsupportedOperationException naming the features that this kernel lacks
   */
  public static void requireFaultHandling() {
    UserfaultFd.open(FAULT_FEATURES).close();
  }

  /** What KVM has not got of what a node needs. */
  static List<KvmCap> lacking(Kvm kvm) {
    return CAPABILITIES.stream().filter(c -> !kvm.has(c)).sorted().toList();
  }

  /** Extensions by their C names. */
  static String names(List<KvmCap> capabilities) {
    return String.join(", ", capabilities.stream().map(c -> "KVM_CAP_" + c).toList());
  }
}
