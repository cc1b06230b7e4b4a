package org.pluribus.vmm.emulator;

/**
 * A {@link PlainMachine} in 64-bit mode with what an operating system sets up: a GDT with kernel
 * and user segments, an IDT whose handlers halt, and a TSS.
 */
final class SystemMachine implements AutoCloseable {
  static final int KERNEL_CODE = 0x08;
  static final int KERNEL_DATA = 0x10;
  static final int USER_CODE_32 = 0x1B;
  static final int USER_DATA = 0x23;
  static final int USER_CODE = 0x2B;
  static final int TSS_SELECTOR = 0x30;

  /** Selectors above the TSS, for a test's own descriptors. */
  static final int FREE_SELECTOR = 0x40;

  static final long GDT = 0x2_0000;
  static final long IDT = 0x2_1000;
  static final long TSS = 0x2_3000;
  static final int TSS_LIMIT = 0x67 + 8 * 4;
  static final long KERNEL_STACK = 0x20_0000;
  static final long IST1_STACK = 0x21_0008;
  static final long USER_STACK = 0x22_0000;
  static final long USER_TEXT = 0x11_0000;

  /** Handler of vector n: HLT at {@code HANDLERS + 16 * n}. */
  static final long HANDLERS = 0x12_0000;

  static final long CODE64 = 0x00AF_9B00_0000_FFFFL;
  static final long CODE32 = 0x00CF_9B00_0000_FFFFL;
  static final long CODE16 = 0x0000_9B00_0000_FFFFL;
  static final long DATA = 0x00CF_9300_0000_FFFFL;
  private static final long DPL3 = 0x0000_6000_0000_0000L;

  final PlainMachine m = PlainMachine.in64();
  final Cpu cpu = m.cpu;

  SystemMachine() {
    m.put64(GDT, 0);
    m.put64(GDT + KERNEL_CODE, CODE64);
    m.put64(GDT + KERNEL_DATA, DATA);
    m.put64(GDT + 0x18, CODE32 | DPL3);
    m.put64(GDT + 0x20, DATA | DPL3);
    m.put64(GDT + 0x28, CODE64 | DPL3);
    m.put64(GDT + TSS_SELECTOR, TSS_LIMIT | TSS << 16 | 0x89L << 40);
    m.put64(GDT + TSS_SELECTOR + 8, 0);
    cpu.gdtBase = GDT;
    cpu.gdtLimit = 0xFFF;
    cpu.idtBase = IDT;
    cpu.idtLimit = 0xFFF;
    for (int v = 0; v < 256; v++) {
      gate(v, HANDLERS + 16 * v, 0, 0);
      m.code(HANDLERS + 16 * v, "F4");
    }
    put32(TSS + 4, KERNEL_STACK);
    put32(TSS + 36, IST1_STACK);
    put16(TSS + 102, 0x68);
    for (int k = 0; k < 32; k++) {
      m.put(TSS + 0x68 + k, new byte[] {-1}); // no port is allowed
    }
    cpu.gpr[CpuRegisters.RAX] = TSS_SELECTOR;
    m.exec("0F00D8"); // LTR AX
  }

  void put32(long gpa, long v) {
    m.put64(gpa, m.get64(gpa) & ~0xFFFFFFFFL | v & 0xFFFFFFFFL);
  }

  void put16(long gpa, int v) {
    m.put64(gpa, m.get64(gpa) & ~0xFFFFL | v & 0xFFFF);
  }

  /** A 64-bit interrupt gate to kernel code. */
  void gate(int vector, long handler, int ist, int dpl) {
    long low =
        handler & 0xFFFF
            | (long) KERNEL_CODE << 16
            | (long) ist << 32
            | (0x8EL | dpl << 5) << 40
            | (handler >>> 16 & 0xFFFF) << 48;
    m.put64(IDT + 16L * vector, low);
    m.put64(IDT + 16L * vector + 8, handler >>> 32);
  }

  /** Goes to ring 3, 64-bit code, by an IRETQ of the guest; {@code hex} is the program there. */
  void enterUser(String hex, int flags) {
    m.code(USER_TEXT, hex);
    long frame = KERNEL_STACK - 0x100;
    long[] values = {USER_TEXT, USER_CODE, flags, USER_STACK, USER_DATA};
    for (int k = 0; k < values.length; k++) {
      m.put64(frame + 8L * k, values[k]);
    }
    cpu.gpr[CpuRegisters.RSP] = frame;
    m.exec("48CF");
  }

  /** Runs until a handler's HLT; the handler's vector. */
  int runToHandler() {
    cpu.run();
    if (!cpu.halted) {
      return -1;
    }
    cpu.halted = false;
    long at = cpu.rip - 1 - HANDLERS;
    return at >= 0 && at < 16 * 256 && at % 16 == 0 ? (int) (at / 16) : -1;
  }

  /** Quadword {@code n} of the stack. */
  long stack(int n) {
    return m.get64(cpu.gpr[CpuRegisters.RSP] + 8L * n);
  }

  @Override
  public void close() {
    m.close();
  }
}
