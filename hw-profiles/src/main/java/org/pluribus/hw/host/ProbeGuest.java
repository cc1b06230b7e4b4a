package org.pluribus.hw.host;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import org.pluribus.kvm.Kvm;
import org.pluribus.kvm.Regs;
import org.pluribus.kvm.Segment;
import org.pluribus.kvm.Sregs;
import org.pluribus.kvm.VcpuExit;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.kvm.VmFd;
import org.pluribus.posix.Mapping;

/**
 * A guest with one vCPU in 64-bit mode that computes a number and stores it where there is no
 * memory, which ends the run. No interrupts, no descriptor tables: anything unforeseen shuts it
 * down.
 */
final class ProbeGuest {
  /** Where the guest's code runs. */
  enum Privilege {
    /** CPL 0, at the address of Linux's kernel image, in pages of the supervisor. */
    KERNEL(0xFFFF_FFFF_8000_0000L, 0),
    /** CPL 3, in the lower half of the address space. */
    USER(0, 3);

    private final long base;
    private final int cpl;

    Privilege(long base, int cpl) {
      this.base = base;
      this.cpl = cpl;
    }
  }

  /** Instructions of the loop below. */
  static final int INSTRUCTIONS_PER_ROUND = 10;

  /**
   * RCX rounds of integer, SSE2 and memory instructions, then x87 (SDM volume 2); the result goes
   * to the address in RDI. Then all again, R8 rounds. RDX is {@link #MULTIPLIER}, RSI scratch
   * memory.
   */
  private static final String CODE =
      """
      DB E3             fninit                  <- start
      66 0F EF C0       pxor xmm0, xmm0
      66 0F EF DB       pxor xmm3, xmm3
      31 C0             xor eax, eax
      48 0F AF C2       imul rax, rdx           <- loop
      48 01 C8          add rax, rcx
      F2 48 0F 2A C9    cvtsi2sd xmm1, rcx
      F2 0F 58 C1       addsd xmm0, xmm1
      66 48 0F 6E D0    movq xmm2, rax
      66 0F EF DA       pxor xmm3, xmm2
      48 89 06          mov [rsi], rax
      48 8B 06          mov rax, [rsi]
      48 FF C9          dec rcx
      75 DC             jnz loop
      F2 0F 11 06       movsd [rsi], xmm0
      DD 06             fld qword [rsi]
      DF 3E             fistp qword [rsi]
      48 33 06          xor rax, [rsi]
      66 49 0F 7E D9    movq r9, xmm3
      4C 01 C8          add rax, r9
      48 89 07          mov [rdi], rax
      4C 89 C1          mov rcx, r8
      EB B5             jmp start
      """;

  /** Two digits and a blank for each byte of the listing. */
  private static final int HEX_WIDTH = 3;

  /** Of a linear congruential generator (Knuth's MMIX). */
  private static final long MULTIPLIER = 6364136223846793005L;

  /**
   * One large page of RAM. The one after it has none behind it: there the guest stores its result.
   */
  private static final long RAM_BYTES = 2 << 20;

  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long DIRECTORY = 0x3000;
  private static final long TSS = 0x4000;
  private static final long SCRATCH = 0x5000;
  private static final long START = 0x10_0000;

  // Page table bits (SDM volume 3, 5.5.4).
  private static final long PRESENT_WRITE = 3;
  private static final long USER = 4;
  private static final long LARGE_ACCESSED_DIRTY = 0xE0;
  private static final int PML4_SHIFT = 39;
  private static final int PDPT_SHIFT = 30;
  private static final int INDEX = 0x1FF;

  // Access words of descriptors, see Segment.set.
  private static final int CODE64 = 0xA09B;
  private static final int DATA = 0xC093;
  private static final int TSS_BUSY = 0x008B;
  private static final int DPL_SHIFT = 5;
  private static final int CODE_SELECTOR = 0x08;
  private static final int DATA_SELECTOR = 0x10;
  private static final int TSS_SELECTOR = 0x18;
  private static final int TSS_LIMIT = 0x67;
  private static final int FLAT_LIMIT = -1;

  /** PE, MP, ET, NE, WP, AM, PG. */
  private static final long CR0 = 0x8005_0033L;

  /** PAE, OSFXSR, OSXMMEXCPT. */
  private static final long CR4 = 0x620;

  /** LME, LMA. */
  private static final long EFER = 0x500;

  /** RFLAGS: bit 1 is always set. */
  private static final long FLAGS = 2;

  /** What Intel hosts want of guest-physical address space (api.rst, KVM_SET_TSS_ADDR). */
  private static final long HOST_TSS_ADDRESS = 0xFFFB_D000L;

