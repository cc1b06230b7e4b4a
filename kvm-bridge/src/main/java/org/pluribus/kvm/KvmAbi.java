package org.pluribus.kvm;

import org.pluribus.posix.Abi;

/**
 * Sizes, offsets and numbers of the KVM interface, each once. Line numbers are those of
 * linux-libc-dev 6.1; the layout test compares every row with the installed headers.
 */
@Abi.Headers({"stddef.h", "linux/kvm.h"})
final class KvmAbi {
  private KvmAbi() {}

  // ---- Numbers; linux/kvm.h:16 and 881

  @Abi static final int KVM_API_VERSION = 12;

  @Abi static final int KVMIO = 0xAE;

  // ---- struct kvm_run, the area shared with the kernel; linux/kvm.h:292

  @Abi("sizeof(struct kvm_run)")
  static final int RUN_BYTES = 2352;

  @Abi("offsetof(struct kvm_run, request_interrupt_window)")
  static final int RUN_REQUEST_INTERRUPT_WINDOW = 0;

  @Abi("offsetof(struct kvm_run, immediate_exit)")
  static final int RUN_IMMEDIATE_EXIT = 1;

  @Abi("offsetof(struct kvm_run, exit_reason)")
  static final int RUN_EXIT_REASON = 8;

  @Abi("offsetof(struct kvm_run, ready_for_interrupt_injection)")
  static final int RUN_READY_FOR_INTERRUPT = 12;

  @Abi("offsetof(struct kvm_run, if_flag)")
  static final int RUN_IF_FLAG = 13;

  @Abi("offsetof(struct kvm_run, flags)")
  static final int RUN_FLAGS = 14;

  @Abi("offsetof(struct kvm_run, cr8)")
  static final int RUN_CR8 = 16;

  @Abi("offsetof(struct kvm_run, apic_base)")
  static final int RUN_APIC_BASE = 24;

  @Abi("offsetof(struct kvm_run, hw.hardware_exit_reason)")
  static final int RUN_HARDWARE_REASON = 32;

  @Abi("offsetof(struct kvm_run, fail_entry.hardware_entry_failure_reason)")
  static final int RUN_FAIL_REASON = 32;

  @Abi("offsetof(struct kvm_run, fail_entry.cpu)")
  static final int RUN_FAIL_CPU = 40;

  @Abi("offsetof(struct kvm_run, io.direction)")
  static final int RUN_IO_DIRECTION = 32;

  @Abi("offsetof(struct kvm_run, io.size)")
  static final int RUN_IO_SIZE = 33;

  @Abi("offsetof(struct kvm_run, io.port)")
  static final int RUN_IO_PORT = 34;

  @Abi("offsetof(struct kvm_run, io.count)")
  static final int RUN_IO_COUNT = 36;

  @Abi("offsetof(struct kvm_run, io.data_offset)")
  static final int RUN_IO_DATA_OFFSET = 40;

  @Abi("offsetof(struct kvm_run, debug.arch.exception)")
  static final int RUN_DEBUG_EXCEPTION = 32;

  @Abi("offsetof(struct kvm_run, debug.arch.pc)")
  static final int RUN_DEBUG_PC = 40;

  @Abi("offsetof(struct kvm_run, debug.arch.dr6)")
  static final int RUN_DEBUG_DR6 = 48;

  @Abi("offsetof(struct kvm_run, debug.arch.dr7)")
  static final int RUN_DEBUG_DR7 = 56;

  @Abi("offsetof(struct kvm_run, mmio.phys_addr)")
  static final int RUN_MMIO_ADDRESS = 32;

  @Abi("offsetof(struct kvm_run, mmio.data)")
  static final int RUN_MMIO_DATA = 40;

  @Abi("offsetof(struct kvm_run, mmio.len)")
  static final int RUN_MMIO_LENGTH = 48;

  @Abi("offsetof(struct kvm_run, mmio.is_write)")
  static final int RUN_MMIO_IS_WRITE = 52;

