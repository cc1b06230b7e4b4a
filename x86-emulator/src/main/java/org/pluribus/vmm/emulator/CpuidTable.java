package org.pluribus.vmm.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What CPUID tells (SDM volume 2, CPUID): x86-64-v2 as far as this package implements it, and one
 * vCPU's place in the topology. Immutable.
 *
 * <p>Family, model and speculation bits are those of a {@link CpuModel}: the emulator's says that
 * it executes in order, hosts under KVM show their own.
 */
public final class CpuidTable {
  /** The emulator's family, model and stepping; also in EDX after reset. */
  static final int SIGNATURE = CpuModel.IN_ORDER.signature();

  /** ECX bit of leaf 1 that follows CR4.OSXSAVE. */
  static final int LEAF1_ECX_OSXSAVE = 1 << 27;

  private static final int SSE3 = 1;
  private static final int SSSE3 = 1 << 9;
  private static final int CX16 = 1 << 13;
  private static final int SSE4_1 = 1 << 19;
  private static final int SSE4_2 = 1 << 20;
  private static final int X2APIC = 1 << 21;
  private static final int POPCNT = 1 << 23;
  private static final int TSC_DEADLINE = 1 << 24;
  private static final int XSAVE = 1 << 26;
  private static final int RDRAND = 1 << 30;
  private static final int HYPERVISOR = 1 << 31;

  private static final int LEAF1_ECX =
      SSE3
          | SSSE3
          | CX16
          | SSE4_1
          | SSE4_2
          | X2APIC
          | POPCNT
          | TSC_DEADLINE
          | XSAVE
          | RDRAND
          | HYPERVISOR;

  private static final int FPU = 1;
  private static final int DE = 1 << 2;
  private static final int PSE = 1 << 3;
  private static final int TSC = 1 << 4;
  private static final int MSR = 1 << 5;
  private static final int PAE = 1 << 6;
  private static final int MCE = 1 << 7;
  private static final int CX8 = 1 << 8;
  private static final int APIC = 1 << 9;
  private static final int SEP = 1 << 11;
  private static final int MTRR = 1 << 12;
  private static final int PGE = 1 << 13;
  private static final int MCA = 1 << 14;
  private static final int CMOV = 1 << 15;
  private static final int PAT = 1 << 16;
  private static final int PSE36 = 1 << 17;
  private static final int CLFSH = 1 << 19;
  private static final int MMX = 1 << 23;
  private static final int FXSR = 1 << 24;
  private static final int SSE = 1 << 25;
  private static final int SSE2 = 1 << 26;
  private static final int HTT = 1 << 28;

  private static final int LEAF1_EDX =
      FPU | DE | PSE | TSC | MSR | PAE | MCE | CX8 | APIC | SEP | MTRR | PGE | MCA | CMOV | PAT
          | PSE36 | CLFSH | MMX | FXSR | SSE | SSE2;

  private static final int FSGSBASE = 1;
  private static final int TSC_ADJUST = 1 << 1;
  private static final int SMEP = 1 << 7;
  private static final int ERMS = 1 << 9;
  private static final int SMAP = 1 << 20;
  private static final int LEAF7_EBX = FSGSBASE | TSC_ADJUST | SMEP | ERMS | SMAP;
  private static final int UMIP = 1 << 2;
  private static final int FSRM = 1 << 4;

  private static final int LAHF64 = 1;

  /** AMD: the logical processors that HTT counts are cores. */
  private static final int CMP_LEGACY = 1 << 1;

  /** AMD: MSR C001_100C tells the node within the package; Linux takes it for the last cache's. */
  private static final int NODE_ID = 1 << 19;

  private static final int SYSCALL = 1 << 11;
  private static final int NX = 1 << 20;
  private static final int PAGE_1G = 1 << 26;
  private static final int RDTSCP = 1 << 27;
  private static final int LONG_MODE = 1 << 29;

  private static final int MAX_BASIC = 0x16;
  private static final int HYPERVISOR_BASE = 0x40000000;
  private static final int EXTENDED_BASE = 0x80000000;
  private static final int MAX_EXTENDED = 0x80000008;

  /** AMD's processors have more leaves; 0x80000021 has speculation bits. */
  private static final int MAX_EXTENDED_AMD = 0x80000021;

  /** AMD's leaf 0x80000005: 32 KiB, 8 ways, lines of 64 bytes. */
  private static final int AMD_L1 = 32 << 24 | 8 << 16 | 1 << 8 | 64;

  private static final int LINEAR_BITS = 48;
  private static final int LEAF_INDEX = 0x0FFFFFFF;
  private static final long MEGA = 1_000_000;

  /** Legacy area and header of the XSAVE image. */
  private static final int XSAVE_BYTES = 576;

