/*
 * All code that doesn't run in CPL3: the way in for the boot CPU (PVH) and for the others (start-up
 * IPI), the gate into CPL0, and interrupt handlers of a few instructions each.
 *
 * It keeps to plain moves, pushes, MSR and control register accesses and IRETQ: a KVM without hardware
 * virtualisation runs supervisor code in the kernel's instruction emulator, one instruction at a time.
 */
#include "layout.h"

/* ---- PVH entry point (xen/include/public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY) */

  .section .note.pvh, "a", @note
  .long 4, 4, 18
  .asciz "Xen"
  .long pvh_start

/* ---- 32-bit protected mode, paging off, EBX points to the start info */

  .text
  .code32
  .globl pvh_start
pvh_start:
  mov %ebx, pvh_info
  mov $page_map, %eax
  mov %eax, %cr3
  mov $CR4_VALUE, %eax
  mov %eax, %cr4
  mov $EFER_MSR, %ecx
  mov $EFER_VALUE, %eax
  xor %edx, %edx
  wrmsr
  mov $CR0_VALUE, %eax
  mov %eax, %cr0
  lgdt boot_gdt_pointer
  ljmp $KERNEL_CS, $boot64

  .code64
boot64:
  mov $cpus + CPU_KERNEL_STACK_TOP, %esp
  call set_boot_tables
  mov $cpus, %edi
  call load_tables
  lea CPU_USER_STACK_TOP(%rdi), %rsp
  mov $boot_main, %ecx
  mov $RFLAGS_FIXED, %edx
  jmp to_user

/* ---- the other CPUs: real mode at TRAMPOLINE, where C has copied this; straight into long mode */

  .code16
  .globl trampoline, trampoline_end
trampoline:
  cli
  mov %cs, %ax
  mov %ax, %ds
  mov $page_map, %eax
  mov %eax, %cr3
  mov $CR4_VALUE, %eax
  mov %eax, %cr4
  mov $EFER_MSR, %ecx
  mov $EFER_VALUE, %eax
  xor %edx, %edx
  wrmsr
  lgdtl trampoline_gdt_pointer - trampoline
  mov $CR0_VALUE, %eax
  mov %eax, %cr0
  ljmpl $KERNEL_CS, $ap64
  .balign 4
trampoline_gdt_pointer:
  .word boot_gdt_end - boot_gdt - 1
  .long boot_gdt
trampoline_end:

  .code64
ap64:
  mov starting_cpu, %rdi
  lea CPU_USER_STACK_TOP(%rdi), %rsp
  call load_tables
  mov $cpu_main, %ecx
  mov $RFLAGS_FIXED | RFLAGS_IF, %edx
  jmp to_user

/* To CPL3: RCX is where, RDX the flags, RSP the stack there, too, aligned as behind a call. */
to_user:
  xor %eax, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %rsp, %rax
  sub $8, %rax
  push $USER_DS
  push %rax
  push %rdx
  push $USER_CS
  push %rcx
  iretq

/*
 * The gate into CPL0: u64 kernel_call(routine, a, b) calls the routine there with a in RDI and b in RSI.
 * An undefined instruction does it: INT n, and SYSCALL in earnest, are more than a KVM without hardware
 * virtualisation has. Routines find the caller's RFLAGS at CALLER_FLAGS(%rsp).
 */
  .globl kernel_call
kernel_call:
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
gate:
  ud2
  ret
  .set UD2_SIZE, 2
  .set CALLER_FLAGS, 24

  .globl on_undefined
on_undefined:
  cmpq $gate, (%rsp)
  jne exception_stubs + UNDEFINED_VECTOR * EXCEPTION_STUB_SIZE
  addq $UD2_SIZE, (%rsp)
  call *%rax
  iretq

/* ---- routines for the gate */

  .globl load_tables, enable_interrupts, disable_interrupts, halt_if_equal, halt_for_ever
  .globl read_msr, write_msr

/* Loads GDT, IDT and task register of the CPU whose area is RDI. */
load_tables:
  lgdt CPU_GDT_POINTER(%rdi)
  lidt idt_pointer
  mov $TSS_SELECTOR, %eax
  ltr %ax
  ret

enable_interrupts:
  orq $RFLAGS_IF, CALLER_FLAGS(%rsp)
  ret

disable_interrupts:
  andq $~RFLAGS_IF, CALLER_FLAGS(%rsp)
  ret

