package org.pluribus.vmm.loader;

/**
 * The boot vCPU's registers at its first instruction, as a boot protocol asks for them.
 *
 * <p>Registers not named here are zero; RFLAGS has only its fixed bit 1, so interrupts are off; the
 * IDT is empty (limit 0). The segment registers' hidden parts are flat (base 0, limit 4 GiB, ring
 * 0) and match the descriptors in the GDT at {@code gdtBase}: CS a 64-bit code segment in {@link
 * Mode#LONG64} and a 32-bit one in {@link Mode#PROTECTED32}; DS, ES, SS, FS and GS a writable data
 * segment; TR a busy TSS at base 0 with limit 0x67 (KVM and PVH want a usable one); LDTR unusable.
 *
 * @param mode execution mode
 * @param rip first instruction
 * @param rsp stack pointer, 0 where the protocol promises none
 * @param rax Multiboot's magic number
 * @param rbx PVH's and Multiboot's parameter block (GPA)
 * @param rsi Linux boot_params (GPA)
 * @param cr0 protection and paging switches (SDM vol. 3, 2.5)
 * @param cr3 page table root (GPA), 0 without paging
 * @param cr4 extension switches
 * @param efer EFER MSR: long mode enable and active
 * @param gdtBase GPA of the GDT
 * @param gdtLimit its size in bytes minus 1
 * @param cs code segment selector
 * @param ds selector for DS, ES, SS, FS and GS
 * @param tr task register selector
 */
public record EntryState(
    Mode mode,
    long rip,
    long rsp,
    long rax,
    long rbx,
    long rsi,
    long cr0,
    long cr3,
    long cr4,
    long efer,
    long gdtBase,
    int gdtLimit,
    int cs,
    int ds,
    int tr) {

  /** CR0.PE: protected mode. */
  public static final long CR0_PE = 1;

  /** CR0.ET: always set since the 80486. */
  public static final long CR0_ET = 1 << 4;

  /** CR0.PG: paging. */
  public static final long CR0_PG = 1L << 31;

  /** CR4.PAE: 64-bit page table entries, needed for long mode. */
  public static final long CR4_PAE = 1 << 5;

  /** EFER.LME: long mode enabled. */
  public static final long EFER_LME = 1 << 8;

  /** EFER.LMA: long mode active. */
  public static final long EFER_LMA = 1 << 10;

  /** Which of a CPU's modes execution starts in. */
  public enum Mode {
    /** 64-bit mode, paging on with an identity map of the first 4 GiB. */
    LONG64,
    /** 32-bit protected mode, paging off. */
    PROTECTED32
  }
}