  @Abi("offsetof(struct kvm_run, hypercall.nr)")
  static final int RUN_HYPERCALL_NUMBER = 32;

  @Abi("offsetof(struct kvm_run, hypercall.args)")
  static final int RUN_HYPERCALL_ARGS = 40;

  @Abi("offsetof(struct kvm_run, hypercall.ret)")
  static final int RUN_HYPERCALL_RET = 88;

  @Abi("offsetof(struct kvm_run, internal.suberror)")
  static final int RUN_INTERNAL_SUBERROR = 32;

  @Abi("offsetof(struct kvm_run, internal.ndata)")
  static final int RUN_INTERNAL_NDATA = 36;

  @Abi("offsetof(struct kvm_run, internal.data)")
  static final int RUN_INTERNAL_DATA = 40;

  @Abi("offsetof(struct kvm_run, emulation_failure.flags)")
  static final int RUN_EMULATION_FLAGS = 40;

  @Abi("offsetof(struct kvm_run, emulation_failure.insn_size)")
  static final int RUN_EMULATION_SIZE = 48;

  @Abi("offsetof(struct kvm_run, emulation_failure.insn_bytes)")
  static final int RUN_EMULATION_BYTES = 49;

  @Abi("offsetof(struct kvm_run, system_event.type)")
  static final int RUN_EVENT_TYPE = 32;

  @Abi("offsetof(struct kvm_run, system_event.ndata)")
  static final int RUN_EVENT_NDATA = 36;

  @Abi("offsetof(struct kvm_run, system_event.data)")
  static final int RUN_EVENT_DATA = 40;

  @Abi("offsetof(struct kvm_run, msr.error)")
  static final int RUN_MSR_ERROR = 32;

  @Abi("offsetof(struct kvm_run, msr.reason)")
  static final int RUN_MSR_REASON = 40;

  @Abi("offsetof(struct kvm_run, msr.index)")
  static final int RUN_MSR_INDEX = 44;

  @Abi("offsetof(struct kvm_run, msr.data)")
  static final int RUN_MSR_DATA = 48;

  @Abi("offsetof(struct kvm_run, notify.flags)")
  static final int RUN_NOTIFY_FLAGS = 32;

  @Abi(value = "offsetof(struct kvm_run, memory_fault.flags)", guard = "KVM_EXIT_MEMORY_FAULT")
  static final int RUN_FAULT_FLAGS = 32;

  @Abi(value = "offsetof(struct kvm_run, memory_fault.gpa)", guard = "KVM_EXIT_MEMORY_FAULT")
  static final int RUN_FAULT_ADDRESS = 40;

  @Abi(value = "offsetof(struct kvm_run, memory_fault.size)", guard = "KVM_EXIT_MEMORY_FAULT")
  static final int RUN_FAULT_SIZE = 48;

  @Abi("offsetof(struct kvm_run, kvm_valid_regs)")
  static final int RUN_VALID_REGS = 288;

  @Abi("offsetof(struct kvm_run, kvm_dirty_regs)")
  static final int RUN_DIRTY_REGS = 296;

  @Abi("offsetof(struct kvm_run, s.regs.regs)")
  static final int RUN_SYNC_REGS = 304;

  @Abi("offsetof(struct kvm_run, s.regs.sregs)")
  static final int RUN_SYNC_SREGS = 448;

  @Abi("offsetof(struct kvm_run, s.regs.events)")
  static final int RUN_SYNC_EVENTS = 760;

  // ---- Exit reasons; linux/kvm.h:236

  @Abi static final int KVM_EXIT_IO = 2;

  @Abi static final int KVM_EXIT_HYPERCALL = 3;

  @Abi static final int KVM_EXIT_DEBUG = 4;

  @Abi static final int KVM_EXIT_HLT = 5;

  @Abi static final int KVM_EXIT_MMIO = 6;

