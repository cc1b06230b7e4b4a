package org.pluribus.kvm;

import java.util.ArrayList;
import java.util.List;

/** {@code struct kvm_cpuid2} with its entries, as the kernel wants it. */
final class CpuidBuffer extends Struct {
  /** More entries than any kernel has offered yet; KVM_MAX_CPUID_ENTRIES of kvm_host.h. */
  static final int MAX_ENTRIES = 256;

  /** An empty list with room for {@link #MAX_ENTRIES}. */
  CpuidBuffer() {
    super(KvmAbi.CPUID_BYTES + (long) MAX_ENTRIES * KvmAbi.CPUID_ENTRY_BYTES);
    intAt(0, MAX_ENTRIES);
  }

  CpuidBuffer(List<CpuidEntry> entries) {
    this();
    if (entries.size() > MAX_ENTRIES) {
      throw new IllegalArgumentException(
          "%d CPUID entries: at most %d".formatted(entries.size(), MAX_ENTRIES));
    }
    intAt(0, entries.size());
    for (int i = 0; i < entries.size(); i++) {
      write(KvmAbi.CPUID_BYTES + (long) i * KvmAbi.CPUID_ENTRY_BYTES, entries.get(i));
    }
  }

  private void write(long at, CpuidEntry e) {
    intAt(at + KvmAbi.CPUID_ENTRY_FUNCTION, e.function());
    intAt(at + KvmAbi.CPUID_ENTRY_INDEX, e.index());
    intAt(at + KvmAbi.CPUID_ENTRY_FLAGS, e.flags());
    intAt(at + KvmAbi.CPUID_ENTRY_EAX, e.eax());
    intAt(at + KvmAbi.CPUID_ENTRY_EBX, e.ebx());
    intAt(at + KvmAbi.CPUID_ENTRY_ECX, e.ecx());
    intAt(at + KvmAbi.CPUID_ENTRY_EDX, e.edx());
  }

  List<CpuidEntry> entries() {
    int count = Math.min(intAt(0), MAX_ENTRIES);
    List<CpuidEntry> list = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      list.add(read(KvmAbi.CPUID_BYTES + (long) i * KvmAbi.CPUID_ENTRY_BYTES));
    }
    return List.copyOf(list);
  }

  private CpuidEntry read(long at) {
    return new CpuidEntry(
        intAt(at + KvmAbi.CPUID_ENTRY_FUNCTION),
        intAt(at + KvmAbi.CPUID_ENTRY_INDEX),
        intAt(at + KvmAbi.CPUID_ENTRY_FLAGS),
        intAt(at + KvmAbi.CPUID_ENTRY_EAX),
        intAt(at + KvmAbi.CPUID_ENTRY_EBX),
        intAt(at + KvmAbi.CPUID_ENTRY_ECX),
        intAt(at + KvmAbi.CPUID_ENTRY_EDX));
  }
}
