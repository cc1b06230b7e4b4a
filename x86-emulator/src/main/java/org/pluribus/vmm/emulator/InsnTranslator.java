package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.RegionFrame.CPU;
import static org.pluribus.vmm.emulator.RegionFrame.FLAG_A;
import static org.pluribus.vmm.emulator.RegionFrame.FLAG_B;
import static org.pluribus.vmm.emulator.RegionFrame.INT_1;
import static org.pluribus.vmm.emulator.RegionFrame.LONG_1;
import static org.pluribus.vmm.emulator.RegionFrame.LONG_2;
import static org.pluribus.vmm.emulator.RegionFrame.LONG_3;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;

/**
 * Emits the JVM code of single instructions other than branches ({@link NativeForm} says which).
 * Each changes guest registers and flags only after its last access that can fault, as the
 * interpreter's handlers do.
 */
final class InsnTranslator {
  private final RegionFrame frame;
  private final CodeBuilder code;
  private final FlagEmitter flags;
  private final OperandEmitter operands;
  private final ShiftTranslator shifts;

  InsnTranslator(RegionFrame frame, FlagEmitter flags, OperandEmitter operands) {
    this.frame = frame;
    this.code = frame.code;
    this.flags = flags;
    this.operands = operands;
    this.shifts = new ShiftTranslator(frame, flags, operands);
  }

  void translate(NativeForm form, Insn i) {
    switch (form) {
      case NOP -> {}
      case MOV -> mov(i);
      case MOVZX -> {
        operands.pushOperand(i, 1);
        frame.popRegister(i.reg[0], i.size[0]);
      }
      case MOVSX -> {
        operands.pushOperand(i, 1);
        frame.signExtend(i.size[1]);
        frame.popRegister(i.reg[0], i.size[0]);
      }
      case LEA -> {
        operands.pushEffectiveAddress(i);
        frame.popRegister(i.reg[0], i.size[0]);
      }
      case ADD -> sum(i, LazyFlags.ADD, MemoryUpdate.ADD);
      case SUB -> sum(i, LazyFlags.SUB, MemoryUpdate.SUB);
      case CMP -> {
        pushBoth(i);
        flags.popPending(LazyFlags.SUB, i.size[0]);
      }
      case TEST -> {
        pushBoth(i);
        code.land();
        flags.popLogic(i.size[0]);
      }
      case AND -> logic(i, MemoryUpdate.AND);
      case OR -> logic(i, MemoryUpdate.OR);
      case XOR -> logic(i, MemoryUpdate.XOR);
      case ADC -> withCarry(i, true);
      case SBB -> withCarry(i, false);
      case INC -> step(i, LazyFlags.INC, MemoryUpdate.ADD);
      case DEC -> step(i, LazyFlags.DEC, MemoryUpdate.SUB);
      case NEG -> neg(i);
      case NOT -> not(i);
      case XCHG -> xchg(i);
      case XADD -> xadd(i);
      case CMPXCHG -> cmpxchg(i);
      case SHIFT_IMMEDIATE -> shifts.byImmediate(i);
      case SHIFT_CL -> shifts.byCl(i);
      case BIT_TEST -> shifts.bitTest(i);
      case IMUL -> imul(i);
      case PUSH -> {
        operands.pushOperand(i, 0, 8);
        push();
      }
      case POP -> pop(i);
      case LEAVE -> leave();
      case SETCC -> setcc(i);
      case CMOV -> cmov(i);
      case BSWAP -> bswap(i);
      case CBW -> {
        frame.pushRegister(CpuRegisters.RAX, i.opSize / 2);
        frame.signExtend(i.opSize / 2);
        frame.popRegister(CpuRegisters.RAX, i.opSize);
      }
      case CWD -> {
        frame.pushRegister(CpuRegisters.RAX, i.opSize);
        frame.signExtend(i.opSize);
        code.bipush(63).lshr();
        frame.popRegister(CpuRegisters.RDX, i.opSize);
      }
      case SCAN -> scan(i);
      case POPCNT -> popcnt(i);
      default -> throw new IllegalStateException(form + " of " + i);
    }
  }