  @Abi static final int KVM_EXIT_IRQ_WINDOW_OPEN = 7;

  @Abi static final int KVM_EXIT_SHUTDOWN = 8;

  @Abi static final int KVM_EXIT_FAIL_ENTRY = 9;

  @Abi static final int KVM_EXIT_INTR = 10;

  @Abi static final int KVM_EXIT_SET_TPR = 11;

  @Abi static final int KVM_EXIT_INTERNAL_ERROR = 17;

  @Abi static final int KVM_EXIT_SYSTEM_EVENT = 24;

  @Abi static final int KVM_EXIT_X86_RDMSR = 29;

  @Abi static final int KVM_EXIT_X86_WRMSR = 30;

  @Abi static final int KVM_EXIT_X86_BUS_LOCK = 33;

  @Abi static final int KVM_EXIT_NOTIFY = 37;

  @Abi(guard = "KVM_EXIT_MEMORY_FAULT")
  static final int KVM_EXIT_MEMORY_FAULT = 39;

  @Abi static final int KVM_EXIT_IO_IN = 0;

  @Abi static final int KVM_INTERNAL_ERROR_EMULATION = 1;

  @Abi static final int KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES = 1;

  // ---- struct kvm_regs; asm/kvm.h:118

  @Abi("sizeof(struct kvm_regs)")
  static final int REGS_BYTES = 144;

  @Abi("offsetof(struct kvm_regs, rax)")
  static final int REGS_RAX = 0;

  @Abi("offsetof(struct kvm_regs, rbx)")
  static final int REGS_RBX = 8;

  @Abi("offsetof(struct kvm_regs, rcx)")
  static final int REGS_RCX = 16;

  @Abi("offsetof(struct kvm_regs, rdx)")
  static final int REGS_RDX = 24;

  @Abi("offsetof(struct kvm_regs, rsi)")
  static final int REGS_RSI = 32;

  @Abi("offsetof(struct kvm_regs, rdi)")
  static final int REGS_RDI = 40;

  @Abi("offsetof(struct kvm_regs, rsp)")
  static final int REGS_RSP = 48;

  @Abi("offsetof(struct kvm_regs, rbp)")
  static final int REGS_RBP = 56;

  @Abi("offsetof(struct kvm_regs, r8)")
  static final int REGS_R8 = 64;

  @Abi("offsetof(struct kvm_regs, r9)")
  static final int REGS_R9 = 72;

  @Abi("offsetof(struct kvm_regs, r10)")
  static final int REGS_R10 = 80;

  @Abi("offsetof(struct kvm_regs, r11)")
  static final int REGS_R11 = 88;

  @Abi("offsetof(struct kvm_regs, r12)")
  static final int REGS_R12 = 96;

  @Abi("offsetof(struct kvm_regs, r13)")
  static final int REGS_R13 = 104;

  @Abi("offsetof(struct kvm_regs, r14)")
  static final int REGS_R14 = 112;

  @Abi("offsetof(struct kvm_regs, r15)")
  static final int REGS_R15 = 120;

  @Abi("offsetof(struct kvm_regs, rip)")
  static final int REGS_RIP = 128;

  @Abi("offsetof(struct kvm_regs, rflags)")
  static final int REGS_RFLAGS = 136;

  // ---- struct kvm_segment and kvm_dtable; asm/kvm.h:132

  @Abi("sizeof(struct kvm_segment)")
  static final int SEGMENT_BYTES = 24;

  @Abi("offsetof(struct kvm_segment, base)")
  static final int SEGMENT_BASE = 0;

  @Abi("offsetof(struct kvm_segment, limit)")
  static final int SEGMENT_LIMIT = 8;

  @Abi("offsetof(struct kvm_segment, selector)")
  static final int SEGMENT_SELECTOR = 12;

  @Abi("offsetof(struct kvm_segment, type)")
  static final int SEGMENT_TYPE = 14;

  @Abi("offsetof(struct kvm_segment, present)")
  static final int SEGMENT_PRESENT = 15;