  private static final String BRAND = "Pluribus virtual x86-64 processor";
  private static final int MAX_SUBLEAF = 4;

  /** By class (basic, hypervisor, extended), leaf and subleaf: EAX, EBX, ECX, EDX. */
  private final int[][][][] leaves = new int[3][][][];

  private final CpuModel model;
  private final long nodeId;

  /** Builds the table of one vCPU. */
  public CpuidTable(CpuidConfig c) {
    leaves[0] = new int[MAX_BASIC + 1][MAX_SUBLEAF + 1][4];
    leaves[1] = new int[1][1][4];
    model = c.model();
    nodeId = (1L << c.packageShift() - c.nodeShift()) - 1 << 3 | c.nodeInPackage();
    int maxExtended = model.isIntel() ? MAX_EXTENDED : MAX_EXTENDED_AMD;
    leaves[2] = new int[maxExtended - EXTENDED_BASE + 1][1][4];
    basic(c);
    caches(c);
    topology(c);
    byte[] name = "Pluribus VMM".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer b = ByteBuffer.wrap(name).order(ByteOrder.LITTLE_ENDIAN);
    leaves[1][0][0] = new int[] {HYPERVISOR_BASE, b.getInt(), b.getInt(), b.getInt()};
    extended(maxExtended);
    if (!model.isIntel()) {
      extendedAmd(c);
    }
    c.without().forEach(this::remove);
  }

  private void remove(CpuFeature f) {
    int[] registers = f.leaf() < 0 ? leaves[2][f.leaf() & LEAF_INDEX][0] : leaves[0][f.leaf()][0];
    registers[f.register().ordinal()] &= ~f.mask();
  }

  /** Which processor the guest is told that it has. */
  public CpuModel model() {
    return model;
  }

  /** Whether the guest is told of the feature. */
  public boolean has(CpuFeature f) {
    return (at(f.leaf(), 0, f.register().ordinal()) & f.mask()) != 0;
  }

  /** Every leaf and subleaf that has something to tell: pairs of leaf and subleaf. */
  public List<int[]> known() {
    List<int[]> all = new ArrayList<>();
    for (int leaf = 0; leaf <= MAX_BASIC; leaf++) {
      for (int subleaf = 0; subleaf <= (isIndexed(leaf) ? MAX_SUBLEAF : 0); subleaf++) {
        all.add(new int[] {leaf, subleaf});
      }
    }
    all.add(new int[] {HYPERVISOR_BASE, 0});
    for (int leaf = EXTENDED_BASE; leaf < EXTENDED_BASE + leaves[2].length; leaf++) {
      all.add(new int[] {leaf, 0});
    }
    return all;
  }

  /** Whether a basic leaf's answer depends on the subleaf in ECX. */
  public static boolean isIndexed(int leaf) {
    return leaf == 4 || leaf == 7 || leaf == 0xB || leaf == 0xD;
  }

  private void set(int leaf, int subleaf, int eax, int ebx, int ecx, int edx) {
    leaves[0][leaf][subleaf] = new int[] {eax, ebx, ecx, edx};
  }

  private void basic(CpuidConfig c) {
    int[] vendor = model.vendorWords();
    set(0, 0, MAX_BASIC, vendor[0], vendor[2], vendor[1]);
    int logical = Math.min(1 << c.packageShift(), 255);
    int ids = (c.apicId() & 0xFF) << 24 | logical << 16 | 8 << 8; // CLFLUSH: 8 x 8 bytes
    int edx = LEAF1_EDX | (logical > 1 ? HTT : 0);
    set(1, 0, model.signature(), ids, LEAF1_ECX, edx);
    set(2, 0, 0x00FF0001, 0, 0, 0); // 0xFF: leaf 4 describes the caches
    set(6, 0, 1 << 2, 0, 0, 0); // the APIC timer always runs
    set(7, 0, model.leaf7Sub2Edx() == 0 ? 0 : 2, LEAF7_EBX, UMIP, FSRM | model.leaf7Edx());
    set(7, 2, 0, 0, 0, model.leaf7Sub2Edx());
    set(0xD, 0, 3, XSAVE_BYTES, XSAVE_BYTES, 0); // x87 and SSE; no XSAVEOPT, XSAVEC, XSAVES
    set(0x15, 0, 1, 1, (int) c.tscHz(), 0); // the crystal, and the APIC timer, run at its frequency
    int mhz = (int) (c.tscHz() / MEGA);
    set(0x16, 0, mhz, mhz, 100, 0);
  }

  /** Types of leaf 4. */
  private static final int DATA = 1;

  private static final int INSTRUCTION = 2;
  private static final int UNIFIED = 3;

