package org.pluribus.vmm.loader;

import org.pluribus.vmm.memory.GuestMemory;

/**
 * The GDT a kernel starts with: flat segments at the selectors boot.rst names (__BOOT_CS 0x10,
 * __BOOT_DS 0x18). Descriptor format: SDM vol. 3, 3.4.5; all have their accessed or busy bit set,
 * as a CPU that has loaded them leaves them.
 */
final class Gdt {

  /** Selector of the code segment. */
  static final int CODE = 0x10;

  /** Selector of the data segment. */
  static final int DATA = 0x18;

  /** Selector of the task state segment. */
  static final int TASK = 0x20;

  /** Bytes minus 1: null, unused, code, data, and a TSS that takes two slots in long mode. */
  static final int LIMIT = 6 * Long.BYTES - 1;

  /** Ring 0, execute/read, 4 GiB, L=1 (64-bit). */
  private static final long CODE64 = 0x00AF_9B00_0000_FFFFL;

  /** Ring 0, execute/read, 4 GiB, D=1 (32-bit). */
  private static final long CODE32 = 0x00CF_9B00_0000_FFFFL;

  /** Ring 0, read/write, 4 GiB. */
  private static final long FLAT_DATA = 0x00CF_9300_0000_FFFFL;

  /** Busy TSS at base 0, limit 0x67, as PVH asks (xen/include/public/arch-x86/hvm/start_info.h). */
  private static final long BUSY_TSS = 0x0000_8B00_0000_0067L;

  private Gdt() {}

  static void write(GuestMemory memory, EntryState.Mode mode) {
    memory.zero(BootAddresses.GDT, LIMIT + 1);
    memory.writeLong(BootAddresses.GDT + CODE, mode == EntryState.Mode.LONG64 ? CODE64 : CODE32);
    memory.writeLong(BootAddresses.GDT + DATA, FLAT_DATA);
    memory.writeLong(BootAddresses.GDT + TASK, BUSY_TSS);
  }

  /** Entry in 32-bit protected mode, paging off: PVH and Multiboot. */
  static EntryState protectedMode(long rip, long rax, long rbx) {
    return new EntryState(
        EntryState.Mode.PROTECTED32,
        rip,
        0,
        rax,
        rbx,
        0,
        EntryState.CR0_PE | EntryState.CR0_ET,
        0,
        0,
        0,
        BootAddresses.GDT,
        LIMIT,
        CODE,
        DATA,
        TASK);
  }

  /** Entry in 64-bit mode on the identity page tables: Linux. */
  static EntryState longMode(long rip, long rsi) {
    return new EntryState(
        EntryState.Mode.LONG64,
        rip,
        BootAddresses.STACK_TOP,
        0,
        0,
        rsi,
        EntryState.CR0_PE | EntryState.CR0_ET | EntryState.CR0_PG,
        BootAddresses.PML4,
        EntryState.CR4_PAE,
        EntryState.EFER_LME | EntryState.EFER_LMA,
        BootAddresses.GDT,
        LIMIT,
        CODE,
        DATA,
        TASK);
  }
}