  @Abi("offsetof(struct kvm_segment, dpl)")
  static final int SEGMENT_DPL = 16;

  @Abi("offsetof(struct kvm_segment, db)")
  static final int SEGMENT_DB = 17;

  @Abi("offsetof(struct kvm_segment, s)")
  static final int SEGMENT_S = 18;

  @Abi("offsetof(struct kvm_segment, l)")
  static final int SEGMENT_L = 19;

  @Abi("offsetof(struct kvm_segment, g)")
  static final int SEGMENT_G = 20;

  @Abi("offsetof(struct kvm_segment, avl)")
  static final int SEGMENT_AVL = 21;

  @Abi("offsetof(struct kvm_segment, unusable)")
  static final int SEGMENT_UNUSABLE = 22;

  @Abi("offsetof(struct kvm_dtable, base)")
  static final int DTABLE_BASE = 0;

  @Abi("offsetof(struct kvm_dtable, limit)")
  static final int DTABLE_LIMIT = 8;

  // ---- struct kvm_sregs and kvm_sregs2; asm/kvm.h:149

  @Abi("sizeof(struct kvm_sregs)")
  static final int SREGS_BYTES = 312;

  @Abi("sizeof(struct kvm_sregs2)")
  static final int SREGS2_BYTES = 320;

  @Abi("offsetof(struct kvm_sregs, cs)")
  static final int SREGS_CS = 0;

  @Abi("offsetof(struct kvm_sregs, ds)")
  static final int SREGS_DS = 24;

  @Abi("offsetof(struct kvm_sregs, es)")
  static final int SREGS_ES = 48;

  @Abi("offsetof(struct kvm_sregs, fs)")
  static final int SREGS_FS = 72;

  @Abi("offsetof(struct kvm_sregs, gs)")
  static final int SREGS_GS = 96;

  @Abi("offsetof(struct kvm_sregs, ss)")
  static final int SREGS_SS = 120;

  @Abi("offsetof(struct kvm_sregs, tr)")
  static final int SREGS_TR = 144;

  @Abi("offsetof(struct kvm_sregs, ldt)")
  static final int SREGS_LDT = 168;

  @Abi("offsetof(struct kvm_sregs, gdt)")
  static final int SREGS_GDT = 192;

  @Abi("offsetof(struct kvm_sregs, idt)")
  static final int SREGS_IDT = 208;

  @Abi("offsetof(struct kvm_sregs, cr0)")
  static final int SREGS_CR0 = 224;

  @Abi("offsetof(struct kvm_sregs, cr2)")
  static final int SREGS_CR2 = 232;

  @Abi("offsetof(struct kvm_sregs, cr3)")
  static final int SREGS_CR3 = 240;

  @Abi("offsetof(struct kvm_sregs, cr4)")
  static final int SREGS_CR4 = 248;

  @Abi("offsetof(struct kvm_sregs, cr8)")
  static final int SREGS_CR8 = 256;

  @Abi("offsetof(struct kvm_sregs, efer)")
  static final int SREGS_EFER = 264;

  @Abi("offsetof(struct kvm_sregs, apic_base)")
  static final int SREGS_APIC_BASE = 272;

  @Abi("offsetof(struct kvm_sregs, interrupt_bitmap)")
  static final int SREGS_INTERRUPT_BITMAP = 280;

  /** The last field of both forms: so far they are the same. */
  @Abi("offsetof(struct kvm_sregs2, apic_base)")
  static final int SREGS2_APIC_BASE = 272;

  @Abi("offsetof(struct kvm_sregs2, flags)")
  static final int SREGS2_FLAGS = 280;

  @Abi("offsetof(struct kvm_sregs2, pdptrs)")
  static final int SREGS2_PDPTRS = 288;

  @Abi static final int KVM_SREGS2_FLAGS_PDPTRS_VALID = 1;

