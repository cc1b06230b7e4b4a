/*
 * compute(state, memory, rounds): instructions of many kinds on registers and memory that start as the
 * caller says. RSP apart, all registers take part; at the end of each round the flags do too. Whoever
 * runs this has to come to the same state, bit for bit.
 *
 * State (see compute.c): 16 words of general registers by number (RSP's is free), flags, then XMM0 to 7.
 * R15 points to memory (a page), R14 counts rounds. Flags that an instruction leaves undefined are
 * written anew before anything reads them.
 */
  .text
  .code64
  .globl compute
compute:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  push %rdi
  mov %rsi, %r15
  mov %rdx, %r14
  fninit
  push $0x1f80
  ldmxcsr (%rsp)
  pop %rax
  movdqu 136(%rdi), %xmm0
  movdqu 152(%rdi), %xmm1
  movdqu 168(%rdi), %xmm2
  movdqu 184(%rdi), %xmm3
  movdqu 200(%rdi), %xmm4
  movdqu 216(%rdi), %xmm5
  movdqu 232(%rdi), %xmm6
  movdqu 248(%rdi), %xmm7
  mov 0(%rdi), %rax
  mov 8(%rdi), %rcx
  mov 16(%rdi), %rdx
  mov 24(%rdi), %rbx
  mov 40(%rdi), %rbp
  mov 48(%rdi), %rsi
  mov 64(%rdi), %r8
  mov 72(%rdi), %r9
  mov 80(%rdi), %r10
  mov 88(%rdi), %r11
  mov 96(%rdi), %r12
  mov 104(%rdi), %r13
  mov 56(%rdi), %rdi

round:
  /* carries */
  add %rax, %rbx
  adc %rcx, %rdx
  sbb %rsi, %rdi
  adc $0x12345678, %r8
  sbb %ebp, %r9d
  adc %r10w, %r11w
  adc %al, %bh
  neg %rcx
  not %rdx
  inc %rsi
  dec %dil
  /* products, quotients */
  imul %r12, %r13
  imul $-77, %rbp, %r10
  mov %rax, %r9
  mul %rbx
  add %rdx, %r8
  mov %r9, %rax
  imul %rcx
  xor %rdx, %r11
  xor %edx, %edx
  mov %rbx, %rcx
  or $1, %rcx
  div %rcx
  add %rdx, %r12
  cqo
  mov %r8, %rcx
  shr $33, %rcx
  or $0x10001, %rcx
  idiv %rcx
  add %rdx, %r13
  mov %r11d, %eax
  cdq
  movzwl %r12w, %ecx
  or $3, %ecx
  sar $2, %eax
  cdq
  idiv %ecx
  add %eax, %ebp
  /* shifts, rotations */
  mov %r10b, %cl
  shl %cl, %r8
  ror %cl, %r9
  sar $5, %r10
  add %r8, %r9
  rcl $3, %r11
  add %r9, %r10
  rcr %cl, %r12d
  rol $7, %bx
  shld %cl, %r13, %rax
  shrd $13, %rbx, %rsi
  add %r10, %r8
  /* bits */
  mov %rsi, %rdx
  or $1, %rdx
  bsf %rdx, %rcx
  bsr %rdx, %rdx
  add %rcx, %rbp
  bts %rdx, %rbx
  adc $0, %r9
  btr $17, %r10
  adc $0, %r11
  btc %rcx, %r12
  adc $0, %r13
  bswap %rax
  /* conditions */
  cmp %r8, %r9
  cmovl %r10, %r11
  cmova %r12, %r13
  seto %cl
  setbe %dl
  cmovp %rbx, %rsi
  add %rcx, %rdi
  sub %rdx, %rdi
  test %rsi, %rdi
  cmovs %rax, %rbp
  /* memory: plain, narrow, locked, unaligned */
  mov %r8, %rcx
  and $0x7f8, %ecx
  add %rax, (%r15,%rcx)
  mov 3(%r15,%rcx), %rdx
  xor %rdx, %rbx
  mov %r9w, 5(%r15,%rcx)
  movsbq 1(%r15,%rcx), %rdx
  add %rdx, %r10
  movzwl 2(%r15,%rcx), %edx
  sub %rdx, %r11
  movslq 4(%r15,%rcx), %rdx
  add %rdx, %r12
  lock xadd %r13, 8(%r15,%rcx)
  lock addl $0x55, 16(%r15,%rcx)
  lock btcq $9, 24(%r15,%rcx)
  adc %rsi, %rbp
  mov 32(%r15,%rcx), %rax
  lock cmpxchg %rbp, 32(%r15,%rcx)
  setz %dl
  add %dl, %bl
  lock cmpxchg %rsi, 40(%r15,%rcx)
  xchg %rdi, 48(%r15,%rcx)
  incb 56(%r15,%rcx)
  lea 11(%rax,%rbx,4), %rdx
  xor %rdx, %r8
  /* stack, calls */
  push %r8
  push %r9
  call 1f
  pop %r8
  pop %r9
  jmp 2f
