package org.pluribus.vmm.node;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.host.KernelCodeProbe;
import org.pluribus.kvm.CpuidEntry;
import org.pluribus.kvm.Kvm;
import org.pluribus.kvm.Msrs;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.kvm.VmFd;
import org.pluribus.posix.PosixException;
import org.pluribus.vmm.emulator.CpuModel;

/**
 * The processor that guests of this host's KVM should see: the host's own. A guest that took it for
 * another would leave out mitigations that this one needs.
 */
public final class KvmCpuModel {
  private static final int SPECULATION_LEAF = 7;
  private static final int EXTENDED8 = 0x8000_0008;
  private static final int EXTENDED21 = 0x8000_0021;

  private KvmCpuModel() {}

  /**
   * This host's processor as its KVM offers it to guests, or null where there is nothing to tell: a
   * KVM that does not execute kernel code natively runs no operating system, and of processors of
   * other vendors we know nothing.
   *
   * @throws UnfitHostException when there is no usable /dev/kvm
   */
  public static @Nullable CpuModel here() {
    try (Kvm kvm = Kvm.open()) {
      return KernelCodeProbe.run(kvm).isNative() ? offered(kvm) : null;
    } catch (PosixException e) {
      throw new UnfitHostException(e);
    }
  }

  /**
   * Makes sure that this host's processor can be shown as {@code model}.
   *
   * @throws UnfitHostException saying why it cannot
   */
  public static void require(CpuModel model) {
    try (Kvm kvm = Kvm.open()) {
      CpuModel host = offered(kvm);
      String misfit =
          host == null ? "this host's processor is of an unknown vendor" : model.misfit(host);
      if (misfit != null) {
        throw new UnfitHostException(
            misfit + "; leave cpuModel out of the cluster file, or use hosts of one kind");
      }
    } catch (PosixException e) {
      throw new UnfitHostException(e);
    }
  }

  private static @Nullable CpuModel offered(Kvm kvm) {
    List<CpuidEntry> supported = kvm.supportedCpuid();
    String vendor = vendor(find(supported, 0, 0));
    if (!CpuModel.knowsVendor(vendor)) {
      return null;
    }
    return new CpuModel(
            vendor,
            find(supported, 1, 0).eax(),
            find(supported, SPECULATION_LEAF, 0).edx(),
            find(supported, SPECULATION_LEAF, 2).edx(),
            find(supported, EXTENDED8, 0).ebx(),
            find(supported, EXTENDED21, 0).eax(),
            archCapabilities(kvm))
        .masked();
  }

  /** The entry for a leaf, or one of zeros: what a processor tells of leaves that it lacks. */
  private static CpuidEntry find(List<CpuidEntry> entries, int leaf, int subleaf) {
    for (CpuidEntry e : entries) {
      if (e.function() == leaf && (!e.indexCounts() || e.index() == subleaf)) {
        return e;
      }
    }
    return new CpuidEntry(leaf, subleaf, 0, 0, 0, 0, 0);
  }

  private static String vendor(CpuidEntry leaf0) {
    ByteBuffer letters = ByteBuffer.allocate(3 * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    letters.putInt(leaf0.ebx()).putInt(leaf0.edx()).putInt(leaf0.ecx());
    return new String(letters.array(), StandardCharsets.US_ASCII);
  }

  /** What a new vCPU has in IA32_ARCH_CAPABILITIES: all that KVM can vouch for; 0 if it cannot. */
  private static long archCapabilities(Kvm kvm) {
    try (VmFd vm = kvm.createVm();
        VcpuFd vcpu = vm.createVcpu(0)) {
      vcpu.setCpuid(kvm.supportedCpuid());
      Msrs list = Msrs.of(KvmMsrs.ARCH_CAPABILITIES);
      return vcpu.getMsrs(list) == 1 ? list.value(0) : 0;
    }
  }
}