  private static final long HOST_IDENTITY_MAP_ADDRESS = 0xFFFB_C000L;

  private final Privilege privilege;

  ProbeGuest(Privilege privilege) {
    this.privilege = privilege;
  }

  /** RAM for it, with its code and page tables. */
  Mapping ram() {
    Mapping ram = Mapping.anonymous(RAM_BYTES, Mapping.PROT_READ | Mapping.PROT_WRITE);
    MemorySegment bytes = ram.segment();
    long user = privilege == Privilege.USER ? USER : 0;
    long table = PRESENT_WRITE | user;
    bytes.set(JAVA_LONG, PML4 + entry(PML4_SHIFT), PDPT | table);
    bytes.set(JAVA_LONG, PDPT + entry(PDPT_SHIFT), DIRECTORY | table);
    bytes.set(JAVA_LONG, DIRECTORY, table | LARGE_ACCESSED_DIRTY);
    bytes.set(JAVA_LONG, DIRECTORY + Long.BYTES, RAM_BYTES | table | LARGE_ACCESSED_DIRTY);
    StringBuilder hex = new StringBuilder();
    CODE.lines().forEach(line -> hex.append(line, 0, line.indexOf("  ")));
    byte[] code = HexFormat.of().parseHex(hex.toString().replace(" ", ""));
    MemorySegment.copy(MemorySegment.ofArray(code), 0, bytes, START, code.length);
    return ram;
  }

  private long entry(int shift) {
    return (privilege.base >>> shift & INDEX) * Long.BYTES;
  }

  /** The VM's memory; before the first vCPU. */
  static void prepare(VmFd vm, Mapping ram) {
    vm.setIdentityMapAddress(HOST_IDENTITY_MAP_ADDRESS);
    vm.setTssAddress(HOST_TSS_ADDRESS);
    vm.setUserMemoryRegion(0, 0, ram);
  }

  /**
   * The vCPU's registers and CPUID.
   *
   * @param first rounds until the first result, above zero
   * @param next rounds until the second
   */
  void prepare(Kvm kvm, VcpuFd vcpu, int first, int next) {
    vcpu.setCpuid(kvm.supportedCpuid());
    int dpl = privilege.cpl << DPL_SHIFT;
    Sregs s = Sregs.create();
    vcpu.getSregs(s);
    s.cs().set(CODE_SELECTOR | privilege.cpl, 0, FLAT_LIMIT, CODE64 | dpl);
    for (Segment data : new Segment[] {s.ds(), s.es(), s.fs(), s.gs(), s.ss()}) {
      data.set(DATA_SELECTOR | privilege.cpl, 0, FLAT_LIMIT, DATA | dpl);
    }
    s.tr().set(TSS_SELECTOR, privilege.base + TSS, TSS_LIMIT, TSS_BUSY);
    s.gdt(0, 0);
    s.idt(0, 0);
    s.cr0(CR0);
    s.cr3(PML4);
    s.cr4(CR4);
    s.efer(EFER);
    vcpu.setSregs(s);
    Regs regs = new Regs();
    regs.rip(privilege.base + START);
    regs.rflags(FLAGS);
    regs.rcx(first);
    regs.r8(next);
    regs.rdx(MULTIPLIER);
    regs.rsi(privilege.base + SCRATCH);
    regs.rdi(privilege.base + RAM_BYTES);
    vcpu.setRegs(regs);
  }

  /** The instruction that a vCPU stands at, as the listing writes it. */
  String instruction(VcpuFd vcpu) {
    Regs regs = new Regs();
    vcpu.getRegs(regs);
    long left = regs.rip() - privilege.base - START;
    for (String line : CODE.lines().toList()) {
      int gap = line.indexOf("  ");
      if (left == 0) {
        return line.substring(gap).replaceFirst("<-.*", "").strip();
      }
      left -= (gap + 1) / HEX_WIDTH;
    }
    return "the instruction at 0x" + Long.toHexString(regs.rip());
  }

  /** Whether an exit tells a result. */
  static boolean isResult(VcpuExit exit) {
    return exit instanceof VcpuExit.Mmio store && store.isWrite() && store.address() == RAM_BYTES;
  }

  /** What the guest has to find out in so many rounds. */
  static long expected(int rounds) {
    long hash = 0;
    long mixed = 0;
    double sum = 0;
    for (long i = rounds; i > 0; i--) {
      hash = hash * MULTIPLIER + i;
      sum += i;
      mixed ^= hash;
    }
    return (hash ^ (long) sum) + mixed;
  }
}
