package org.pluribus.perf;

/** Endless loops of guest code, entered in 64-bit mode: what the speed figures are about. */
enum GuestLoop {
  /** DEC, ADD, XOR, LEA, SHL, CMP, JNZ on registers. */
  INTEGER(
      "48C7C1FFFFFF7F" // mov rcx, 0x7fffffff
          + "31C0" // xor eax, eax
          + "BA01000000" // mov edx, 1
          + "4801D0" // l: add rax, rdx
          + "4831C2" // xor rdx, rax
          + "488D5C1001" // lea rbx, [rax+rdx+1]
          + "48C1E303" // shl rbx, 3
          + "4801D8" // add rax, rbx
          + "4839C3" // cmp rbx, rax
          + "48FFC9" // dec rcx
          + "75E6" // jnz l
          + "EBD6"), // jmp to the beginning

  /** A copy of quadwords. */
  COPY(
      "48C7C1FFFFFF7F" // mov rcx, 0x7fffffff
          + "BE00004000" // mov esi, 0x400000
          + "BF00004100" // mov edi, 0x410000
          + "4889CA" // l: mov rdx, rcx
          + "81E2FF0F0000" // and edx, 0xfff
          + "488B04D6" // mov rax, [rsi+rdx*8]
          + "488904D7" // mov [rdi+rdx*8], rax
          + "48FFC9" // dec rcx
          + "75EA" // jnz l
          + "EBD7"), // jmp to the beginning

  /** Calls of a small function with a frame. */
  CALLS(
      "48C7C1FFFFFF7F" // mov rcx, 0x7fffffff
          + "E807000000" // l: call f
          + "48FFC9" // dec rcx
          + "75F6" // jnz l
          + "EBED" // jmp to the beginning
          + "55" // f: push rbp
          + "4889E5" // mov rbp, rsp
          + "53" // push rbx
          + "4801C8" // add rax, rcx
          + "5B" // pop rbx
          + "5D" // pop rbp
          + "C3"), // ret

  /** Sums of bytes with a compare and a branch, as in string functions. */
  BYTES(
      "48C7C1FFFFFF7F" // mov rcx, 0x7fffffff
          + "BE00004000" // mov esi, 0x400000
          + "89C8" // l: mov eax, ecx
          + "25FF0F0000" // and eax, 0xfff
          + "0FB60406" // movzx eax, byte [rsi+rax]
          + "3C41" // cmp al, 0x41
          + "7204" // jb +4
          + "4883C301" // add rbx, 1
          + "4801C3" // add rbx, rax
          + "48FFC9" // dec rcx
          + "75E5" // jnz l
          + "EBD7"); // jmp to the beginning

  /** Machine code, in hexadecimal. */
  final String code;

  GuestLoop(String code) {
    this.code = code;
  }
}
