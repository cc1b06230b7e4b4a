/*
 * The guest of perf/fault-ratio: the same bytes run under our nodes and under the program in C they are
 * compared with. A flat image for IMAGE, entered in 64-bit mode with the registers that its header tells.
 *
 * What it does, for ever: tells the beginning of a round by a byte to port BOUNDARY, where the host takes
 * its time, then does a round's work:
 *   kind 0: `count` times 16 single-byte writes to port WORK, each an exit, in CPL0. (Where KVM has no
 *           hardware to run guests on, an exit from CPL3 is far dearer, and would hide what we add.)
 *   kind 1: one store to each of `count` pages, in CPL3, from where the last round ended; at `limit` it
 *           begins at `first` again. Every second page only: a node sees when a guest goes through memory
 *           page by page, and fetches ahead, so that it would not wait for each.
 */
  .set IMAGE, 0x100000
  .set WORK, 0x80
  .set BOUNDARY, 0xE9
  .set PAGE, 4096
  .set STEP, 2 * PAGE
  .set LARGE_PAGE_SHIFT, 21

  .set KERNEL_CS, 0x10
  .set KERNEL_DS, 0x18
  .set TSS_SELECTOR, 0x20
  .set USER_DS, 0x33
  .set USER_CS, 0x3B

  /* Present, writable, for CPL3; a large page that also counts as used (SDM volume 3, 5.5.4). */
  .set TABLE, 0x07
  .set LARGE, 0xE7

  .text
  .code64
/* ---- header: struct image_header in baseline.c, GuestImage.java */
  .quad entry
  .quad page_map
  .quad gdt
  .quad gdt_end - gdt - 1
kind:  .quad 0
count: .quad 0
first: .quad 0
limit: .quad 0

  .globl entry
entry:
  mov $stack_top, %esp
  lgdt gdt_pointer
  mov $TSS_SELECTOR, %eax
  ltr %ax
  cmpq $0, kind
  je exits
  push $USER_DS
  push $stack_top
  push $2                       /* RFLAGS: its fixed bit */
  push $USER_CS
  push $pages
  iretq

exits:
  out %al, $BOUNDARY
  mov count, %rcx
1:
  .rept 16
  out %al, $WORK
  .endr
  dec %rcx
  jnz 1b
  jmp exits

pages:
  mov first, %rdi
2:
  out %al, $BOUNDARY
  mov count, %rcx
3:
  mov %rcx, (%rdi)
  add $STEP, %rdi
  dec %rcx
  jnz 3b
  cmp limit, %rdi
  jb 2b
  jmp pages

  .balign 8
gdt:
  .quad 0
  .quad 0
  .quad 0x00AF9B000000FFFF      /* KERNEL_CS: 64-bit code, CPL0 */
  .quad 0x00CF93000000FFFF      /* KERNEL_DS */
  .word tss_end - tss - 1       /* TSS_SELECTOR: 64-bit TSS, free; the image lies below 16 MiB */
  .word tss_low
  .byte tss_middle, 0x89, 0, 0
  .quad 0
  .quad 0x00CFF3000000FFFF      /* USER_DS */
  .quad 0x00AFFB000000FFFF      /* USER_CS: 64-bit code, CPL3 */
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .quad gdt

/* Task state (SDM volume 3, 9.7): only the bitmap of ports counts, which lets CPL3 use ports 0 to 255. */
  .balign 8
tss:
  .long 0
  .quad stack_top
  .zero 0x66 - 12
  .word 0x68
  .zero 256 / 8
  .byte 0xFF
tss_end:
  .set tss_low, (IMAGE + (tss - image_start)) & 0xFFFF
  .set tss_middle, (IMAGE + (tss - image_start)) >> 16
  .set image_start, .text

/* The first GiB, one to one. */
  .balign PAGE
page_map:
  .quad pointers + TABLE
  .zero PAGE - 8
pointers:
  .quad directory + TABLE
  .zero PAGE - 8
directory:
  .set i, 0
  .rept 512
  .quad (i << LARGE_PAGE_SHIFT) + LARGE
  .set i, i + 1
  .endr

  .zero PAGE
stack_top:

  .section .note.GNU-stack, "", @progbits