1:
  add %r10, 8(%rsp)
  xor %r11, 16(%rsp)
  ret
2:
  /* strings */
  push %rsi
  push %rdi
  mov %rcx, %rdx
  lea (%r15,%rdx), %rsi
  lea 2048(%r15), %rdi
  mov $9, %ecx
  rep movsq
  mov $13, %ecx
  rep stosb
  lea (%r15,%rdx), %rsi
  lea 2048(%r15), %rdi
  mov $40, %ecx
  repe cmpsw
  mov %rcx, %rdx
  pop %rdi
  pop %rsi
  add %rdx, %rdi
  /* SSE2: integers */
  movq %r8, %xmm0
  movq %r9, %xmm1
  punpcklqdq %xmm1, %xmm0
  paddq %xmm0, %xmm2
  pmuludq %xmm2, %xmm3
  pxor %xmm1, %xmm3
  pshufd $0x1b, %xmm3, %xmm4
  paddusb %xmm4, %xmm0
  pcmpgtd %xmm3, %xmm1
  psrlq $7, %xmm1
  por %xmm1, %xmm2
  pmaddwd %xmm0, %xmm4
  packsswb %xmm2, %xmm4
  pmovmskb %xmm4, %edx
  add %rdx, %r12
  movdqu %xmm4, 3000(%r15)
  /* SSE2: doubles; integers of 32 bits keep them finite */
  cvtsi2sd %r8d, %xmm5
  cvtsi2sd %r9d, %xmm6
  mulsd %xmm5, %xmm6
  addsd %xmm6, %xmm7
  cvtsi2sd %r10d, %xmm5
  mulsd %xmm5, %xmm5
  sqrtsd %xmm5, %xmm5
  movl $3, 3016(%r15)
  cvtsi2sdl 3016(%r15), %xmm0
  divsd %xmm0, %xmm7
  subsd %xmm5, %xmm7
  cvttsd2si %xmm7, %rdx
  xor %rdx, %r13
  cvtsd2ss %xmm7, %xmm1
  cvtss2sd %xmm1, %xmm1
  addsd %xmm1, %xmm7
  ucomisd %xmm6, %xmm7
  adc %r8, %r9
  /* x87: 80-bit arithmetic */
  mov %r11d, 3024(%r15)
  mov %r12d, 3028(%r15)
  fildl 3024(%r15)
  fildl 3028(%r15)
  fld %st(1)
  fmul %st(1), %st
  fabs
  fsqrt
  faddp %st, %st(1)
  fld1
  fadd %st, %st(2)
  faddp %st, %st(1)
  fdivp %st, %st(1)
  fstpt 3040(%r15)
  mov 3040(%r15), %rdx
  xor %rdx, %rbx
  mov 3048(%r15), %dx
  add %dx, %si
  /* flags: all six are defined behind this addition */
  add %rbx, %rax
  pushf
  pop %rdx
  and $0x8d5, %edx
  add %rdx, %rdi
  dec %r14
  jnz round

  add %rsi, %rdi
  pushf
  xchg %rbp, (%rsp)
  and $0x8d5, %rbp
  push %rdi
  mov 16(%rsp), %rdi
  mov %rbp, 128(%rdi)
  mov %rax, 0(%rdi)
  mov %rcx, 8(%rdi)
  mov %rdx, 16(%rdi)
  mov %rbx, 24(%rdi)
  mov %rsi, 48(%rdi)
  mov %r8, 64(%rdi)
  mov %r9, 72(%rdi)
  mov %r10, 80(%rdi)
  mov %r11, 88(%rdi)
  mov %r12, 96(%rdi)
  mov %r13, 104(%rdi)
  mov %r14, 112(%rdi)
  pop %rax
  mov %rax, 56(%rdi)
  pop %rax
  mov %rax, 40(%rdi)
  movdqu %xmm0, 136(%rdi)
  movdqu %xmm1, 152(%rdi)
  movdqu %xmm2, 168(%rdi)
  movdqu %xmm3, 184(%rdi)
  movdqu %xmm4, 200(%rdi)
  movdqu %xmm5, 216(%rdi)
  movdqu %xmm6, 232(%rdi)
  movdqu %xmm7, 248(%rdi)
  pop %rdi
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret

  .section .note.GNU-stack, "", @progbits
