package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.pluribus.vmm.node.VcpuState.Activity;
import org.pluribus.vmm.node.VcpuState.Control;
import org.pluribus.vmm.node.VcpuState.Event;
import org.pluribus.vmm.node.VcpuState.Fpu;
import org.pluribus.vmm.node.VcpuState.Segment;
import org.pluribus.vmm.node.VcpuState.Table;

/**
 * A vCPU's state in 64-bit CPL 3 with all its ports open, and the tables in RAM that go with it.
 * RAM is mapped one to one, every page for CPL 3.
 */
final class UserMode {
  static final long STACK_TOP = 0x9_0000;
  static final int VECTOR = 0x40;

  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long DIRECTORY = 0x3000;
  private static final long GDT = 0x4000;
  private static final long IDT = 0x5000;

  /** TSS, its I/O bitmap of 8 KiB behind it. */
  private static final long TSS = 0x6000;

  private static final int TSS_BYTES = 0x68;
  private static final int TSS_LIMIT = TSS_BYTES + 0x2000;
  private static final long SYSTEM_STACK_TOP = 0xA_0000;
  private static final int GDT_LIMIT = 0x37;
  private static final int IDT_LIMIT = 0xFFF;

  /** Present, writable, user, accessed. */
  private static final long TABLE_FLAGS = 0x27;

  /** Also dirty, and a large page. */
  private static final long LARGE_PAGE_FLAGS = 0xE7;

  private static final long LARGE_PAGE = 2 << 20;
  private static final int FLAT_LIMIT = -1;
  private static final int USER_CODE = 0xA0FB;
  private static final int USER_DATA = 0xC0F3;
  private static final int BUSY_TSS = 0x8B;
  private static final int USER_CODE_SELECTOR = 0x23;
  private static final int USER_DATA_SELECTOR = 0x1B;
  private static final int TSS_SELECTOR = 0x28;

  /** PG, WP, NE, ET, MP, PE. */
  private static final long CR0 = 0x8001_0033L;

  /** PAE, OSFXSR, OSXMMEXCPT. */
  private static final long CR4 = 0x620;

  /** SCE, LME, LMA. */
  private static final long EFER = 0x501;

  private static final long PAT_RESET = 0x0007_0406_0007_0406L;
  private static final int PAT = 0x277;
  private static final long RFLAGS = 0x202;

  private UserMode() {}

  /** Writes page tables, GDT, IDT and TSS; {@link #VECTOR} leads to {@code handler}, in CPL 0. */
  static void tables(OneVcpu vcpu, long handler) {
    vcpu.writeLong(PML4, PDPT | TABLE_FLAGS);
    vcpu.writeLong(PDPT, DIRECTORY | TABLE_FLAGS);
    for (long page = 0; page < OneVcpu.RAM_BYTES; page += LARGE_PAGE) {
      vcpu.writeLong(DIRECTORY + 8 * (page / LARGE_PAGE), page | LARGE_PAGE_FLAGS);
    }
    vcpu.writeLong(GDT + 0x08, 0x00AF_9B00_0000_FFFFL);
    vcpu.writeLong(GDT + 0x10, 0x00CF_9300_0000_FFFFL);
    vcpu.writeLong(GDT + 0x18, 0x00CF_F300_0000_FFFFL);
    vcpu.writeLong(GDT + 0x20, 0x00AF_FB00_0000_FFFFL);
    vcpu.writeLong(GDT + 0x28, 0x0000_8B00_0000_0000L | TSS << 16 | TSS_LIMIT);
    vcpu.writeLong(TSS + 4, SYSTEM_STACK_TOP);
    vcpu.write(TSS + 0x66, (byte) TSS_BYTES, (byte) 0);
    vcpu.write(TSS + TSS_LIMIT, (byte) 0xFF);
    long gate = handler & 0xFFFF | 8L << 16 | 0x8EL << 40 | (handler >> 16 & 0xFFFF) << 48;
    vcpu.writeLong(IDT + 16L * VECTOR, gate);
  }

  /**
   * @param general all registers; RSP among them
   * @param rip where it begins
   */
  static VcpuState state(List<Long> general, long rip, Fpu fpu) {
    return state(general, rip, fpu, null);
  }

  /**
   * @param event what has to be delivered first
   */
  static VcpuState state(
      List<Long> general, long rip, Fpu fpu, @org.jspecify.annotations.Nullable Event event) {
    return new VcpuState(
        general,
        rip,
        RFLAGS,
        segments(),
        new Table(GDT, GDT_LIMIT),
        new Table(IDT, IDT_LIMIT),
        new Control(CR0, 0, PML4, CR4, 1),
        List.of(0L, 0L, 0L, 0L, 0xFFFF_0FF0L, 0x400L),
        msrs(),
        fpu,
        new Activity(false, false, false, false, event));
  }

  private static List<Segment> segments() {
    List<Segment> all = new ArrayList<>();
    Segment data = new Segment(USER_DATA_SELECTOR, 0, FLAT_LIMIT, USER_DATA);
    for (int i = 0; i < 6; i++) {
      all.add(data);
    }
    all.set(1, new Segment(USER_CODE_SELECTOR, 0, FLAT_LIMIT, USER_CODE));
    all.add(new Segment(0, 0, 0, 0));
    all.add(new Segment(TSS_SELECTOR, TSS, TSS_LIMIT, BUSY_TSS));
    return all;
  }

  private static SortedMap<Integer, Long> msrs() {
    SortedMap<Integer, Long> values = new TreeMap<>();
    VcpuMsrs.ALL.forEach(msr -> values.put(msr, 0L));
    values.put(VcpuMsrs.EFER, EFER);
    values.put(PAT, PAT_RESET);
    return values;
  }

  /** As FNINIT leaves x87, with these XMM registers. */
  static Fpu fpu(List<Long> xmm) {
    return new Fpu(
        0x37F,
        0,
        0,
        0,
        0,
        0,
        Collections.nCopies(Fpu.STACK, 0L),
        Collections.nCopies(Fpu.STACK, 0),
        0x1F80,
        xmm);
  }

  /** All XMM registers zero. */
  static Fpu fpu() {
    return fpu(Collections.nCopies(Fpu.XMM_WORDS, 0L));
  }

  /** All registers zero but RSP. */
  static List<Long> registers() {
    List<Long> general = new ArrayList<>(Collections.nCopies(VcpuState.GENERAL_REGISTERS, 0L));
    general.set(4, STACK_TOP);
    return general;
  }
}
