package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.RegionFrame.CPU;
import static org.pluribus.vmm.emulator.RegionFrame.CPU_CLASS;
import static org.pluribus.vmm.emulator.RegionFrame.POSITION;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ConstantDescs;
import java.util.List;
import java.util.Set;

/**
 * Emits calls of the interpreter's handlers, for instructions that have no {@link NativeForm}.
 *
 * <p>In general all of the region's state goes back to the CPU before the call and is fetched anew
 * after it. SIMD instructions touch no general register but their explicit ones, so for them the
 * rest stays in locals.
 */
final class HandlerCalls {
  /**
   * Instructions that end an interpreter's block but after which compiled code may go on once it
   * has looked at RIP and at the CPU's attention.
   */
  private static final Set<String> GOES_ON =
      Set.of(
          "MOVS", "STOS", "LODS", "CMPS", "SCAS", "CLI", "SWAPGS", "STAC", "CLAC", "RDTSC",
          "RDTSCP", "CPUID", "RDMSR", "WRMSR", "IN", "OUT", "CLTS", "PAUSE");

  /** SIMD instructions that set the arithmetic flags. */
  private static final Set<String> SETS_FLAGS =
      Set.of("COMISS", "COMISD", "UCOMISS", "UCOMISD", "PTEST");

  private final RegionEmitter emitter;
  private final RegionFrame frame;
  private final CodeBuilder code;
  private final FlagEmitter flags;
  private final OperandEmitter operands;

  /** Instructions called so far; the class has a field for each and for its handler. */
  private final List<Insn> called;

  HandlerCalls(
      RegionEmitter emitter,
      RegionFrame frame,
      FlagEmitter flags,
      OperandEmitter operands,
      List<Insn> called) {
    this.emitter = emitter;
    this.frame = frame;
    this.code = frame.code;
    this.flags = flags;
    this.operands = operands;
    this.called = called;
  }

  /** Emits the call; true when control does not go on behind it. */
  boolean call(Region region, Insn i, int at, int next, int done) {
    if (simd(i)) {
      callSimd(i, next, done);
      return false;
    }
    flags.settle();
    frame.saveRegisters(frame.written);
    frame.putAddress("rip", at);
    frame.putAddress("nextRip", next);
    code.loadConstant(RegionFrame.position(at, done)).istore(POSITION);
    Label begin = code.newBoundLabel();
    invoke(i);
    Label end = code.newBoundLabel();
    code.exceptionCatchAll(begin, end, emitter.storedFault);
    return i.row.endsBlock ? afterLast(region, i, next, done) : afterInner(done);
  }

  private boolean afterInner(int done) {
    Label intact = code.newLabel();
    code.aload(CPU).getfield(CPU_CLASS, "breakBlock", ConstantDescs.CD_boolean).ifeq(intact);
    emitter.addCount(done + 1);
    code.goto_(emitter.storedExit);
    code.labelBinding(intact);
    reload();
    return false;
  }

  private boolean afterLast(Region region, Insn i, int next, int done) {
    emitter.addCount(done + 1);
    Label following = emitter.labelAt(next);
    if (following == null || region.at(next) == null || !GOES_ON.contains(i.row.mnemonic)) {
      code.goto_(emitter.storedExit);
      return true;
    }
    frame.getLong("nextRip");
    frame.pushAddress(next);
    code.lcmp().ifne(emitter.storedExit);
    frame.getInt("attention");
    code.ifne(emitter.storedExit);
    code.aload(CPU).getfield(CPU_CLASS, "breakBlock", ConstantDescs.CD_boolean);
    code.ifne(emitter.storedExit);
    reload();
    code.goto_(following);
    return true;
  }

  private void reload() {
    frame.reloadRegisters();
  }

  private void invoke(Insn i) {
    int n = called.size();
    called.add(i);
    code.getstatic(RegionClass.THIS, RegionClass.handlerField(n), RegionClass.HANDLER);
    code.aload(CPU);
    code.getstatic(RegionClass.THIS, RegionClass.insnField(n), RegionClass.INSN);
    code.invokeinterface(RegionClass.HANDLER, "exec", RegionClass.EXEC);
  }

  // ---- SIMD ----

  private static boolean simd(Insn i) {
    boolean vector = false;
    for (byte kind : i.kind) {
      vector |= kind == Insn.XMM || kind == Insn.MMX;
    }
    String m = i.row.mnemonic;
    // These use general registers they do not name.
    return vector && !i.row.endsBlock && !m.startsWith("PCMPI") && !m.startsWith("PCMPE")
        ? !m.startsWith("MASKMOV")
        : vector && (m.startsWith("PCMPEQ"));
  }

  private void callSimd(Insn i, int next, int done) {
    int explicit = RegisterUse.touched(i);
    frame.saveRegisters(explicit & frame.written);
    if (i.base == Insn.BASE_RIP) {
      frame.putAddress("nextRip", next);
    }
    operands.notePosition();
    invoke(i);
    if (SETS_FLAGS.contains(i.row.mnemonic)) {
      flags.computed();
    }
    if (i.kind[0] == Insn.REG) {
      int r = i.reg[0] >= 16 ? i.reg[0] - 16 : i.reg[0];
      if ((frame.used & 1 << r) != 0) {
        frame.reloadRegister(r);
      }
    }
    if (i.kind[0] == Insn.MEM) {
      emitter.leaveIfOverwritten(next, done + 1);
    }
  }
}
