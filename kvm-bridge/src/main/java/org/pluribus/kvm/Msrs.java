package org.pluribus.kvm;

/**
 * A list of model-specific registers with values: {@code struct kvm_msrs} (asm/kvm.h).
 *
 * <p>Set the indices once and reuse the list; {@link VcpuFd#getMsrs} fills in values, {@link
 * VcpuFd#setMsrs} writes them. Not synchronised.
 */
public final class Msrs extends Struct {
  private final int capacity;

  /** Room for so many registers; the list starts with all of them, index 0. */
  public Msrs(int capacity) {
    super(KvmAbi.MSRS_BYTES + (long) capacity * KvmAbi.MSR_ENTRY_BYTES);
    this.capacity = capacity;
    count(capacity);
  }

  /** A list of these registers, values zero. */
  public static Msrs of(int... indices) {
    Msrs list = new Msrs(indices.length);
    for (int i = 0; i < indices.length; i++) {
      list.set(i, indices[i], 0);
    }
    return list;
  }

  /** How many entries count. */
  public int count() {
    return intAt(0);
  }

  /** Uses the first {@code count} entries only. */
  public void count(int count) {
    if (count < 0 || count > capacity) {
      throw new IndexOutOfBoundsException(count + " MSRs in a list for " + capacity);
    }
    intAt(0, count);
  }

  /** The register's index, as in ECX of RDMSR. */
  public int index(int entry) {
    return intAt(entry(entry) + KvmAbi.MSR_ENTRY_INDEX);
  }

  /** The register's value. */
  public long value(int entry) {
    return longAt(entry(entry) + KvmAbi.MSR_ENTRY_DATA);
  }

  public void value(int entry, long value) {
    longAt(entry(entry) + KvmAbi.MSR_ENTRY_DATA, value);
  }

  public void set(int entry, int index, long value) {
    intAt(entry(entry) + KvmAbi.MSR_ENTRY_INDEX, index);
    longAt(entry(entry) + KvmAbi.MSR_ENTRY_DATA, value);
  }

  private long entry(int entry) {
    if (entry < 0 || entry >= capacity) {
      throw new IndexOutOfBoundsException("entry " + entry + " in a list for " + capacity);
    }
    return KvmAbi.MSRS_BYTES + (long) entry * KvmAbi.MSR_ENTRY_BYTES;
  }
}