  // ---- struct kvm_fpu; asm/kvm.h:176

  @Abi("sizeof(struct kvm_fpu)")
  static final int FPU_BYTES = 416;

  @Abi("offsetof(struct kvm_fpu, fpr)")
  static final int FPU_FPR = 0;

  @Abi("offsetof(struct kvm_fpu, fcw)")
  static final int FPU_FCW = 128;

  @Abi("offsetof(struct kvm_fpu, fsw)")
  static final int FPU_FSW = 130;

  @Abi("offsetof(struct kvm_fpu, ftwx)")
  static final int FPU_FTWX = 132;

  @Abi("offsetof(struct kvm_fpu, last_opcode)")
  static final int FPU_LAST_OPCODE = 134;

  @Abi("offsetof(struct kvm_fpu, last_ip)")
  static final int FPU_LAST_IP = 136;

  @Abi("offsetof(struct kvm_fpu, last_dp)")
  static final int FPU_LAST_DP = 144;

  @Abi("offsetof(struct kvm_fpu, xmm)")
  static final int FPU_XMM = 152;

  @Abi("offsetof(struct kvm_fpu, mxcsr)")
  static final int FPU_MXCSR = 408;

  // ---- MSR lists; asm/kvm.h:190

  @Abi("sizeof(struct kvm_msrs)")
  static final int MSRS_BYTES = 8;

  @Abi("sizeof(struct kvm_msr_entry)")
  static final int MSR_ENTRY_BYTES = 16;

  @Abi("offsetof(struct kvm_msr_entry, index)")
  static final int MSR_ENTRY_INDEX = 0;

  @Abi("offsetof(struct kvm_msr_entry, data)")
  static final int MSR_ENTRY_DATA = 8;

  @Abi("sizeof(struct kvm_msr_list)")
  static final int MSR_LIST_BYTES = 4;

  @Abi("sizeof(struct kvm_msr_filter)")
  static final int MSR_FILTER_BYTES = 392;

  @Abi("offsetof(struct kvm_msr_filter, ranges)")
  static final int MSR_FILTER_RANGES = 8;

  @Abi("sizeof(struct kvm_msr_filter_range)")
  static final int MSR_RANGE_BYTES = 24;

  @Abi("offsetof(struct kvm_msr_filter_range, flags)")
  static final int MSR_RANGE_FLAGS = 0;

  @Abi("offsetof(struct kvm_msr_filter_range, nmsrs)")
  static final int MSR_RANGE_NMSRS = 4;

  @Abi("offsetof(struct kvm_msr_filter_range, base)")
  static final int MSR_RANGE_BASE = 8;

  @Abi("offsetof(struct kvm_msr_filter_range, bitmap)")
  static final int MSR_RANGE_BITMAP = 16;

  @Abi static final int KVM_MSR_FILTER_MAX_RANGES = 16;

  @Abi static final int KVM_MSR_FILTER_MAX_BITMAP_SIZE = 0x600;

  @Abi static final int KVM_MSR_FILTER_DEFAULT_DENY = 1;

  @Abi static final int KVM_MSR_FILTER_READ = 1;

  @Abi static final int KVM_MSR_FILTER_WRITE = 2;

  // ---- CPUID lists; asm/kvm.h:248

  @Abi("sizeof(struct kvm_cpuid2)")
  static final int CPUID_BYTES = 8;

  @Abi("sizeof(struct kvm_cpuid_entry2)")
  static final int CPUID_ENTRY_BYTES = 40;

  @Abi("offsetof(struct kvm_cpuid_entry2, function)")
  static final int CPUID_ENTRY_FUNCTION = 0;

  @Abi("offsetof(struct kvm_cpuid_entry2, index)")
  static final int CPUID_ENTRY_INDEX = 4;

  @Abi("offsetof(struct kvm_cpuid_entry2, flags)")
  static final int CPUID_ENTRY_FLAGS = 8;