/* Waits for an interrupt while the word at RDI is still RSI; none slips in between look and HLT. */
halt_if_equal:
  cmp %rsi, (%rdi)
  jne 1f
  sti
  hlt
  cli
1:
  ret

halt_for_ever:
  sti
1:
  hlt
  jmp 1b

/* MSR RDI; the value comes back in RAX. */
read_msr:
  mov %edi, %ecx
  rdmsr
  shl $32, %rdx
  or %rdx, %rax
  ret

/* MSR RDI gets RSI. */
write_msr:
  mov %edi, %ecx
  mov %esi, %eax
  mov %rsi, %rdx
  shr $32, %rdx
  wrmsr
  ret

/* ---- interrupts: count, end of interrupt, back */

  .macro COUNTING_HANDLER name, counter
  .globl \name
\name:
  push %rax
  push %rcx
  push %rdx
  mov %rsp, %rax
  and $-CPU_SIZE, %rax
  incq \counter(%rax)
  jmp end_of_interrupt
  .endm

  COUNTING_HANDLER on_ipi, CPU_IPIS
  COUNTING_HANDLER on_timer, CPU_TICKS

end_of_interrupt:
  cmpq $0, CPU_X2APIC(%rax)
  jne 1f
  mov $APIC_BASE + APIC_EOI_OFFSET, %eax
  movl $0, (%rax)
  jmp 2f
1:
  mov $X2APIC_EOI_MSR, %ecx
  xor %eax, %eax
  xor %edx, %edx
  wrmsr
2:
  pop %rdx
  pop %rcx
  pop %rax
  iretq

/* Neither NMIs nor spurious interrupts are acknowledged. */
  .macro BARE_HANDLER name, counter
  .globl \name
\name:
  push %rax
  mov %rsp, %rax
  and $-CPU_SIZE, %rax
  incq \counter(%rax)
  pop %rax
  iretq
  .endm

  BARE_HANDLER on_nmi, CPU_NMIS
  BARE_HANDLER on_spurious, CPU_SPURIOUS

/* ---- exceptions: none is expected; C says which one it was */

  .globl exception_stubs
  .balign EXCEPTION_STUB_SIZE
exception_stubs:
  .set vector, 0
  .rept EXCEPTIONS
  .balign EXCEPTION_STUB_SIZE
  /* These push an error code by themselves (SDM vol. 3, table 6-1). */
  .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21)
  .else
  push $0
  .endif
  push $vector
  jmp exception
  .set vector, vector + 1
  .endr

exception:
  mov %rsp, %rdi
  and $-CPU_SIZE, %rdi
  pop %rax
  mov %rax, CPU_EXCEPTION_VECTOR(%rdi)
  pop %rax
  mov %rax, CPU_EXCEPTION_CODE(%rdi)
  pop %rax
  mov %rax, CPU_EXCEPTION_RIP(%rdi)
  mov %cr2, %rax
  mov %rax, CPU_EXCEPTION_CR2(%rdi)
  lea CPU_USER_STACK_TOP(%rdi), %rsp
  mov $report_exception, %ecx
  mov $RFLAGS_FIXED, %edx
  jmp to_user

/* ---- tables */

  .section .rodata
  .balign 8
boot_gdt:
  .quad 0, KERNEL_CODE64, KERNEL_DATA, USER_DATA, USER_CODE64
boot_gdt_end:
boot_gdt_pointer:
  .word boot_gdt_end - boot_gdt - 1
  .long boot_gdt
  .balign 8
idt_pointer:
  .word 256 * 16 - 1
  .quad idt

/*
 * Identity map of the first 4 GiB in 2 MiB pages, open to CPL3 on every level. Accessed and dirty bits
 * are set, so that no CPU writes to these pages and all nodes keep them shared.
 */
  .section .page_tables, "a"
  .globl page_map
  .balign 4096
page_map:
  .quad page_pointers + 0x27
  .fill 511, 8, 0
page_pointers:
  .set i, 0
  .rept 4
  .quad page_directories + i * 4096 + 0x27
  .set i, i + 1
  .endr
  .fill 508, 8, 0
page_directories:
  .set i, 0
  .rept 2048
  .quad (i << 21) + 0xe7
  .set i, i + 1
  .endr

  .section .note.GNU-stack, "", @progbits
