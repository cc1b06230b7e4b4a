package org.pluribus.vmm.emulator;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;

/**
 * The local variables of a region's method, and the code that reads and writes them.
 *
 * <p>While a region runs, the guest registers it uses live in JVM locals, which the JVM's compiler
 * keeps in host registers. All of them are assigned at the method's entry, so that every label sees
 * the same set; the operand stack is empty at every label.
 */
final class RegionFrame {
  static final ClassDesc CPU_CLASS = ClassDesc.of(Cpu.class.getName());
  static final ClassDesc LONGS = ConstantDescs.CD_long.arrayType();
  static final ClassDesc FLAGS_CLASS = ClassDesc.of(LazyFlags.class.getName());

  private static final ClassDesc J = ConstantDescs.CD_long;
  private static final ClassDesc I = ConstantDescs.CD_int;

  static final MethodTypeDesc J_TO_J = MethodTypeDesc.of(J, J);
  static final MethodTypeDesc JJ_TO_VOID = MethodTypeDesc.of(ConstantDescs.CD_void, J, J);

  // ---- local variables; a long takes two ----

  static final int THIS = 0;
  static final int CPU = 1;
  static final int GPR = 2;

  /** Linear address of the code page: RIP is this plus a constant everywhere in a region. */
  static final int BASE = 3;

  /** Where a regular exit goes. */
  static final int TARGET = 5;

  /** Operands of the pending flags ({@link LazyFlags}). */
  static final int FLAG_A = 7;

  static final int FLAG_B = 9;
  static final int FZ = 11;
  static final int FS = 13;
  static final int FC = 15;

  /** Instructions executed since entry, up to the beginning of the current block. */
  static final int COUNT = 17;

  /** Where in the region we are: see {@link #position}. */
  static final int POSITION = 18;

  /** The exception on its way out, or null. */
  static final int THROWN = 19;

  // Scratch within one instruction.
  static final int LONG_1 = 20;
  static final int LONG_2 = 22;
  static final int LONG_3 = 24;
  static final int INT_1 = 26;

  /** RAX; register {@code r} is at {@code REGISTERS + 2 * r}. */
  static final int REGISTERS = 28;

  private static final int POSITION_DONE_SHIFT = 13;
  private static final int POSITION_KIND_SHIFT = 20;
  static final int OFFSET_MASK = (1 << POSITION_DONE_SHIFT) - 1;
  static final int DONE_MASK = (1 << POSITION_KIND_SHIFT - POSITION_DONE_SHIFT) - 1;

  final CodeBuilder code;

  /** Guest registers kept in locals, and those of them that the region writes; one bit each. */
  final int used;

  final int written;

  RegionFrame(CodeBuilder code, int used, int written) {
    this.code = code;
    this.used = used;
    this.written = written;
  }

  /**
   * A place in the region as one number: offset of an instruction in the page, instructions of its
   * block done before it, and the {@link LazyFlags} kind pending there.
   */
  static int position(int offset, int done, int flagKind) {
    return offset | done << POSITION_DONE_SHIFT | flagKind << POSITION_KIND_SHIFT;
  }

  void pushDone() {
    code.iload(POSITION).loadConstant(POSITION_DONE_SHIFT).iushr();
    code.loadConstant(DONE_MASK).iand();
  }

  void pushFlagKind() {
    code.iload(POSITION).loadConstant(POSITION_KIND_SHIFT).iushr();
  }

  // ---- entry and exit ----

  /** Assigns every local. */
  void enter() {
    code.aload(CPU).getfield(CPU_CLASS, "gpr", LONGS).astore(GPR);
    getLong("rip");
    code.loadConstant(CpuMemory.PAGE_MASK).land().lstore(BASE);
    for (int slot : new int[] {TARGET, FLAG_A, FLAG_B}) {
      code.lconst_0().lstore(slot);
    }
    code.iconst_0().istore(COUNT).iconst_0().istore(POSITION).aconst_null().astore(THROWN);
    reloadFlags();
    reloadRegisters();
  }

  void reloadRegisters() {
    for (int r = 0; r < 16; r++) {
      if ((used & 1 << r) != 0) {
        reloadRegister(r);
      }
    }
  }

  void reloadRegister(int r) {
    code.aload(GPR).loadConstant(r).laload().lstore(slot(r));
  }