  private void pushBoth(Insn i) {
    operands.pushOperand(i, 0);
    operands.pushOperand(i, 1, i.size[0]);
  }

  private void mov(Insn i) {
    int size = i.size[0];
    if (i.kind[0] == Insn.REG) {
      operands.pushOperand(i, 1, size);
      frame.popRegister(i.reg[0], size);
    } else {
      code.aload(CPU);
      operands.pushAddress(i);
      operands.pushOperand(i, 1, size);
      operands.store(size, i.seg);
    }
  }

  // ---- arithmetic ----

  private void sum(Insn i, int flagOperation, int update) {
    int size = i.size[0];
    if (i.kind[0] == Insn.MEM) {
      updateWithSource(i, update);
      operands.pushOperand(i, 1, size);
      flags.popPending(flagOperation, size);
      return;
    }
    pushBoth(i);
    flags.popPending(flagOperation, size);
    code.lload(FLAG_A).lload(FLAG_B);
    if (flagOperation == LazyFlags.ADD) {
      code.ladd();
    } else {
      code.lsub();
    }
    frame.popRegister(i.reg[0], size);
  }

  private void updateWithSource(Insn i, int update) {
    operands.update(
        i,
        update,
        i.lock,
        () -> {
          operands.pushOperand(i, 1, i.size[0]);
          code.lconst_0();
        });
  }

  private void logic(Insn i, int update) {
    int size = i.size[0];
    if (i.kind[0] == Insn.MEM) {
      updateWithSource(i, update);
      operands.pushOperand(i, 1, size);
    } else {
      pushBoth(i);
    }
    switch (update) {
      case MemoryUpdate.AND -> code.land();
      case MemoryUpdate.OR -> code.lor();
      default -> code.lxor();
    }
    if (i.kind[0] == Insn.REG) {
      code.dup2();
      frame.popRegister(i.reg[0], size);
    }
    flags.popLogic(size);
  }

  /** ADC and SBB: the flags are computed at once, for few follow. */
  private void withCarry(Insn i, boolean add) {
    int size = i.size[0];
    // Not before the accesses: the pending flags must outlive a fault.
    Runnable pushCarry =
        () -> {
          flags.pushCarryVector();
          code.bipush(63).lushr();
        };
    if (i.kind[0] == Insn.MEM) {
      operands.update(
          i,
          add ? MemoryUpdate.ADC : MemoryUpdate.SBB,
          i.lock,
          () -> {
            operands.pushOperand(i, 1, size);
            pushCarry.run();
          });
    } else {
      operands.pushOperand(i, 0);
    }
    operands.pushOperand(i, 1, size);
    code.lstore(LONG_2).lstore(LONG_1);
    code.lload(LONG_1).lload(LONG_2);
    if (add) {
      code.ladd();
    } else {
      code.lsub();
    }
    pushCarry.run();
    if (add) {
      code.ladd();
    } else {
      code.lsub();
    }
    code.lstore(LONG_3);
    if (i.kind[0] == Insn.REG) {
      code.lload(LONG_3);
      frame.popRegister(i.reg[0], size);
    }
    code.lload(LONG_1).lload(LONG_2).lload(LONG_3).loadConstant(64 - 8 * size);
    frame.flagCall(add ? "adcCarries" : "sbbCarries", "(JJJI)J");
    code.lload(LONG_3);
    frame.signExtend(size);
    flags.popComputed();
  }

  /** INC and DEC: CF stays, so the flags before must be known. */
  private void step(Insn i, int flagOperation, int update) {
    int size = i.size[0];
    if (i.kind[0] == Insn.MEM) {
      operands.update(i, update, i.lock, () -> code.lconst_1().lconst_0());
    } else {
      operands.pushOperand(i, 0);
    }
    flags.pushCarryVector();
    flags.popPending(flagOperation, size);
    if (i.kind[0] == Insn.REG) {
      code.lload(FLAG_A).lconst_1();
      if (flagOperation == LazyFlags.INC) {
        code.ladd();
      } else {
        code.lsub();
      }
      frame.popRegister(i.reg[0], size);
    }
  }

