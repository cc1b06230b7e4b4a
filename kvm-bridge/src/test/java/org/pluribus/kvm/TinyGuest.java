package org.pluribus.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Assumptions;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;

/**
 * A VM with one vCPU in 64-bit mode and a few bytes of code, for tests against the real /dev/kvm.
 *
 * <p>Its RAM is a memfd mapped twice: the guest runs on {@link #guestView}, tests read and write
 * {@link #ram}. Page tables map the first 4 GiB one to one, all pages accessible to CPL 3 (software
 * KVM runs only CPL 3 natively). There is a TSS with a zeroed I/O bitmap, so CPL 3 may use ports.
 */
public final class TinyGuest implements AutoCloseable {
  public static final long RAM_BYTES = 4 << 20;
  public static final long CODE = 0x10_0000;
  public static final long HANDLER = 0x11_0000;
  public static final long DATA = 0x20_0000;
  public static final long STACK = 0x9_0000;
  public static final int VECTOR = 0x40;

  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long DIRECTORIES = 0x3000;
  private static final long GDT = 0x8000;
  private static final long IDT = 0x9000;
  private static final long TSS = 0xA000;
  private static final int TSS_LIMIT = 0x2068;
  private static final long PRESENT_WRITE_USER = 7;
  private static final long LARGE_ACCESSED_DIRTY = 0xE7;
  private static final int CODE_DPL0 = 0xA09B;
  private static final int DATA_DPL0 = 0xC093;
  private static final int DPL3 = 0x60;
  private static final int TSS_BUSY = 0x8B;

  public final Kvm kvm;
  public final VmFd vm;
  public final VcpuFd vcpu;
  public final Memfd memfd;
  public final Mapping guestView;
  public final MemorySegment ram;
  private final Mapping alias;

  /** Skips the test, and says why, where KVM cannot be used. */
  public static void assumeKvm() {
    Path device = Path.of(Kvm.DEVICE);
    assumeThat(Files.exists(device), device + " does not exist");
    assumeThat(Files.isReadable(device) && Files.isWritable(device), device + ": no permission");
  }

  /** JUnit hides the reason of a skipped test in its report; say it on the console too. */
  public static void assumeThat(boolean holds, String otherwise) {
    if (!holds) {
      System.err.println("SKIPPED: " + otherwise);
    }
    Assumptions.assumeTrue(holds, otherwise);
  }

  public TinyGuest(int cpl, String hexCode) {
    assumeKvm();
    kvm = Kvm.open();
    vm = kvm.createVm();
    vm.setIdentityMapAddress(0xFFFB_C000L);
    vm.setTssAddress(0xFFFB_D000L);
    memfd = Memfd.create("tiny-guest", RAM_BYTES);
    guestView = Mapping.of(memfd);
    alias = Mapping.of(memfd);
    ram = alias.segment();
    tables();
    code(CODE, hexCode);
    vm.setUserMemoryRegion(0, 0, guestView);
    vcpu = vm.createVcpu(0);
    vcpu.setCpuid(kvm.supportedCpuid());
    privilege(cpl);
  }

  private void tables() {
    ram.set(JAVA_LONG, PML4, PDPT | PRESENT_WRITE_USER);
    for (int gib = 0; gib < 4; gib++) {
      long directory = DIRECTORIES + gib * 0x1000L;
      ram.set(JAVA_LONG, PDPT + 8L * gib, directory | PRESENT_WRITE_USER);
      for (int i = 0; i < 512; i++) {
        long page = (long) gib << 30 | (long) i << 21;
        ram.set(JAVA_LONG, directory + 8L * i, page | LARGE_ACCESSED_DIRTY);
      }
    }
    ram.set(JAVA_LONG, GDT + 8, 0x00AF_9B00_0000_FFFFL);
    ram.set(JAVA_LONG, GDT + 16, 0x00CF_9300_0000_FFFFL);
    ram.set(JAVA_LONG, GDT + 24, 0x00CF_F300_0000_FFFFL);
    ram.set(JAVA_LONG, GDT + 32, 0x00AF_FB00_0000_FFFFL);
    ram.set(JAVA_LONG, GDT + 40, 0x0000_8B00_0000_0000L | TSS << 16 | TSS_LIMIT);
    ram.set(JAVA_LONG_UNALIGNED, TSS + 4, STACK - 0x1000);
    ram.set(JAVA_INT_UNALIGNED, TSS + 100, 0x68 << 16);
    ram.set(JAVA_BYTE, TSS + TSS_LIMIT, (byte) 0xFF);
  }

  /** Puts code at a guest address. */
  public void code(long at, String listing) {
    StringBuilder hex = new StringBuilder();
    listing.lines().forEach(line -> hex.append(line.split("  ")[0]));
    byte[] bytes = HexFormat.of().parseHex(hex.toString().replaceAll("\\s", ""));
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, ram, at, bytes.length);
  }

  /** Points a vector at {@link #HANDLER}. */
  public void gate(int vector, String handler) {
    code(HANDLER, handler);
    long low = HANDLER & 0xFFFF | 8L << 16 | 0xEEL << 40 | (HANDLER >> 16 & 0xFFFF) << 48;
    ram.set(JAVA_LONG, IDT + 16L * vector, low);
    ram.set(JAVA_LONG, IDT + 16L * vector + 8, 0);
  }

  private void privilege(int cpl) {
    int dpl = cpl == 3 ? DPL3 : 0;
    Sregs s = Sregs.create();
    vcpu.getSregs(s);
    s.cs().set(cpl == 3 ? 0x23 : 0x08, 0, -1, CODE_DPL0 | dpl);
    for (Segment data : new Segment[] {s.ds(), s.es(), s.fs(), s.gs(), s.ss()}) {
      data.set(cpl == 3 ? 0x1B : 0x10, 0, -1, DATA_DPL0 | dpl);
    }
    s.tr().set(0x28, TSS, TSS_LIMIT, TSS_BUSY);
    s.gdt(GDT, 0x37);
    s.idt(IDT, 0xFFF);
    s.cr0(0x8005_0033L);
    s.cr3(PML4);
    s.cr4(0x620);
    s.efer(0x501); // SCE, LME, LMA
    vcpu.setSregs(s);
    start(CODE);
  }

  /** Begins at an address with fresh registers, interrupts enabled. */
  public void start(long rip) {
    Regs regs = new Regs();
    regs.rip(rip);
    regs.rsp(STACK);
    regs.rflags(0x202);
    regs.rdi(DATA);
    vcpu.setRegs(regs);
  }

  public Regs regs() {
    Regs regs = new Regs();
    vcpu.getRegs(regs);
    return regs;
  }

  public long data(int word) {
    return ram.get(JAVA_LONG, DATA + 8L * word);
  }

  @Override
  public void close() {
    vcpu.close();
    vm.close();
    kvm.close();
    guestView.close();
    alias.close();
    memfd.close();
  }
}