  @Abi("offsetof(struct kvm_cpuid_entry2, eax)")
  static final int CPUID_ENTRY_EAX = 12;

  @Abi("offsetof(struct kvm_cpuid_entry2, ebx)")
  static final int CPUID_ENTRY_EBX = 16;

  @Abi("offsetof(struct kvm_cpuid_entry2, ecx)")
  static final int CPUID_ENTRY_ECX = 20;

  @Abi("offsetof(struct kvm_cpuid_entry2, edx)")
  static final int CPUID_ENTRY_EDX = 24;

  @Abi static final int KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;

  // ---- struct kvm_vcpu_events; asm/kvm.h:332

  @Abi("sizeof(struct kvm_vcpu_events)")
  static final int EVENTS_BYTES = 64;

  @Abi("offsetof(struct kvm_vcpu_events, exception.injected)")
  static final int EVENTS_EXCEPTION_INJECTED = 0;

  @Abi("offsetof(struct kvm_vcpu_events, exception.nr)")
  static final int EVENTS_EXCEPTION_NR = 1;

  @Abi("offsetof(struct kvm_vcpu_events, exception.has_error_code)")
  static final int EVENTS_EXCEPTION_HAS_ERROR = 2;

  @Abi("offsetof(struct kvm_vcpu_events, exception.pending)")
  static final int EVENTS_EXCEPTION_PENDING = 3;

  @Abi("offsetof(struct kvm_vcpu_events, exception.error_code)")
  static final int EVENTS_EXCEPTION_ERROR = 4;

  @Abi("offsetof(struct kvm_vcpu_events, interrupt.injected)")
  static final int EVENTS_INTERRUPT_INJECTED = 8;

  @Abi("offsetof(struct kvm_vcpu_events, interrupt.nr)")
  static final int EVENTS_INTERRUPT_NR = 9;

  @Abi("offsetof(struct kvm_vcpu_events, interrupt.soft)")
  static final int EVENTS_INTERRUPT_SOFT = 10;

  @Abi("offsetof(struct kvm_vcpu_events, interrupt.shadow)")
  static final int EVENTS_INTERRUPT_SHADOW = 11;

  @Abi("offsetof(struct kvm_vcpu_events, nmi.injected)")
  static final int EVENTS_NMI_INJECTED = 12;

  @Abi("offsetof(struct kvm_vcpu_events, nmi.pending)")
  static final int EVENTS_NMI_PENDING = 13;

  @Abi("offsetof(struct kvm_vcpu_events, nmi.masked)")
  static final int EVENTS_NMI_MASKED = 14;

  @Abi("offsetof(struct kvm_vcpu_events, sipi_vector)")
  static final int EVENTS_SIPI_VECTOR = 16;

  @Abi("offsetof(struct kvm_vcpu_events, flags)")
  static final int EVENTS_FLAGS = 20;

  @Abi static final int KVM_VCPUEVENT_VALID_NMI_PENDING = 1;

  @Abi static final int KVM_VCPUEVENT_VALID_SIPI_VECTOR = 2;

  @Abi static final int KVM_VCPUEVENT_VALID_SHADOW = 4;

  // ---- struct kvm_debugregs, kvm_xcrs, kvm_xsave; asm/kvm.h:371

  @Abi("sizeof(struct kvm_debugregs)")
  static final int DEBUGREGS_BYTES = 128;

  @Abi("offsetof(struct kvm_debugregs, db)")
  static final int DEBUGREGS_DB = 0;

  @Abi("offsetof(struct kvm_debugregs, dr6)")
  static final int DEBUGREGS_DR6 = 32;

  @Abi("offsetof(struct kvm_debugregs, dr7)")
  static final int DEBUGREGS_DR7 = 40;

  @Abi("sizeof(struct kvm_xcrs)")
  static final int XCRS_BYTES = 392;

  @Abi("offsetof(struct kvm_xcrs, nr_xcrs)")
  static final int XCRS_COUNT = 0;

