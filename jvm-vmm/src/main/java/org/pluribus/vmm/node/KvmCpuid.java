package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.pluribus.kvm.CpuidEntry;
import org.pluribus.kvm.Kvm;
import org.pluribus.vmm.emulator.CpuFeature;
import org.pluribus.vmm.emulator.CpuidTable;

/**
 * CPUID under KVM: the guest is told the same on every node, by {@link CpuidTable}, and a host that
 * has not got all of it cannot be one.
 */
final class KvmCpuid {
  private KvmCpuid() {}

  /** What this host's KVM cannot give to a guest, of all that a machine may promise. */
  static Set<CpuFeature> lacking(Kvm kvm) {
    List<CpuidEntry> supported = kvm.supportedCpuid();
    Set<CpuFeature> lacking = EnumSet.noneOf(CpuFeature.class);
    for (CpuFeature f : CpuFeature.values()) {
      if (!isSupported(supported, f)) {
        lacking.add(f);
      }
    }
    return lacking;
  }

  private static boolean isSupported(List<CpuidEntry> supported, CpuFeature f) {
    for (CpuidEntry e : supported) {
      if (e.function() == f.leaf() && (!e.indexCounts() || e.index() == 0)) {
        int value =
            switch (f.register()) {
              case EAX -> e.eax();
              case EBX -> e.ebx();
              case ECX -> e.ecx();
              case EDX -> e.edx();
            };
        return (value & f.mask()) != 0;
      }
    }
    return false;
  }

  /** The table as KVM takes it. */
  static List<CpuidEntry> entries(CpuidTable table) {
    List<CpuidEntry> entries = new ArrayList<>();
    for (int[] at : table.known()) {
      int leaf = at[0];
      int subleaf = at[1];
      entries.add(
          new CpuidEntry(
              leaf,
              subleaf,
              CpuidTable.isIndexed(leaf) ? CpuidEntry.FLAG_SIGNIFICANT_INDEX : 0,
              table.eax(leaf, subleaf),
              table.ebx(leaf, subleaf),
              table.ecx(leaf, subleaf),
              table.edx(leaf, subleaf)));
    }
    return entries;
  }
}