  void saveRegisters(int mask) {
    for (int r = 0; r < 16; r++) {
      if ((mask & 1 << r) != 0) {
        code.aload(GPR).loadConstant(r).lload(slot(r)).lastore();
      }
    }
  }

  void reloadFlags() {
    getLong("fz");
    code.lstore(FZ);
    getLong("fs");
    code.lstore(FS);
    getLong("fc");
    code.lstore(FC);
  }

  void saveFlags() {
    putLong("fz", FZ);
    putLong("fs", FS);
    putLong("fc", FC);
  }

  /** Adds the instructions executed to the CPU's counts. */
  void saveCounts() {
    code.aload(CPU).dup().getfield(CPU_CLASS, "instructions", J);
    code.iload(COUNT).i2l().ladd().putfield(CPU_CLASS, "instructions", J);
    code.aload(CPU).dup().getfield(CPU_CLASS, "fuel", I);
    // One unit at least, or short regions that follow each other would run for ever.
    code.iload(COUNT).loadConstant(RegionEmitter.INSTRUCTIONS_PER_FUEL_SHIFT).ishr();
    code.iconst_1().iadd().isub();
    code.putfield(CPU_CLASS, "fuel", I);
  }

  // ---- fields of the CPU ----

  void getLong(String field) {
    code.aload(CPU).getfield(CPU_CLASS, field, J);
  }

  void getInt(String field) {
    code.aload(CPU).getfield(CPU_CLASS, field, I);
  }

  private void putLong(String field, int slot) {
    code.aload(CPU).lload(slot).putfield(CPU_CLASS, field, J);
  }

  /** Pops a long into a field of the CPU. */
  void putAddress(String field, int offset) {
    code.aload(CPU);
    pushAddress(offset);
    code.putfield(CPU_CLASS, field, J);
  }

  /** Pushes the linear address of the byte at {@code offset} of the code page. */
  void pushAddress(long offset) {
    code.lload(BASE).loadConstant(offset).ladd();
  }

  // ---- guest registers ----

  private int slot(int register) {
    if ((used & 1 << register) == 0) {
      throw new IllegalStateException("register " + register + " is not among the region's");
    }
    return REGISTERS + 2 * register;
  }

  /** Pushes all 64 bits of a register. */
  void pushWhole(int register) {
    code.lload(slot(register));
  }

  void popWhole(int register) {
    if ((written & 1 << register) == 0) {
      throw new IllegalStateException("register " + register + " is not among those written");
    }
    code.lstore(slot(register));
  }

  /** Pushes a register operand, zero-extended; 16 to 19 are AH, CH, DH and BH. */
  void pushRegister(int register, int size) {
    if (register >= 16) {
      pushWhole(register - 16);
      code.bipush(8).lushr().loadConstant(0xFFL).land();
      return;
    }
    pushWhole(register);
    zeroExtend(size);
  }

  /** Pops a value, of which {@code size} bytes count, into a register operand. */
  void popRegister(int register, int size) {
    if (size == 8) {
      popWhole(register);
    } else if (size == 4) {
      zeroExtend(4);
      popWhole(register);
    } else {
      boolean high = register >= 16;
      int r = high ? register - 16 : register;
      long mask = size == 2 ? 0xFFFFL : 0xFFL;
      code.loadConstant(mask).land();
      if (high) {
        mask <<= 8;
        code.bipush(8).lshl();
      }
      pushWhole(r);
      code.loadConstant(~mask).land().lor();
      popWhole(r);
    }
  }

  // ---- values on the operand stack ----

  void zeroExtend(int size) {
    switch (size) {
      case 1 -> code.loadConstant(0xFFL).land();
      case 2 -> code.loadConstant(0xFFFFL).land();
      case 4 -> code.loadConstant(0xFFFFFFFFL).land();
      default -> {}
    }
  }

  void signExtend(int size) {
    switch (size) {
      case 1 -> code.l2i().i2b().i2l();
      case 2 -> code.l2i().i2s().i2l();
      case 4 -> code.l2i().i2l();
      default -> {}
    }
  }

  /** Calls a static method of {@link LazyFlags}. */
  void flagCall(String name, String descriptor) {
    code.invokestatic(FLAGS_CLASS, name, MethodTypeDesc.ofDescriptor(descriptor));
  }
}