  private void neg(Insn i) {
    int size = i.size[0];
    if (i.kind[0] == Insn.MEM) {
      operands.update(i, MemoryUpdate.NEG, i.lock, () -> code.lconst_0().lconst_0());
      code.lstore(LONG_1).lconst_0().lload(LONG_1);
      flags.popPending(LazyFlags.SUB, size);
      return;
    }
    code.lconst_0();
    operands.pushOperand(i, 0);
    flags.popPending(LazyFlags.SUB, size);
    code.lload(FLAG_B).lneg();
    frame.popRegister(i.reg[0], size);
  }

  private void not(Insn i) {
    if (i.kind[0] == Insn.MEM) {
      operands.update(i, MemoryUpdate.NOT, i.lock, () -> code.lconst_0().lconst_0());
      code.pop2();
      return;
    }
    operands.pushOperand(i, 0);
    code.loadConstant(-1L).lxor();
    frame.popRegister(i.reg[0], i.size[0]);
  }

  private void imul(Insn i) {
    int size = i.size[0];
    boolean three = i.kind[2] == Insn.IMM;
    operands.pushOperand(i, three ? 1 : 0, size);
    frame.signExtend(size);
    if (three) {
      code.loadConstant(i.imm);
    } else {
      operands.pushOperand(i, 1, size);
      frame.signExtend(size);
    }
    flags.popPending(LazyFlags.IMUL, size);
    code.lload(FLAG_A).lload(FLAG_B).lmul();
    frame.popRegister(i.reg[0], size);
  }

  // ---- exchanges ----

  private void xchg(Insn i) {
    int size = i.size[0];
    if (i.kind[0] == Insn.MEM) {
      operands.update(
          i,
          MemoryUpdate.SET,
          true,
          () -> {
            frame.pushRegister(i.reg[1], size);
            code.lconst_0();
          });
      frame.popRegister(i.reg[1], size);
      return;
    }
    frame.pushRegister(i.reg[0], size);
    code.lstore(LONG_1);
    frame.pushRegister(i.reg[1], size);
    frame.popRegister(i.reg[0], size);
    code.lload(LONG_1);
    frame.popRegister(i.reg[1], size);
  }

  private void xadd(Insn i) {
    int size = i.size[0];
    updateWithSource(i, MemoryUpdate.ADD);
    frame.pushRegister(i.reg[1], size);
    flags.popPending(LazyFlags.ADD, size);
    code.lload(FLAG_A);
    frame.popRegister(i.reg[1], size);
  }

  private void cmpxchg(Insn i) {
    int size = i.size[0];
    operands.update(
        i,
        MemoryUpdate.SET_IF_EQUAL,
        i.lock,
        () -> {
          frame.pushRegister(i.reg[1], size);
          frame.pushRegister(CpuRegisters.RAX, size);
        });
    code.lstore(LONG_1);
    frame.pushRegister(CpuRegisters.RAX, size);
    code.lload(LONG_1);
    flags.popPending(LazyFlags.SUB, size);
    Label equal = code.newLabel();
    code.lload(FLAG_A).lload(FLAG_B).lcmp().ifeq(equal);
    code.lload(FLAG_B);
    frame.popRegister(CpuRegisters.RAX, size);
    code.labelBinding(equal);
  }

  // ---- stack ----

  /** Pops a value from the JVM's stack and pushes it on the guest's. */
  void push() {
    code.lstore(LONG_1);
    frame.pushWhole(CpuRegisters.RSP);
    code.loadConstant(8L).lsub().lstore(LONG_2);
    operands.notePosition();
    code.aload(CPU).lload(LONG_2).lload(LONG_1);
    operands.store(8, CpuRegisters.SS);
    code.lload(LONG_2);
    frame.popWhole(CpuRegisters.RSP);
  }

