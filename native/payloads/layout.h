/*
 * Numbers that assembly and C share: selectors, control register values, and where things are inside
 * a CPU's area.
 *
 * Each CPU has an area of CPU_SIZE bytes, aligned to its size, with all that is this CPU's own: counters,
 * GDT, TSS, kernel and user stack. Whatever stack code runs on, clearing the low bits of RSP gives the area.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

/* Selectors. */
#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_DS 0x1b
#define USER_CS 0x23
#define TSS_SELECTOR 0x28

/* Flat segments (SDM vol. 3, 3.4.5), accessed bits set. */
#define KERNEL_CODE64 0x00af9b000000ffff
#define KERNEL_DATA 0x00cf93000000ffff
#define USER_DATA 0x00cff3000000ffff
#define USER_CODE64 0x00affb000000ffff

/* PE, MP, ET, NE, WP, PG: native FPU errors, read-only pages bind the kernel (SDM vol. 3, 2.5). */
#define CR0_VALUE 0x80010033
/* PAE, OSFXSR, OSXMMEXCPT: long mode, and SSE allowed. */
#define CR4_VALUE 0x620
#define EFER_MSR 0xc0000080
/* LME. */
#define EFER_VALUE 0x100
#define RFLAGS_FIXED 0x2
#define RFLAGS_IF 0x200

/* Local APIC (SDM vol. 3, chapter 12). */
#define APIC_BASE 0xfee00000
#define APIC_EOI_OFFSET 0xb0
#define X2APIC_EOI_MSR 0x80b

/* The page that start-up IPIs point to: conventional memory that no loader of ours uses. */
#define TRAMPOLINE 0x70000

/* A CPU's area. */
#define CPU_SIZE 0x8000
#define CPU_IPIS 0x00
#define CPU_TICKS 0x08
#define CPU_NMIS 0x10
#define CPU_SPURIOUS 0x18
#define CPU_EXCEPTION_VECTOR 0x40
#define CPU_EXCEPTION_CODE 0x48
#define CPU_EXCEPTION_RIP 0x50
#define CPU_EXCEPTION_CR2 0x58
#define CPU_X2APIC 0x60
#define CPU_GDT_POINTER 0x1006
#define CPU_GDT 0x1010
#define CPU_TSS 0x1080
#define CPU_KERNEL_STACK_TOP 0x5000
#define CPU_USER_STACK_TOP 0x8000

/* Vectors of the IDT; the low 4 bits of the spurious one are set (SDM vol. 3, 12.9). */
#define VECTOR_IPI 0x40
#define VECTOR_TIMER 0x51
#define VECTOR_SPURIOUS 0xff
#define EXCEPTIONS 32
#define NMI_VECTOR 2
#define UNDEFINED_VECTOR 6
#define EXCEPTION_STUB_SIZE 16

#endif
