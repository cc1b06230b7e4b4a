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

  /** CPU, kind, a, b. */
  static final MethodTypeDesc PENDING_TO_J = MethodTypeDesc.of(J, CPU_CLASS, I, J, J);

  private static final MethodTypeDesc PENDING_TO_VOID =
      MethodTypeDesc.of(ConstantDescs.CD_void, CPU_CLASS, I, J, J);

  // ---- local variables; a long takes two ----

  static final int THIS = 0;
  static final int CPU = 1;
  static final int GPR = 2;

  /** Linear address of the code page: RIP is this plus a constant everywhere in a region. */
  static final int BASE = 3;

  /** Where a regular exit goes. */
  static final int TARGET = 5;

  /** Operands and kind of the pending flags ({@link LazyFlags}). */
  static final int FLAG_A = 7;

  static final int FLAG_B = 9;
  static final int FLAG_KIND = 11;

  /** Instructions executed since entry, up to the beginning of the current block. */
  static final int COUNT = 12;

  /** Where in the region we are: see {@link #position}. */
  static final int POSITION = 13;

  /** The exception on its way out, or null. */
  static final int THROWN = 14;

  // Scratch within one instruction.
  static final int LONG_1 = 15;
  static final int LONG_2 = 17;
  static final int LONG_3 = 19;
  static final int INT_1 = 21;

  /** RAX; register {@code r} is at {@code REGISTERS + 2 * r}. */
  static final int REGISTERS = 22;

  private static final int POSITION_DONE_SHIFT = 13;
  static final int OFFSET_MASK = (1 << POSITION_DONE_SHIFT) - 1;

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
   * A place in the region as one number: offset of an instruction in the page, and instructions of
   * its block done before it.
   */
  static int position(int offset, int done) {
    return offset | done << POSITION_DONE_SHIFT;
  }

  void pushDone() {
    code.iload(POSITION).loadConstant(POSITION_DONE_SHIFT).iushr();
  }

  // ---- entry and exit ----

  /** Assigns every local. */
  void enter() {
    code.aload(CPU).getfield(CPU_CLASS, "gpr", LONGS).astore(GPR);
    getLong("rip");
    code.loadConstant(CpuMemory.PAGE_MASK).land().lstore(BASE);
    code.lconst_0().lstore(TARGET);
    code.iconst_0().istore(COUNT).iconst_0().istore(POSITION).aconst_null().astore(THROWN);
    getLong("flagA");
    code.lstore(FLAG_A);
    getLong("flagB");
    code.lstore(FLAG_B);
    getInt("flagKind");
    code.istore(FLAG_KIND);
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

  /** Leaves the pending flags to the CPU. */
  void savePendingFlags() {
    code.aload(CPU).iload(FLAG_KIND).putfield(CPU_CLASS, "flagKind", I);
    code.aload(CPU).lload(FLAG_A).putfield(CPU_CLASS, "flagA", J);
    code.aload(CPU).lload(FLAG_B).putfield(CPU_CLASS, "flagB", J);
  }

  /** Computes the pending flags into the CPU. */
  void settleFlags() {
    code.aload(CPU).iload(FLAG_KIND).lload(FLAG_A).lload(FLAG_B);
    code.invokestatic(FLAGS_CLASS, "settle", PENDING_TO_VOID);
  }

  /** Adds the instructions executed to the CPU's count. */
  void saveCount() {
    code.aload(CPU).dup().getfield(CPU_CLASS, "instructions", J);
    code.iload(COUNT).i2l().ladd().putfield(CPU_CLASS, "instructions", J);
  }

  // ---- fields of the CPU ----

  void getLong(String field) {
    code.aload(CPU).getfield(CPU_CLASS, field, J);
  }

  void getInt(String field) {
    code.aload(CPU).getfield(CPU_CLASS, field, I);
  }

  /** Pops a long into a field of the CPU. */
  void popLong(String field) {
    code.lstore(LONG_1).aload(CPU).lload(LONG_1).putfield(CPU_CLASS, field, J);
  }

  /** Stores the address of the byte at {@code offset} of the code page into a field of the CPU. */
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
