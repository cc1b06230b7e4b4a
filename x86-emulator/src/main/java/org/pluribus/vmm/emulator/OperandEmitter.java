package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.RegionFrame.CPU;
import static org.pluribus.vmm.emulator.RegionFrame.CPU_CLASS;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;

/** Emits reads and writes of an instruction's operands. */
final class OperandEmitter {
  private static final ClassDesc I = ConstantDescs.CD_int;
  private static final ClassDesc J = ConstantDescs.CD_long;
  private static final ClassDesc UPDATE_CLASS = ClassDesc.of(MemoryUpdate.class.getName());
  private static final MethodTypeDesc LOAD = MethodTypeDesc.of(J, J, I);
  private static final MethodTypeDesc STORE = MethodTypeDesc.of(ConstantDescs.CD_void, J, J, I);
  private static final MethodTypeDesc UPDATE =
      MethodTypeDesc.of(J, CPU_CLASS, J, I, ConstantDescs.CD_boolean, I, J, J);

  private final RegionFrame frame;
  private final CodeBuilder code;

  /** Offset in the page of the current instruction, and of the one after it. */
  private int offset;

  private int nextOffset;

  /** Instructions of the block before the current one. */
  private int done;

  /** Position last noted for the current instruction, or -1. */
  private int noted;

  OperandEmitter(RegionFrame frame) {
    this.frame = frame;
    this.code = frame.code;
  }

  /** An instruction begins. */
  void begin(int at, int next, int doneBefore) {
    offset = at;
    nextOffset = next;
    done = doneBefore;
    noted = -1;
  }

  /** Notes where we are for a fault that what follows may raise. */
  void notePosition() {
    int position = RegionFrame.position(offset, done);
    if (position != noted) {
      code.loadConstant(position).istore(RegionFrame.POSITION);
      noted = position;
    }
  }

  /** Pushes the effective address (without segment base) of the memory operand. */
  void pushEffectiveAddress(Insn i) {
    if (i.base == Insn.BASE_RIP) {
      frame.pushAddress(nextOffset + i.disp);
    } else if (i.base >= 0) {
      frame.pushWhole(i.base);
      if (i.disp != 0) {
        code.loadConstant(i.disp).ladd();
      }
    } else {
      code.loadConstant(i.disp);
    }
    if (i.index >= 0) {
      frame.pushWhole(i.index);
      if (i.scale != 0) {
        code.loadConstant(i.scale).lshl();
      }
      code.ladd();
    }
    if (i.addrSize == 4) {
      frame.zeroExtend(4);
    }
  }

  /** Pushes the linear address of the memory operand. */
  void pushAddress(Insn i) {
    notePosition();
    pushEffectiveAddress(i);
    if (i.seg == CpuRegisters.FS || i.seg == CpuRegisters.GS) {
      code.aload(CPU).getfield(CPU_CLASS, "effectiveBase", RegionFrame.LONGS);
      code.loadConstant(i.seg).laload().ladd();
    }
  }

  /**
   * Pops an address, pushes the {@code size} bytes there; a CPU reference lies below it. The
   * segment decides between #SS and #GP when the address is not canonical.
   */
  void load(int size, int seg) {
    code.loadConstant(seg).invokevirtual(CPU_CLASS, "load" + 8 * size, LOAD);
  }

  /** Pops a value and an address; a CPU reference lies below them. */
  void store(int size, int seg) {
    code.loadConstant(seg).invokevirtual(CPU_CLASS, "store" + 8 * size, STORE);
  }

  /** Pushes operand {@code n}, zero-extended from its size. */
  void pushOperand(Insn i, int n) {
    pushOperand(i, n, i.size[n]);
  }

  /** Pushes operand {@code n} as one of {@code size} bytes: immediates are sign-extended to it. */
  void pushOperand(Insn i, int n, int size) {
    switch (i.kind[n]) {
      case Insn.REG -> frame.pushRegister(i.reg[n], size);
      case Insn.MEM -> {
        code.aload(CPU);
        pushAddress(i);
        load(size, i.seg);
      }
      default -> code.loadConstant(immediate(i, size));
    }
  }

  static long immediate(Insn i, int size) {
    return size == 8 ? i.imm : i.imm & (1L << 8 * size) - 1;
  }

  /**
   * Updates the memory operand 0 as {@link MemoryUpdate#at} does and pushes its old value. The
   * second operand and the auxiliary one are pushed by {@code operands}.
   */
  void update(Insn i, int operation, boolean lock, Runnable operands) {
    code.aload(CPU).loadConstant(i.seg).putfield(CPU_CLASS, "accessSeg", I);
    code.aload(CPU);
    pushAddress(i);
    code.loadConstant((int) i.size[0]).loadConstant(lock ? 1 : 0).loadConstant(operation);
    operands.run();
    code.invokestatic(UPDATE_CLASS, "at", UPDATE);
  }
}