  private void caches(CpuidConfig c) {
    int cores = (1 << Math.min(c.packageShift(), 6)) - 1;
    int sharing = (1 << Math.min(c.nodeShift(), 12)) - 1;
    cache(0, DATA, 1, 0, cores, 8, 64);
    cache(1, INSTRUCTION, 1, 0, cores, 8, 64);
    cache(2, UNIFIED, 2, 0, cores, 16, 1024);
    cache(3, UNIFIED, 3, sharing, cores, 16, 16384);
  }

  private void cache(int n, int type, int level, int sharing, int cores, int ways, int sets) {
    int eax = cores << 26 | sharing << 14 | 1 << 8 | level << 5 | type;
    set(4, n, eax, ways - 1 << 22 | 63, sets - 1, 0);
  }

  /** Leaf 0xB: one thread a core, cores in a package. */
  private void topology(CpuidConfig c) {
    set(0xB, 0, 0, 1, 1 << 8, c.apicId());
    set(0xB, 1, c.packageShift(), c.coresPerPackage(), 2 << 8 | 1, c.apicId());
    for (int n = 2; n <= MAX_SUBLEAF; n++) {
      set(0xB, n, 0, 0, n, c.apicId());
    }
  }

  private void extended(int maxExtended) {
    int[][][] e = leaves[2];
    e[0][0] = new int[] {maxExtended, 0, 0, 0};
    e[1][0] = new int[] {0, 0, LAHF64, SYSCALL | NX | PAGE_1G | RDTSCP | LONG_MODE};
    byte[] brand = Arrays.copyOf(BRAND.getBytes(StandardCharsets.US_ASCII), 48);
    ByteBuffer b = ByteBuffer.wrap(brand).order(ByteOrder.LITTLE_ENDIAN);
    for (int leaf = 2; leaf <= 4; leaf++) {
      e[leaf][0] = new int[] {b.getInt(), b.getInt(), b.getInt(), b.getInt()};
    }
    e[6][0] = new int[] {0, 0, 1024 << 16 | 8 << 12 | 64, 0}; // L2: 1 MiB, 16 ways
    e[7][0] = new int[] {0, 0, 0, 1 << 8}; // invariant TSC
    e[8][0] = new int[] {PageWalker.PHYSICAL_BITS | LINEAR_BITS << 8, 0, 0, 0};
  }

  /** What AMD's processors tell elsewhere than Intel's (AMD APM volume 3, E.4). */
  private void extendedAmd(CpuidConfig c) {
    int[][][] e = leaves[2];
    e[1][0][0] = model.signature();
    if ((leaves[0][1][0][3] & HTT) != 0) {
      e[1][0][2] |= CMP_LEGACY | NODE_ID;
    }
    e[5][0] = new int[] {0, 0, AMD_L1, AMD_L1};
    e[8][0][1] = model.extended8Ebx();
    e[8][0][2] = Math.min(c.packageShift(), 15) << 12 | c.coresPerPackage() - 1 & 0xFF;
    e[MAX_EXTENDED_AMD - EXTENDED_BASE][0][0] = model.extended21Eax();
  }

  /** AMD's NODE_ID (MSR C001_100C, BKDG family 10h): node of the package, nodes of it less one. */
  public long nodeId() {
    return nodeId;
  }

  /** EAX of a leaf; leaves above the highest basic one read as that, as on Intel's CPUs. */
  public int eax(int leaf, int subleaf) {
    return at(leaf, subleaf, 0);
  }

  /** EBX of a leaf. */
  public int ebx(int leaf, int subleaf) {
    return at(leaf, subleaf, 1);
  }

  /** ECX of a leaf, without the dynamic OSXSAVE bit. */
  public int ecx(int leaf, int subleaf) {
    return at(leaf, subleaf, 2);
  }

  /** EDX of a leaf. */
  public int edx(int leaf, int subleaf) {
    return at(leaf, subleaf, 3);
  }

  private int at(int leaf, int subleaf, int register) {
    int kind = (leaf & 0xF0000000) == HYPERVISOR_BASE ? 1 : leaf < 0 ? 2 : 0;
    int index = leaf & LEAF_INDEX;
    if (kind == 1 && index != 0) {
      return 0;
    }
    int[][][] table = leaves[kind];
    if (index >= table.length || (kind == 0 && leaf > MAX_BASIC)) {
      return leaves[0][MAX_BASIC][0][register];
    }
    int[][] bySubleaf = table[index];
    if (kind != 0 || !isIndexed(index)) {
      return bySubleaf[0][register];
    }
    if (subleaf < 0 || subleaf > MAX_SUBLEAF) {
      // Leaf 0xB echoes the level asked for, and the x2APIC id always.
      return index != 0xB
          ? 0
          : register == 2 ? subleaf & 0xFF : register == 3 ? bySubleaf[0][3] : 0;
    }
    return bySubleaf[subleaf][register];
  }
}
