package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.RegionFrame.FLAG_A;
import static org.pluribus.vmm.emulator.RegionFrame.FLAG_B;
import static org.pluribus.vmm.emulator.RegionFrame.FLAG_KIND;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;

/**
 * Tracks, while a block is translated, how the arithmetic flags are held at this point, and emits
 * tests of them. An operation only notes its kind and operands in locals; a condition after it in
 * the same block compares those directly. Where blocks meet only the local knows the kind, and who
 * asks for a flag there has it computed by {@link LazyFlags#settle}, which is rare.
 */
final class FlagEmitter {
  /** The pending kind is known only at run time. */
  static final int UNKNOWN = -1;

  private final RegionFrame frame;
  private final CodeBuilder code;

  /** The {@link LazyFlags} kind pending at this point of the translation, or {@link #UNKNOWN}. */
  private int kind = UNKNOWN;

  FlagEmitter(RegionFrame frame) {
    this.frame = frame;
    this.code = frame.code;
  }

  int kind() {
    return kind;
  }

  /** Says what is pending where translation goes on, at the head of a block. */
  void resume(int pendingKind) {
    kind = pendingKind;
  }

  private int operation() {
    return kind >> 2;
  }

  private int size() {
    return 1 << (kind & 3);
  }

  private int shift() {
    return 64 - 8 * size();
  }

  private void setKind(int k) {
    kind = k;
    code.loadConstant(k).istore(FLAG_KIND);
  }

  /** Pops b, then a: the operands of an operation whose flags are now pending. */
  void popPending(int operation, int size) {
    code.lstore(FLAG_B).lstore(FLAG_A);
    setKind(LazyFlags.kind(operation, size));
  }

  /** Pops the result of a logical operation, zero-extended. */
  void popLogic(int size) {
    code.lstore(FLAG_A);
    setKind(LazyFlags.kind(LazyFlags.LOGIC, size));
  }

  /** Pops the sign-extended result and the carry vector of an operation: its flags are known. */
  void popComputed() {
    code.dup2();
    frame.popLong("fz");
    frame.popLong("fs");
    frame.popLong("fc");
    computed();
  }

  /** The flags have been stored to the CPU; nothing is pending any more. */
  void computed() {
    setKind(LazyFlags.NONE);
  }

  /** Computes what is pending into the CPU's flags. */
  void settle() {
    if (kind != LazyFlags.NONE) {
      frame.settleFlags();
      computed();
    }
  }

  private void pushSignedResult() {
    switch (operation()) {
      case LazyFlags.ADD -> code.lload(FLAG_A).lload(FLAG_B).ladd();
      case LazyFlags.SUB -> code.lload(FLAG_A).lload(FLAG_B).lsub();
      case LazyFlags.INC -> code.lload(FLAG_A).lconst_1().ladd();
      case LazyFlags.DEC -> code.lload(FLAG_A).lconst_1().lsub();
      case LazyFlags.SHL -> code.lload(FLAG_A).lload(FLAG_B).l2i().lshl();
      case LazyFlags.SHR -> code.lload(FLAG_A).lload(FLAG_B).l2i().lushr();
      case LazyFlags.SAR -> {
        code.lload(FLAG_A);
        frame.signExtend(size());
        code.lload(FLAG_B).l2i().lshr();
      }
      case LazyFlags.IMUL -> code.lload(FLAG_A).lload(FLAG_B).lmul();
      default -> code.lload(FLAG_A);
    }
    frame.signExtend(size());
  }

  /** Pushes the carry vector, whose bit 63 is CF; what is pending stays so. */
  void pushCarryVector() {
    if (kind == LazyFlags.NONE) {
      frame.getLong("fc");
      return;
    }
    if (kind == UNKNOWN) {
      code.aload(RegionFrame.CPU).iload(FLAG_KIND).lload(FLAG_A).lload(FLAG_B);
      code.invokestatic(RegionFrame.FLAGS_CLASS, "carries", RegionFrame.PENDING_TO_J);
      return;
    }
    if (operation() == LazyFlags.LOGIC) {
      code.lconst_0();
      return;
    }
    code.lload(FLAG_A).lload(FLAG_B);
    boolean byShift =
        switch (operation()) {
          case LazyFlags.SHL, LazyFlags.SHR, LazyFlags.SAR -> true;
          default -> false;
        };
    if (byShift) {
      code.l2i();
    }
    code.loadConstant(shift());
    String name =
        switch (operation()) {
          case LazyFlags.ADD -> "addCarries";
          case LazyFlags.SUB -> "subCarries";
          case LazyFlags.INC -> "incCarries";
          case LazyFlags.DEC -> "decCarries";
          case LazyFlags.SHL -> "shlCarries";
          case LazyFlags.SHR -> "shrCarries";
          case LazyFlags.SAR -> "sarCarries";
          default -> "imulCarries";
        };
    frame.flagCall(name, byShift ? "(JII)J" : "(JJI)J");
  }

  // ---- conditions ----

