package org.pluribus.kvm;

/** One exit object of each kind for a vCPU, found by KVM_EXIT_ number. */
final class VcpuExits {
  private final VcpuExit[] byReason;
  private final VcpuExit.Unknown unknown;
  private final VcpuExit.Interrupted interrupted;

  VcpuExits(long run) {
    unknown = new VcpuExit.Unknown(run);
    interrupted = new VcpuExit.Interrupted(run);
    byReason = new VcpuExit[KvmAbi.KVM_EXIT_MEMORY_FAULT + 1];
    java.util.Arrays.fill(byReason, unknown);
    byReason[KvmAbi.KVM_EXIT_IO] = new VcpuExit.Io(run);
    byReason[KvmAbi.KVM_EXIT_HYPERCALL] = new VcpuExit.Hypercall(run);
    byReason[KvmAbi.KVM_EXIT_DEBUG] = new VcpuExit.Debug(run);
    byReason[KvmAbi.KVM_EXIT_HLT] = new VcpuExit.Hlt(run);
    byReason[KvmAbi.KVM_EXIT_MMIO] = new VcpuExit.Mmio(run);
    byReason[KvmAbi.KVM_EXIT_IRQ_WINDOW_OPEN] = new VcpuExit.InterruptWindowOpen(run);
    byReason[KvmAbi.KVM_EXIT_SHUTDOWN] = new VcpuExit.Shutdown(run);
    byReason[KvmAbi.KVM_EXIT_FAIL_ENTRY] = new VcpuExit.FailEntry(run);
    byReason[KvmAbi.KVM_EXIT_INTR] = interrupted;
    byReason[KvmAbi.KVM_EXIT_SET_TPR] = new VcpuExit.SetTpr(run);
    byReason[KvmAbi.KVM_EXIT_INTERNAL_ERROR] = new VcpuExit.InternalError(run);
    byReason[KvmAbi.KVM_EXIT_SYSTEM_EVENT] = new VcpuExit.SystemEvent(run);
    byReason[KvmAbi.KVM_EXIT_X86_RDMSR] = new VcpuExit.Rdmsr(run);
    byReason[KvmAbi.KVM_EXIT_X86_WRMSR] = new VcpuExit.Wrmsr(run);
    byReason[KvmAbi.KVM_EXIT_X86_BUS_LOCK] = new VcpuExit.BusLock(run);
    byReason[KvmAbi.KVM_EXIT_NOTIFY] = new VcpuExit.Notify(run);
    byReason[KvmAbi.KVM_EXIT_MEMORY_FAULT] = new VcpuExit.MemoryFault(run);
  }

  VcpuExit of(int reason) {
    return reason >= 0 && reason < byReason.length ? byReason[reason] : unknown;
  }

  VcpuExit interrupted() {
    return interrupted;
  }
}