  @Abi("offsetof(struct kvm_xcrs, xcrs)")
  static final int XCRS_ENTRIES = 8;

  @Abi("sizeof(struct kvm_xcr)")
  static final int XCR_BYTES = 16;

  @Abi("offsetof(struct kvm_xcr, xcr)")
  static final int XCR_INDEX = 0;

  @Abi("offsetof(struct kvm_xcr, value)")
  static final int XCR_VALUE = 8;

  @Abi static final int KVM_MAX_XCRS = 16;

  @Abi("sizeof(struct kvm_xsave)")
  static final int XSAVE_BYTES = 4096;

  // ---- Small structs; linux/kvm.h:96-900

  @Abi("sizeof(struct kvm_userspace_memory_region)")
  static final int REGION_BYTES = 32;

  @Abi("offsetof(struct kvm_userspace_memory_region, slot)")
  static final int REGION_SLOT = 0;

  @Abi("offsetof(struct kvm_userspace_memory_region, flags)")
  static final int REGION_FLAGS = 4;

  @Abi("offsetof(struct kvm_userspace_memory_region, guest_phys_addr)")
  static final int REGION_GUEST = 8;

  @Abi("offsetof(struct kvm_userspace_memory_region, memory_size)")
  static final int REGION_LENGTH = 16;

  @Abi("offsetof(struct kvm_userspace_memory_region, userspace_addr)")
  static final int REGION_HOST = 24;

  @Abi("sizeof(struct kvm_enable_cap)")
  static final int ENABLE_CAP_BYTES = 104;

  @Abi("offsetof(struct kvm_enable_cap, cap)")
  static final int ENABLE_CAP_CAP = 0;

  @Abi("offsetof(struct kvm_enable_cap, args)")
  static final int ENABLE_CAP_ARGS = 8;

  @Abi("sizeof(((struct kvm_enable_cap *)0)->args) / 8")
  static final int ENABLE_CAP_MAX_ARGS = 4;

  @Abi("sizeof(struct kvm_clock_data)")
  static final int CLOCK_BYTES = 48;

  @Abi("offsetof(struct kvm_clock_data, clock)")
  static final int CLOCK_NANOS = 0;

  @Abi("sizeof(struct kvm_device_attr)")
  static final int DEVICE_ATTR_BYTES = 24;

  @Abi("offsetof(struct kvm_device_attr, group)")
  static final int DEVICE_ATTR_GROUP = 4;

  @Abi("offsetof(struct kvm_device_attr, attr)")
  static final int DEVICE_ATTR_ATTR = 8;

  @Abi("offsetof(struct kvm_device_attr, addr)")
  static final int DEVICE_ATTR_ADDR = 16;

  @Abi static final int KVM_VCPU_TSC_CTRL = 0;

  @Abi static final int KVM_VCPU_TSC_OFFSET = 0;

  @Abi("sizeof(struct kvm_guest_debug)")
  static final int GUEST_DEBUG_BYTES = 72;

  @Abi("offsetof(struct kvm_guest_debug, control)")
  static final int GUEST_DEBUG_CONTROL = 0;

  @Abi("offsetof(struct kvm_guest_debug, arch.debugreg)")
  static final int GUEST_DEBUG_REGISTERS = 8;

  @Abi("sizeof(struct kvm_interrupt)")
  static final int INTERRUPT_BYTES = 4;

  @Abi("sizeof(struct kvm_mp_state)")
  static final int MP_STATE_BYTES = 4;

  @Abi("sizeof(struct kvm_translation)")
  static final int TRANSLATION_BYTES = 24;

  @Abi("offsetof(struct kvm_translation, linear_address)")
  static final int TRANSLATION_LINEAR = 0;

  @Abi("offsetof(struct kvm_translation, physical_address)")
  static final int TRANSLATION_PHYSICAL = 8;

  @Abi("offsetof(struct kvm_translation, valid)")
  static final int TRANSLATION_VALID = 16;
}