  /** Jumps to {@code target} when condition code {@code cc} holds. */
  void jumpIf(int cc, Label target) {
    boolean direct =
        switch (kind == UNKNOWN ? LazyFlags.NONE : operation()) {
          case LazyFlags.SUB -> compare(FLAG_B, cc, target);
          case LazyFlags.LOGIC -> logic(cc, target);
          case LazyFlags.ADD,
              LazyFlags.INC,
              LazyFlags.DEC,
              LazyFlags.SHL,
              LazyFlags.SHR,
              LazyFlags.SAR ->
              zeroOrSign(cc, target);
          default -> false;
        };
    if (!direct) {
      settle();
      general(cc, target);
    }
  }

  /** Conditions after a comparison of {@link RegionFrame#FLAG_A} with {@code FLAG_B}. */
  private boolean compare(int b, int cc, Label target) {
    int size = size();
    switch (cc) {
      case 2, 3, 6, 7 -> {
        code.lload(FLAG_A).lload(b);
        if (size == 8) {
          code.invokestatic(
              ConstantDescs.CD_Long, "compareUnsigned", MethodTypeDesc.ofDescriptor("(JJ)I"));
        } else {
          code.lcmp();
        }
      }
      case 4, 5 -> code.lload(FLAG_A).lload(b).lcmp();
      case 8, 9 -> {
        pushSignedResult();
        code.lconst_0().lcmp();
      }
      case 12, 13, 14, 15 -> {
        code.lload(FLAG_A);
        frame.signExtend(size);
        code.lload(b);
        frame.signExtend(size);
        code.lcmp();
      }
      default -> {
        return false;
      }
    }
    switch (cc) {
      case 2, 8, 12 -> code.iflt(target);
      case 3, 9, 13 -> code.ifge(target);
      case 4 -> code.ifeq(target);
      case 5 -> code.ifne(target);
      case 6, 14 -> code.ifle(target);
      default -> code.ifgt(target);
    }
    return true;
  }

  /** CF and OF are 0. */
  private boolean logic(int cc, Label target) {
    switch (cc) {
      // Never and always; written as conditions, for else there would be dead code.
      case 0, 2 -> code.iconst_1().ifeq(target);
      case 1, 3 -> code.iconst_0().ifeq(target);
      case 10, 11 -> {
        return false;
      }
      default -> {
        code.lload(FLAG_A);
        frame.signExtend(size());
        code.lconst_0().lcmp();
        switch (cc) {
          case 4, 6 -> code.ifeq(target);
          case 5, 7 -> code.ifne(target);
          case 8, 12 -> code.iflt(target);
          case 9, 13 -> code.ifge(target);
          case 14 -> code.ifle(target);
          default -> code.ifgt(target);
        }
      }
    }
    return true;
  }

  private boolean zeroOrSign(int cc, Label target) {
    if (cc != 4 && cc != 5 && cc != 8 && cc != 9) {
      return false;
    }
    pushSignedResult();
    code.lconst_0().lcmp();
    switch (cc) {
      case 4 -> code.ifeq(target);
      case 5 -> code.ifne(target);
      case 8 -> code.iflt(target);
      default -> code.ifge(target);
    }
    return true;
  }

  /** From the CPU's flags. */
  private void general(int cc, Label target) {
    boolean negated = (cc & 1) != 0;
    switch (cc >> 1) {
      case 0 -> {
        pushOverflow();
        signJump(negated, target);
      }
      case 1 -> {
        frame.getLong("fc");
        signJump(negated, target);
      }
      case 2 -> {
        frame.getLong("fz");
        code.lconst_0().lcmp();
        zeroJump(negated, target);
      }
      case 3 -> orZero(() -> frame.getLong("fc"), negated, target);
      case 4 -> {
        frame.getLong("fs");
        signJump(negated, target);
      }
      case 5 -> {
        frame.getLong("fs");
        frame.flagCall("parity", "(J)Z");
        zeroJump(!negated, target);
      }
      case 6 -> {
        pushSignXorOverflow();
        signJump(negated, target);
      }
      default -> orZero(this::pushSignXorOverflow, negated, target);
    }
  }

  private void pushOverflow() {
    frame.getLong("fc");
    frame.getLong("fc");
    code.iconst_1().lshl().lxor();
  }

  private void pushSignXorOverflow() {
    pushOverflow();
    frame.getLong("fs");
    code.lxor();
  }

  /** Pops a long; jumps when it is negative, or is not. */
  private void signJump(boolean negated, Label target) {
    code.lconst_0().lcmp();
    if (negated) {
      code.ifge(target);
    } else {
      code.iflt(target);
    }
  }

  /** Pops an int; jumps when it is zero, or is not. */
  private void zeroJump(boolean negated, Label target) {
    if (negated) {
      code.ifne(target);
    } else {
      code.ifeq(target);
    }
  }

  /** Jumps when ZF or the sign of what is pushed is set, or when neither is. */
  private void orZero(Runnable push, boolean negated, Label target) {
    Label neither = code.newLabel();
    frame.getLong("fz");
    code.lconst_0().lcmp();
    if (negated) {
      code.ifeq(neither);
    } else {
      code.ifeq(target);
    }
    push.run();
    signJump(negated, target);
    code.labelBinding(neither);
  }
}
