package org.pluribus.vmm.node;

import org.pluribus.kvm.Regs;
import org.pluribus.kvm.Segment;
import org.pluribus.kvm.Sregs;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.vmm.loader.EntryState;

/**
 * Register values of a vCPU under KVM after INIT (SDM volume 3, table 10-1), after a start-up IPI,
 * and as boot protocols want them.
 */
final class KvmReset {
  /** IA32_APIC_BASE after reset: at 0xFEE00000, enabled (SDM volume 3, 11.4.4). */
  private static final long APIC_BASE = 0xFEE0_0800L;

  private static final long APIC_BASE_BSP = 0x100;

  /** RFLAGS: bit 1 is always set. */
  private static final long FLAGS = 2;

  private static final long CR0_INIT = 0x6000_0010L;
  private static final int REAL_LIMIT = 0xFFFF;
  private static final int FLAT_LIMIT = 0xFFFF_FFFF;
  private static final int RESET_CS = 0xF000;
  private static final long RESET_CS_BASE = 0xFFFF_0000L;
  private static final long RESET_IP = 0xFFF0;

  // Access words: bits 40 to 55 of a descriptor.
  private static final int REAL_CODE = 0x009B;
  private static final int REAL_DATA = 0x0093;
  private static final int LDT = 0x0082;
  private static final int TSS_BUSY = 0x008B;
  private static final int FLAT_CODE32 = 0xC09B;
  private static final int FLAT_CODE64 = 0xA09B;
  private static final int FLAT_DATA = 0xC093;
  private static final int TSS_LIMIT = 0x67;

  private static final int SIPI_SHIFT = 12;
  private static final int PARAGRAPH_SHIFT = 4;

  private KvmReset() {}

  /**
   * After INIT, waiting at the reset vector.
   *
   * @param signature what EDX has after reset: family, model, stepping
   */
  static void init(VcpuFd vcpu, boolean bsp, int signature) {
    Regs regs = new Regs();
    regs.rdx(signature & 0xFFFF_FFFFL);
    regs.rip(RESET_IP);
    regs.rflags(FLAGS);
    Sregs s = blank(vcpu, bsp);
    s.cr0(CR0_INIT);
    s.cr4(0);
    s.cr3(0);
    s.efer(0);
    realMode(s, RESET_CS, RESET_CS_BASE);
    vcpu.setSregs(s);
    vcpu.setRegs(regs);
  }

  /** Real mode, at physical address {@code page << 12}, the other registers as they are. */
  static void sipi(VcpuFd vcpu, int page) {
    Sregs s = Sregs.create();
    vcpu.getSregs(s);
    int first = page & 0xFF;
    s.cs()
        .set(
            first << SIPI_SHIFT - PARAGRAPH_SHIFT,
            (long) first << SIPI_SHIFT,
            REAL_LIMIT,
            REAL_CODE);
    vcpu.setSregs(s);
    Regs regs = new Regs();
    vcpu.getRegs(regs);
    regs.rip(0);
    regs.rflags(FLAGS);
    vcpu.setRegs(regs);
  }

  /** As a boot protocol wants the boot vCPU. */
  static void enter(VcpuFd vcpu, EntryState e) {
    boolean longMode = e.mode() == EntryState.Mode.LONG64;
    Sregs s = blank(vcpu, true);
    s.cr0(e.cr0());
    s.cr3(e.cr3());
    s.cr4(e.cr4());
    s.efer(e.efer());
    s.gdt(e.gdtBase(), e.gdtLimit());
    s.idt(0, 0);
    s.cs().set(e.cs(), 0, FLAT_LIMIT, longMode ? FLAT_CODE64 : FLAT_CODE32);
    for (Segment data : new Segment[] {s.ds(), s.es(), s.fs(), s.gs(), s.ss()}) {
      data.set(e.ds(), 0, FLAT_LIMIT, FLAT_DATA);
    }
    s.tr().set(e.tr(), 0, TSS_LIMIT, TSS_BUSY);
    s.ldt().set(0, 0, 0, LDT);
    s.ldt().unusable(1);
    vcpu.setSregs(s);
    Regs regs = new Regs();
    regs.rip(e.rip());
    regs.rsp(e.rsp());
    regs.rax(e.rax());
    regs.rbx(e.rbx());
    regs.rsi(e.rsi());
    regs.rflags(FLAGS);
    vcpu.setRegs(regs);
  }

  private static Sregs blank(VcpuFd vcpu, boolean bsp) {
    Sregs s = Sregs.create();
    vcpu.getSregs(s);
    s.apicBase(bsp ? APIC_BASE | APIC_BASE_BSP : APIC_BASE);
    s.cr2(0);
    s.cr8(0);
    return s;
  }

  private static void realMode(Sregs s, int cs, long csBase) {
    s.cs().set(cs, csBase, REAL_LIMIT, REAL_CODE);
    for (Segment data : new Segment[] {s.ds(), s.es(), s.fs(), s.gs(), s.ss()}) {
      data.set(0, 0, REAL_LIMIT, REAL_DATA);
    }
    s.gdt(0, REAL_LIMIT);
    s.idt(0, REAL_LIMIT);
    s.ldt().set(0, 0, REAL_LIMIT, LDT);
    s.tr().set(0, 0, REAL_LIMIT, TSS_BUSY);
  }
}
