package org.pluribus.kvm;

/** DR0 to DR3, DR6 and DR7: {@code struct kvm_debugregs} (asm/kvm.h). Not synchronised. */
public final class DebugRegs extends Struct {
  private static final int BREAKPOINTS = 4;

  /** All zeros. */
  public DebugRegs() {
    super(KvmAbi.DEBUGREGS_BYTES);
  }

  /** Breakpoint address 0 to 3. */
  public long db(int index) {
    return longAt(offset(index));
  }

  public void db(int index, long value) {
    longAt(offset(index), value);
  }

  private static long offset(int index) {
    if (index < 0 || index >= BREAKPOINTS) {
      throw new IndexOutOfBoundsException("DR" + index + ": there are four, 0 to 3");
    }
    return KvmAbi.DEBUGREGS_DB + 8L * index;
  }

  public long dr6() {
    return longAt(KvmAbi.DEBUGREGS_DR6);
  }

  public void dr6(long value) {
    longAt(KvmAbi.DEBUGREGS_DR6, value);
  }

  public long dr7() {
    return longAt(KvmAbi.DEBUGREGS_DR7);
  }

  public void dr7(long value) {
    longAt(KvmAbi.DEBUGREGS_DR7, value);
  }
}
