package org.pluribus.kvm;

import java.lang.foreign.MemorySegment;

/**
 * Segments, descriptor tables, control registers, EFER, APIC base: {@code struct kvm_sregs}
 * (asm/kvm.h), or {@code struct kvm_sregs2}, whose beginning is the same and whose end holds the
 * PDPTRs instead of the pending interrupt.
 *
 * <p>Make one and reuse it. Not synchronised.
 */
public final class Sregs extends Struct {
  private static final int PDPTRS = 4;
  private static final int NO_INTERRUPT = -1;

  private final Segment cs = segment(KvmAbi.SREGS_CS);
  private final Segment ds = segment(KvmAbi.SREGS_DS);
  private final Segment es = segment(KvmAbi.SREGS_ES);
  private final Segment fs = segment(KvmAbi.SREGS_FS);
  private final Segment gs = segment(KvmAbi.SREGS_GS);
  private final Segment ss = segment(KvmAbi.SREGS_SS);
  private final Segment tr = segment(KvmAbi.SREGS_TR);
  private final Segment ldt = segment(KvmAbi.SREGS_LDT);
  private final boolean second;

  private Sregs(int size, boolean second) {
    super(size);
    this.second = second;
  }

  /** A view of registers that lie in the run area. */
  Sregs(MemorySegment bytes) {
    super(bytes, KvmAbi.SREGS_BYTES);
    this.second = false;
  }

  /** All zeros, for {@link VcpuFd#getSregs} and {@link VcpuFd#setSregs}. */
  public static Sregs create() {
    return new Sregs(KvmAbi.SREGS_BYTES, false);
  }

  /** All zeros, for {@link VcpuFd#getSregs2} and {@link VcpuFd#setSregs2}. */
  public static Sregs create2() {
    return new Sregs(KvmAbi.SREGS2_BYTES, true);
  }

  private Segment segment(int offset) {
    return new Segment(bytes().asSlice(offset));
  }

  /** Whether this is the second form, with PDPTRs. */
  public boolean isSecondForm() {
    return second;
  }

  /**
   * Copies all of another's values.
   *
   * @throws IllegalArgumentException if the other is of the other form
   */
  public void copyFrom(Sregs other) {
    if (other.second != second) {
      throw new IllegalArgumentException("kvm_sregs and kvm_sregs2 differ; copy between equals");
    }
    copyBytes(other);
  }

  /** The vector that is being injected, or -1 (first form only; 0 to 255). */
  public int interruptInjected() {
    requireForm(false);
    for (int i = 0; i < 4; i++) {
      long word = longAt(KvmAbi.SREGS_INTERRUPT_BITMAP + 8L * i);
      if (word != 0) {
        return 64 * i + Long.numberOfTrailingZeros(word);
      }
    }
    return NO_INTERRUPT;
  }

  /** The page-directory pointers of PAE paging are valid (second form only). */
  public boolean pdptrsValid() {
    requireForm(true);
    return (longAt(KvmAbi.SREGS2_FLAGS) & KvmAbi.KVM_SREGS2_FLAGS_PDPTRS_VALID) != 0;
  }

  public void pdptrsValid(boolean valid) {
    requireForm(true);
    longAt(KvmAbi.SREGS2_FLAGS, valid ? KvmAbi.KVM_SREGS2_FLAGS_PDPTRS_VALID : 0);
  }

  /** Page-directory pointer 0 to 3 (second form only). */
  public long pdptr(int index) {
    requireForm(true);
    return longAt(KvmAbi.SREGS2_PDPTRS + 8L * checkPdptr(index));
  }

  public void pdptr(int index, long value) {
    requireForm(true);
    longAt(KvmAbi.SREGS2_PDPTRS + 8L * checkPdptr(index), value);
  }

  private static int checkPdptr(int index) {
    if (index < 0 || index >= PDPTRS) {
      throw new IndexOutOfBoundsException("PDPTR " + index + ": there are four, 0 to 3");
    }
    return index;
  }

  private void requireForm(boolean wanted) {
    if (second != wanted) {
      throw new IllegalStateException(
          wanted ? "use Sregs.create2() for PDPTRs" : "use Sregs.create() for the interrupt");
    }
  }

  public Segment cs() {
    return cs;
  }

  public Segment ds() {
    return ds;
  }

  public Segment es() {
    return es;
  }

  public Segment fs() {
    return fs;
  }

  public Segment gs() {
    return gs;
  }

  public Segment ss() {
    return ss;
  }

  public Segment tr() {
    return tr;
  }

  public Segment ldt() {
    return ldt;
  }

  public long gdtBase() {
    return longAt(KvmAbi.SREGS_GDT + KvmAbi.DTABLE_BASE);
  }

  public int gdtLimit() {
    return shortAt(KvmAbi.SREGS_GDT + KvmAbi.DTABLE_LIMIT);
  }

  public void gdt(long base, int limit) {
    longAt(KvmAbi.SREGS_GDT + KvmAbi.DTABLE_BASE, base);
    shortAt(KvmAbi.SREGS_GDT + KvmAbi.DTABLE_LIMIT, limit);
  }

  public long idtBase() {
    return longAt(KvmAbi.SREGS_IDT + KvmAbi.DTABLE_BASE);
  }

  public int idtLimit() {
    return shortAt(KvmAbi.SREGS_IDT + KvmAbi.DTABLE_LIMIT);
  }

  public void idt(long base, int limit) {
    longAt(KvmAbi.SREGS_IDT + KvmAbi.DTABLE_BASE, base);
    shortAt(KvmAbi.SREGS_IDT + KvmAbi.DTABLE_LIMIT, limit);
  }

  public long cr0() {
    return longAt(KvmAbi.SREGS_CR0);
  }

  public void cr0(long value) {
    longAt(KvmAbi.SREGS_CR0, value);
  }

  public long cr2() {
    return longAt(KvmAbi.SREGS_CR2);
  }

  public void cr2(long value) {
    longAt(KvmAbi.SREGS_CR2, value);
  }

  public long cr3() {
    return longAt(KvmAbi.SREGS_CR3);
  }

  public void cr3(long value) {
    longAt(KvmAbi.SREGS_CR3, value);
  }

  public long cr4() {
    return longAt(KvmAbi.SREGS_CR4);
  }

  public void cr4(long value) {
    longAt(KvmAbi.SREGS_CR4, value);
  }

  public long cr8() {
    return longAt(KvmAbi.SREGS_CR8);
  }

  public void cr8(long value) {
    longAt(KvmAbi.SREGS_CR8, value);
  }

  public long efer() {
    return longAt(KvmAbi.SREGS_EFER);
  }

  public void efer(long value) {
    longAt(KvmAbi.SREGS_EFER, value);
  }

  public long apicBase() {
    return longAt(KvmAbi.SREGS_APIC_BASE);
  }

  public void apicBase(long value) {
    longAt(KvmAbi.SREGS_APIC_BASE, value);
  }
}
