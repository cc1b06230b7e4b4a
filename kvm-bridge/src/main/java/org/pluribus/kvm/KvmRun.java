package org.pluribus.kvm;

import java.lang.foreign.MemorySegment;
import org.pluribus.posix.Abi;
import org.pluribus.posix.Descriptor;
import org.pluribus.posix.HostMemory;
import org.pluribus.posix.Mapping;

/**
 * A vCPU's run area: memory shared with the kernel, {@code struct kvm_run} (linux/kvm.h).
 *
 * <p>Before a run the vCPU's thread says here what it wants (an exit as soon as an interrupt can be
 * taken, CR8, the APIC base), afterwards it reads what happened; {@link VcpuExit} shows the part
 * that depends on the exit's kind. All of it belongs to the thread that runs the vCPU; only {@link
 * VcpuFd#kick()} writes here from elsewhere. Valid until the vCPU is closed: a later access ends
 * the JVM with SIGSEGV.
 */
@Abi.Headers({"linux/kvm.h"})
public final class KvmRun {
  /** {@link #syncValid}: general registers; asm/kvm.h, KVM_SYNC_X86_ values. */
  @Abi("KVM_SYNC_X86_REGS")
  public static final long SYNC_REGS = 1;

  /** Special registers. */
  @Abi("KVM_SYNC_X86_SREGS")
  public static final long SYNC_SREGS = 2;

  /** Events in flight. */
  @Abi("KVM_SYNC_X86_EVENTS")
  public static final long SYNC_EVENTS = 4;

  private final Mapping area;
  private final long address;
  private final Regs regs;
  private final Sregs sregs;
  private final VcpuEvents events;

  KvmRun(Descriptor vcpu, int bytes) {
    if (bytes < KvmAbi.RUN_BYTES) {
      throw new UnsupportedOperationException(
          "a run area of %d bytes lacks SYNC_REGS; use Linux 4.17 or later".formatted(bytes));
    }
    area = Mapping.shared(vcpu.fd(), 0, bytes, Mapping.PROT_READ | Mapping.PROT_WRITE);
    address = area.address();
    MemorySegment all = area.segment();
    regs = new Regs(all.asSlice(KvmAbi.RUN_SYNC_REGS));
    sregs = new Sregs(all.asSlice(KvmAbi.RUN_SYNC_SREGS));
    events = new VcpuEvents(all.asSlice(KvmAbi.RUN_SYNC_EVENTS));
  }

  /** Where the area begins in this process. */
  long address() {
    return address;
  }

  void unmap() {
    area.close();
  }

  /** All of the area's bytes: the struct, then the data of port I/O. */
  public MemorySegment segment() {
    return area.segment();
  }

  /** Asks for an exit ({@link VcpuExit.InterruptWindowOpen}) once an interrupt can be injected. */
  public void requestInterruptWindow(boolean wanted) {
    HostMemory.putByte(address + KvmAbi.RUN_REQUEST_INTERRUPT_WINDOW, (byte) (wanted ? 1 : 0));
  }

  public boolean requestInterruptWindow() {
    return HostMemory.getByte(address + KvmAbi.RUN_REQUEST_INTERRUPT_WINDOW) != 0;
  }

  /**
   * The next (or running, if signalled) {@code KVM_RUN} returns at once. Other threads set it too.
   */
  public void immediateExit(boolean wanted) {
    HostMemory.putByteRelease(address + KvmAbi.RUN_IMMEDIATE_EXIT, (byte) (wanted ? 1 : 0));
  }

  public boolean immediateExit() {
    return HostMemory.getByteAcquire(address + KvmAbi.RUN_IMMEDIATE_EXIT) != 0;
  }

  /** The KVM_EXIT_ number of the last exit. */
  public int exitReason() {
    return HostMemory.getInt(address + KvmAbi.RUN_EXIT_REASON);
  }

  /**
   * As of the last exit: the guest could take an interrupt now, so {@link VcpuFd#interrupt} may.
   */
  public boolean readyForInterruptInjection() {
    return HostMemory.getByte(address + KvmAbi.RUN_READY_FOR_INTERRUPT) != 0;
  }

  /** As of the last exit: RFLAGS.IF. */
  public boolean ifFlag() {
    return HostMemory.getByte(address + KvmAbi.RUN_IF_FLAG) != 0;
  }

  /** As of the last exit: KVM_RUN_X86_ bits (in SMM, bus lock). */
  public int flags() {
    return HostMemory.getShort(address + KvmAbi.RUN_FLAGS) & 0xFFFF;
  }

  /** CR8, the task priority: out after a run, in before one. */
  public long cr8() {
    return HostMemory.getLong(address + KvmAbi.RUN_CR8);
  }

  public void cr8(long value) {
    HostMemory.putLong(address + KvmAbi.RUN_CR8, value);
  }

  /** IA32_APIC_BASE: out after a run, in before one. */
  public long apicBase() {
    return HostMemory.getLong(address + KvmAbi.RUN_APIC_BASE);
  }

  public void apicBase(long value) {
    HostMemory.putLong(address + KvmAbi.RUN_APIC_BASE, value);
  }

  /** Which register sets the kernel writes here at every exit: SYNC_ bits. */
  public void syncValid(long sets) {
    HostMemory.putLong(address + KvmAbi.RUN_VALID_REGS, sets);
  }

  /** Which register sets the kernel takes from here at the next run: SYNC_ bits; it clears them. */
  public void syncDirty(long sets) {
    HostMemory.putLong(address + KvmAbi.RUN_DIRTY_REGS, sets);
  }

  /** The area's general registers; they count only under {@link #syncValid} or syncDirty. */
  public Regs syncRegs() {
    return regs;
  }

  /** The area's special registers. */
  public Sregs syncSregs() {
    return sregs;
  }

  /** The area's events. */
  public VcpuEvents syncEvents() {
    return events;
  }
}
