package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.RegionFrame.COUNT;
import static org.pluribus.vmm.emulator.RegionFrame.CPU;
import static org.pluribus.vmm.emulator.RegionFrame.CPU_CLASS;
import static org.pluribus.vmm.emulator.RegionFrame.POSITION;
import static org.pluribus.vmm.emulator.RegionFrame.TARGET;
import static org.pluribus.vmm.emulator.RegionFrame.THROWN;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Emits the method of one {@link Region}: its nodes with the JVM's own control flow between them,
 * and the ways out.
 *
 * <ul>
 *   <li>A regular exit knows where it goes: registers and pending flags are stored, the next block
 *       follows.
 *   <li>A rare exit (a fault, code overwritten, attention) finds RIP and the instruction count in
 *       one number, {@link RegionFrame#POSITION}.
 *   <li>After an instruction that ran through its handler the state is in the CPU already.
 * </ul>
 */
final class RegionEmitter {
  static final ClassDesc LONG_CLASS = ConstantDescs.CD_Long;
  static final ClassDesc INTEGER_CLASS = ConstantDescs.CD_Integer;
  static final MethodTypeDesc LONG_TO_I = MethodTypeDesc.ofDescriptor("(J)I");
  static final MethodTypeDesc JI_TO_J = MethodTypeDesc.ofDescriptor("(JI)J");
  static final MethodTypeDesc I_TO_I = MethodTypeDesc.ofDescriptor("(I)I");
  static final MethodTypeDesc II_TO_I = MethodTypeDesc.ofDescriptor("(II)I");

  /**
   * Instructions after which a region is left at its next backward branch, whatever the attention
   * field says: the JVM's compiler may read that once for a whole loop.
   */
  private static final int MAX_RUN = 1 << 14;

  private static final ClassDesc BRANCHES_CLASS = ClassDesc.of(Branches.class.getName());
  private static final MethodTypeDesc CANONICAL =
      MethodTypeDesc.of(ConstantDescs.CD_long, CPU_CLASS, ConstantDescs.CD_long);

  private final Region region;
  private final CodeBuilder code;
  private final RegionFrame frame;
  private final FlagEmitter flags;
  private final OperandEmitter operands;
  private final InsnTranslator insns;
  private final HandlerCalls handlers;

  private final Map<Integer, Label> labels = new HashMap<>();

  /** Pending flags at the head of nodes with a single predecessor. */
  private final Map<Integer, Integer> inherited = new HashMap<>();

  private final Label regularExit;
  final Label rareExit;
  final Label storedExit;
  final Label storedFault;

  RegionEmitter(Region region, CodeBuilder code, List<Insn> called) {
    this.region = region;
    this.code = code;
    frame = new RegionFrame(code, region.registersUsed(), region.registersWritten());
    flags = new FlagEmitter(frame);
    operands = new OperandEmitter(frame);
    insns = new InsnTranslator(frame, flags, operands);
    regularExit = code.newLabel();
    rareExit = code.newLabel();
    storedExit = code.newLabel();
    storedFault = code.newLabel();
    handlers = new HandlerCalls(this, frame, flags, operands, called);
  }

  void emit() {
    region.nodes.keySet().forEach(o -> labels.put(o, code.newLabel()));
    Label entered = code.newLabel();
    code.aload(RegionFrame.THIS).getfield(RegionClass.SUPER, "entry", ConstantDescs.CD_int);
    code.ifge(entered);
    code.iconst_0().ireturn();
    code.labelBinding(entered);
    frame.enter();
    enterAtOneOf(region.entries);
    Label begin = code.newBoundLabel();
    for (Region.Node n : region.nodes.values()) {
      emit(n);
    }
    Label end = code.newBoundLabel();
    Label fault = code.newLabel();
    code.exceptionCatchAll(begin, end, fault);
    tails(fault);
  }

  private void enterAtOneOf(List<Integer> entries) {
    Label first = label(entries.getFirst());
    if (entries.size() == 1) {
      code.goto_(first);
      return;
    }
    List<SwitchCase> cases = new ArrayList<>();
    for (int e = 1; e < entries.size(); e++) {
      cases.add(SwitchCase.of(e, label(entries.get(e))));
    }
    code.aload(RegionFrame.THIS).getfield(RegionClass.SUPER, "entry", ConstantDescs.CD_int);
    code.tableswitch(1, entries.size() - 1, first, cases);
  }

  private Label label(int offset) {
    Label l = labels.get(offset);
    if (l == null) {
      throw new IllegalStateException("no code at offset " + offset + " of the region");
    }
    return l;
  }

  // ---- nodes ----

  private void emit(Region.Node n) {
    code.labelBinding(label(n.offset));
    flags.resume(inherited.getOrDefault(n.offset, FlagEmitter.UNKNOWN));
    int at = n.offset;
    for (int k = 0; k < n.insns.length; k++) {
      Insn i = n.insns[k];
      int next = at + i.length;
      operands.begin(at, next, k);
      NativeForm form = n.forms[k];
      boolean left = false;
      if (form == null) {
        left = handlers.call(region, i, at, next, k);
      } else {
        switch (form) {
          case JMP, JCC, CALL, RET -> {
            branch(n, form, i);
            left = true;
          }
          default -> {
            insns.translate(form, i);
            if (stores(form, i)) {
              leaveIfOverwritten(next, k + 1);
            }
          }
        }
      }
      if (left) {
        return;
      }
      at = next;
    }
    goTo(n, n.end, n.insns.length);
  }

  private static boolean stores(NativeForm form, Insn i) {
    return switch (form) {
      case PUSH -> true;
      case CMP, TEST, NOP -> false;
      default -> i.kind[0] == Insn.MEM;
    };
  }

  /** The instruction before {@code next} stored: leave if it hit decoded code. */
  void leaveIfOverwritten(int next, int done) {
    Label intact = code.newLabel();
    code.aload(CPU).getfield(CPU_CLASS, "breakBlock", ConstantDescs.CD_boolean).ifeq(intact);
    code.loadConstant(RegionFrame.position(next, done)).istore(POSITION);
    code.goto_(rareExit);
    code.labelBinding(intact);
  }

  private void branch(Region.Node n, NativeForm form, Insn i) {
    int count = n.insns.length;
    switch (form) {
      case JCC -> {
        Label taken = code.newLabel();
        flags.jumpIf(i.opcode & 15, taken);
        int pending = flags.kind();
        goTo(n, n.end, count);
        flags.resume(pending);
        operands.begin(n.end - i.length, n.end, count - 1);
        code.labelBinding(taken);
        goTo(n, n.branchOffset(), count);
      }
      case JMP -> {
        if (i.kind[0] == Insn.REL) {
          goTo(n, n.branchOffset(), count);
        } else {
          pushTarget(i);
          code.lstore(TARGET);
          exit(count);
        }
      }
      case CALL -> {
        if (i.kind[0] == Insn.REL) {
          pushDirectTarget(n.branchOffset());
        } else {
          pushTarget(i);
        }
        code.lstore(TARGET);
        frame.pushAddress(n.end);
        insns.push();
        exit(count);
      }
      default -> {
        insns.peek(CpuRegisters.RSP);
        code.lstore(TARGET);
        code.aload(CPU).lload(TARGET);
        code.invokestatic(BRANCHES_CLASS, "canonical", CANONICAL);
        code.lstore(TARGET);
        insns.moveStack(8 + (i.kind[0] == Insn.IMM ? i.imm & 0xFFFF : 0));
        exit(count);
      }
    }
  }

  /** Pushes the checked target of an indirect jump or call. */
  private void pushTarget(Insn i) {
    operands.notePosition();
    code.aload(CPU);
    operands.pushOperand(i, 0, 8);
    code.invokestatic(BRANCHES_CLASS, "canonical", CANONICAL);
  }

  private void pushDirectTarget(long offset) {
    if (offset >= 0 && offset < CpuMemory.PAGE_SIZE) {
      frame.pushAddress(offset);
      return;
    }
    operands.notePosition();
    code.aload(CPU);
    frame.pushAddress(offset);
    code.invokestatic(BRANCHES_CLASS, "canonical", CANONICAL);
  }

  // ---- edges ----

  /** Goes from {@code n}, of which {@code count} instructions are done, to an offset. */
  void goTo(Region.Node n, long offset, int count) {
    Region.Node to = region.at(offset);
    if (to == null) {
      if (offset == n.end) {
        frame.pushAddress(offset);
      } else {
        pushDirectTarget(offset);
      }
      code.lstore(TARGET);
      exit(count);
      return;
    }
    addCount(count);
    if (to.incoming == 1 && offset > n.offset) {
      inherited.put(to.offset, flags.kind());
    }
    if (offset <= n.offset) {
      Label out = code.newLabel();
      code.iload(COUNT).loadConstant(MAX_RUN).if_icmpge(out);
      frame.getInt("attention");
      code.ifeq(label(to.offset));
      code.labelBinding(out);
      code.loadConstant(RegionFrame.position(to.offset, 0)).istore(POSITION);
      code.goto_(rareExit);
    } else {
      code.goto_(label(to.offset));
    }
  }

  void addCount(int count) {
    code.iinc(COUNT, count);
  }

  /** Leaves for {@link RegionFrame#TARGET}. */
  private void exit(int count) {
    addCount(count);
    code.goto_(regularExit);
  }

  // ---- ways out ----

  private void tails(Label fault) {
    code.labelBinding(regularExit);
    frame.saveRegisters(frame.written);
    frame.savePendingFlags();
    code.aload(CPU).lload(TARGET).putfield(CPU_CLASS, "rip", ConstantDescs.CD_long);
    frame.saveCount();
    code.iconst_1().ireturn();

    code.labelBinding(fault);
    code.astore(THROWN);
    code.labelBinding(rareExit);
    frame.saveRegisters(frame.written);
    frame.settleFlags();
    code.aload(CPU).lload(RegionFrame.BASE);
    code.iload(POSITION).loadConstant(RegionFrame.OFFSET_MASK).iand().i2l().ladd();
    code.putfield(CPU_CLASS, "rip", ConstantDescs.CD_long);
    throwOrReturn(true);

    code.labelBinding(storedFault);
    code.astore(THROWN);
    throwOrReturn(false);

    code.labelBinding(storedExit);
    clearPending();
    frame.saveCount();
    frame.getLong("nextRip");
    frame.popLong("rip");
    clearBreak();
    code.iconst_0().ireturn();
  }

  /** Counts what {@link RegionFrame#POSITION} says was done, and leaves as it says. */
  private void throwOrReturn(boolean mayReturn) {
    clearPending();
    code.iload(COUNT);
    frame.pushDone();
    code.iadd().istore(COUNT);
    frame.saveCount();
    if (mayReturn) {
      Label thrown = code.newLabel();
      code.aload(THROWN).ifnonnull(thrown);
      clearBreak();
      code.iconst_1().ireturn();
      code.labelBinding(thrown);
    }
    code.aload(THROWN).athrow();
  }

  /** The flags are settled; what an earlier region left pending is so no more. */
  private void clearPending() {
    code.aload(CPU).iconst_0().putfield(CPU_CLASS, "flagKind", ConstantDescs.CD_int);
  }

  private void clearBreak() {
    code.aload(CPU).iconst_0().putfield(CPU_CLASS, "breakBlock", ConstantDescs.CD_boolean);
  }

  @Nullable Label labelAt(int offset) {
    return labels.get(offset);
  }
}
