package org.pluribus.kvm;

/**
 * Extensions of the KVM interface; linux/kvm.h:940-1178, KVM_CAP_ values. Those that {@link
 * Kvm#checkExtension} can tell and {@link VmFd#enableCap} can switch on.
 */
public enum KvmCap {
  /** In-kernel interrupt controllers. */
  IRQCHIP(0),

  /** Memory regions over user memory. */
  USER_MEMORY(3),

  /** Where Intel hosts put three pages of their own. */
  SET_TSS_ADDR(4),

  /** Full CPUID lists. */
  EXT_CPUID(7),

  /** Recommended most vCPUs per VM. */
  NR_VCPUS(9),

  /** Most memory regions per VM. */
  NR_MEMSLOTS(10),

  /** Get and set whether a vCPU is halted. */
  MP_STATE(14),

  /** NMIs from user space. */
  USER_NMI(22),

  /** Breakpoints and single steps. */
  SET_GUEST_DEBUG(23),

  /** Where Intel hosts put a page table of their own. */
  SET_IDENTITY_MAP_ADDR(37),

  /** Get and set the VM clock. */
  ADJUST_CLOCK(39),

  /** Internal errors carry data. */
  INTERNAL_ERROR_DATA(40),

  /** Exceptions and interrupts in flight can be got and set. */
  VCPU_EVENTS(41),

  /** Debug registers can be got and set. */
  DEBUGREGS(50),

  /** Capabilities can be enabled per vCPU. */
  ENABLE_CAP(54),

  /** Extended state can be got and set. */
  XSAVE(55),

  /** XCR0 can be got and set. */
  XCRS(56),

  /** The guest TSC can be scaled. */
  TSC_CONTROL(60),

  /** The TSC frequency can be read. */
  GET_TSC_KHZ(61),

  /** Most vCPUs per VM. */
  MAX_VCPUS(66),

  /** The in-kernel APIC has the TSC deadline timer. */
  TSC_DEADLINE_TIMER(72),

  /** Registers can be passed in the run area; a bit mask of sets. */
  SYNC_REGS(74),

  /** Read-only memory regions. */
  READONLY_MEM(81),

  /** Capabilities can be enabled per VM. */
  ENABLE_CAP_VM(98),

  /** Device attributes on a vCPU: the TSC offset. */
  VCPU_ATTRIBUTES(127),

  /** Upper bound of vCPU ids. */
  MAX_VCPU_ID(128),

  /** 32-bit APIC ids. */
  X2APIC_API(129),

  /** The immediate_exit flag; kicks need it. */
  IMMEDIATE_EXIT(136),

  /** Instructions that need not exit. */
  X86_DISABLE_EXITS(143),

  /** Feature MSRs can be read. */
  GET_MSR_FEATURES(153),

  /** Exceptions in flight carry CR2 or DR6. */
  EXCEPTION_PAYLOAD(164),

  /** MSR accesses can exit to user space; a bit mask of reasons. */
  X86_USER_SPACE_MSR(188),

  /** MSR accesses can be denied by list. */
  X86_MSR_FILTER(189),

  /** Split locks can exit. */
  X86_BUS_LOCK_EXIT(193),

  /** The second form of special registers. */
  SREGS2(200),

  /** Instructions KVM cannot emulate exit instead of raising #UD. */
  EXIT_ON_EMULATION_FAILURE(204),

  /** Size of the extended state, bytes. */
  XSAVE2(208),

  /** The TSC frequency can be set per VM. */
  VM_TSC_CONTROL(214),

  /** Triple faults in flight can be got and set. */
  X86_TRIPLE_FAULT_EVENT(218),

  /** A guest that blocks interrupts for long exits. */
  X86_NOTIFY_VMEXIT(219),

  /** Failed guest accesses exit with their address (Linux 6.8 and later). */
  MEMORY_FAULT_INFO(232);

  private final int number;

  KvmCap(int number) {
    this.number = number;
  }

  /** The KVM_CAP_ value. */
  public int number() {
    return number;
  }
}