  /** Pushes the quadword at an address held in a guest register, seen through SS. */
  void peek(int register) {
    operands.notePosition();
    code.aload(CPU);
    frame.pushWhole(register);
    operands.load(8, CpuRegisters.SS);
  }

  /** Moves the guest's stack pointer. */
  void moveStack(long bytes) {
    frame.pushWhole(CpuRegisters.RSP);
    code.loadConstant(bytes).ladd();
    frame.popWhole(CpuRegisters.RSP);
  }

  private void pop(Insn i) {
    peek(CpuRegisters.RSP);
    code.lstore(LONG_1);
    moveStack(8);
    code.lload(LONG_1);
    frame.popWhole(i.reg[0]);
  }

  private void leave() {
    peek(CpuRegisters.RBP);
    code.lstore(LONG_1);
    frame.pushWhole(CpuRegisters.RBP);
    code.loadConstant(8L).ladd();
    frame.popWhole(CpuRegisters.RSP);
    code.lload(LONG_1);
    frame.popWhole(CpuRegisters.RBP);
  }

  // ---- conditions ----

  private void setcc(Insn i) {
    Label not = code.newLabel();
    code.iconst_0().istore(INT_1);
    flags.jumpIf(i.opcode & 15 ^ 1, not);
    code.iconst_1().istore(INT_1);
    code.labelBinding(not);
    if (i.kind[0] == Insn.REG) {
      code.iload(INT_1).i2l();
      frame.popRegister(i.reg[0], 1);
    } else {
      code.aload(CPU);
      operands.pushAddress(i);
      code.iload(INT_1).i2l();
      operands.store(1, i.seg);
    }
  }

  private void cmov(Insn i) {
    int size = i.size[0];
    operands.pushOperand(i, 1);
    code.lstore(LONG_1);
    Label moved = code.newLabel();
    flags.jumpIf(i.opcode & 15, moved);
    frame.pushRegister(i.reg[0], size);
    code.lstore(LONG_1);
    code.labelBinding(moved);
    code.lload(LONG_1);
    frame.popRegister(i.reg[0], size);
  }

  // ---- bits ----

  private void bswap(Insn i) {
    frame.pushWhole(i.reg[0]);
    if (i.opSize == 8) {
      code.invokestatic(RegionEmitter.LONG_CLASS, "reverseBytes", RegionFrame.J_TO_J);
    } else {
      code.l2i().invokestatic(RegionEmitter.INTEGER_CLASS, "reverseBytes", RegionEmitter.I_TO_I);
      code.i2l();
    }
    frame.popRegister(i.reg[0], i.opSize);
  }

  /** BSF and BSR: a source of 0 leaves the destination. */
  private void scan(Insn i) {
    int size = i.size[0];
    operands.pushOperand(i, 1);
    code.lstore(LONG_1);
    Label none = code.newLabel();
    code.lload(LONG_1).lconst_0().lcmp().ifeq(none);
    if (i.opcode == NativeForm.BSF_OPCODE) {
      code.lload(LONG_1);
      code.invokestatic(RegionEmitter.LONG_CLASS, "numberOfTrailingZeros", RegionEmitter.LONG_TO_I);
    } else {
      code.bipush(63).lload(LONG_1);
      code.invokestatic(RegionEmitter.LONG_CLASS, "numberOfLeadingZeros", RegionEmitter.LONG_TO_I);
      code.isub();
    }
    code.i2l();
    frame.popRegister(i.reg[0], size);
    code.labelBinding(none);
    code.lload(LONG_1);
    flags.popLogic(size);
  }

  private void popcnt(Insn i) {
    operands.pushOperand(i, 1);
    code.dup2().lstore(LONG_1);
    code.invokestatic(RegionEmitter.LONG_CLASS, "bitCount", RegionEmitter.LONG_TO_I).i2l();
    frame.popRegister(i.reg[0], i.size[0]);
    code.lload(LONG_1);
    frame.popLong("fz");
    code.lconst_1();
    frame.popLong("fs");
    code.lconst_0();
    frame.popLong("fc");
    flags.computed();
  }
}
