package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.RegionFrame.FC;
import static org.pluribus.vmm.emulator.RegionFrame.FLAG_A;
import static org.pluribus.vmm.emulator.RegionFrame.FLAG_B;
import static org.pluribus.vmm.emulator.RegionFrame.FS;
import static org.pluribus.vmm.emulator.RegionFrame.FZ;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;

/**
 * Tracks, while a block is translated, how the arithmetic flags are held at this point, and emits
 * tests of them. An operation only notes its operands; a condition right after it compares those
 * directly, and the flags proper are computed where a region is left or blocks of different origin
 * meet.
 */
final class FlagEmitter {
  private final RegionFrame frame;
  private final CodeBuilder code;

  /** The {@link LazyFlags} kind pending at this point of the translation. */
  private int kind;

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

  /** Pops b, then a: the operands of an operation whose flags are now pending. */
  void popPending(int operation, int size) {
    code.lstore(FLAG_B).lstore(FLAG_A);
    kind = LazyFlags.kind(operation, size);
  }

  /** Pops the result of a logical operation, zero-extended. */
  void popLogic(int size) {
    code.lstore(FLAG_A);
    kind = LazyFlags.kind(LazyFlags.LOGIC, size);
  }

  /** Computes what is pending into the locals for the flags. */
  void materialize() {
    if (kind == LazyFlags.NONE) {
      return;
    }
    pushSignedResult();
    code.dup2().lstore(FZ).lstore(FS);
    pushCarries();
    code.lstore(FC);
    kind = LazyFlags.NONE;
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

  private void pushCarries() {
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

  /** Pushes the carry vector, whose bit 63 is CF. */
  void pushCarryVector() {
    materialize();
    code.lload(FC);
  }

  // ---- conditions ----

  /** Jumps to {@code target} when condition code {@code cc} holds. */
  void jumpIf(int cc, Label target) {
    boolean direct =
        switch (operation()) {
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
      materialize();
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

  /** From the locals for the flags. */
  private void general(int cc, Label target) {
    boolean negated = (cc & 1) != 0;
    switch (cc >> 1) {
      case 0 -> {
        pushOverflow();
        signJump(negated, target);
      }
      case 1 -> {
        code.lload(FC);
        signJump(negated, target);
      }
      case 2 -> {
        code.lload(FZ).lconst_0().lcmp();
        zeroJump(negated, target);
      }
      case 3 -> orZero(() -> code.lload(FC), negated, target);
      case 4 -> {
        code.lload(FS);
        signJump(negated, target);
      }
      case 5 -> {
        code.lload(FS);
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
    code.lload(FC).lload(FC).iconst_1().lshl().lxor();
  }

  private void pushSignXorOverflow() {
    pushOverflow();
    code.lload(FS).lxor();
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
    code.lload(FZ).lconst_0().lcmp();
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
