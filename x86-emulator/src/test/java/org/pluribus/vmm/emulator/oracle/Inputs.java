package org.pluribus.vmm.emulator.oracle;

import java.lang.foreign.MemorySegment;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.Insn;

/** The inputs of a failed case, as far as its instruction looks at them. */
final class Inputs {
  private static final int SHOWN_BYTES = 16;

  private Inputs() {}

  static String of(MachineImage in, Insn insn) {
    StringBuilder text = new StringBuilder();
    text.append(
        " RAX %x RCX %x RDX %x RSP %x RFLAGS %x"
            .formatted(in.gpr(0), in.gpr(1), in.gpr(2), in.gpr(4), in.rflags()));
    for (int i = 0; i < insn.kind.length; i++) {
      switch (insn.kind[i]) {
        case Insn.REG -> text.append(" r%d %x".formatted(insn.reg[i], in.gpr(insn.reg[i] & 15)));
        case Insn.XMM ->
            text.append(" xmm%d %s".formatted(insn.reg[i], fx(in, MachineImage.XMM0, insn.reg[i])));
        case Insn.MMX ->
            text.append(" mm%d %s".formatted(insn.reg[i], fx(in, MachineImage.ST0, insn.reg[i])));
        case Insn.ST ->
            text.append(" st%d %s".formatted(insn.reg[i], fx(in, MachineImage.ST0, insn.reg[i])));
        case Insn.MEM -> memory(in, insn, text);
        default -> {}
      }
    }
    text.append(
        " FCW %x FSW %x FTW %x MXCSR %x"
            .formatted(
                in.fxWord(MachineImage.FCW),
                in.fxWord(MachineImage.FSW),
                in.fxWord(MachineImage.FTW),
                in.mxcsr()));
    if (insn.row.mnemonic.startsWith("F")) {
      text.append(" st0 ").append(fx(in, MachineImage.ST0, 0));
      text.append(" st1 ").append(fx(in, MachineImage.ST0, 1));
    }
    return text.append('\n').toString();
  }

  private static String fx(MachineImage in, int area, int number) {
    int size = area == MachineImage.XMM0 ? 16 : 10;
    return Comparison.number(in.fxsave().asSlice(area + 16L * number, size));
  }

  static boolean hasMemory(Insn insn) {
    for (byte kind : insn.kind) {
      if (kind == Insn.MEM) {
        return true;
      }
    }
    return false;
  }

  /** Linear address of the memory operand. */
  static long address(MachineImage in, Insn insn) {
    long address = insn.disp;
    if (insn.base >= 0) {
      address +=
          insn.base == Insn.BASE_RIP ? MachineImage.CODE_ADDRESS + insn.length : in.gpr(insn.base);
    }
    address += insn.index >= 0 ? in.gpr(insn.index) << insn.scale : 0;
    long mask = insn.addrSize == 8 ? -1L : insn.addrSize == 4 ? 0xFFFFFFFFL : 0xFFFF;
    return (address & mask) + base(in, insn.seg);
  }

  /** Base of a segment, 0 but for FS and GS. */
  static long base(MachineImage in, int segment) {
    return switch (segment) {
      case CpuRegisters.FS -> in.fsBase();
      case CpuRegisters.GS -> in.gsBase();
      default -> 0;
    };
  }

  private static void memory(MachineImage in, Insn insn, StringBuilder text) {
    long address = address(in, insn);
    long at = address - MachineImage.DATA_ADDRESS;
    text.append(" [%x]".formatted(address));
    if (at >= 0 && at <= MachineImage.DATA_BYTES - SHOWN_BYTES) {
      MemorySegment bytes = in.data().asSlice(at, SHOWN_BYTES);
      text.append(" = ").append(Comparison.number(bytes));
    }
  }
}
