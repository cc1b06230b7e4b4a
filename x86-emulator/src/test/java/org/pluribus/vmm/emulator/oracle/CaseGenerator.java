package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.Insn;
import org.pluribus.vmm.emulator.OpcodeRow;

/**
 * Fills a {@link MachineImage} for an {@link Encoding}: random registers, flags, x87 and SSE state
 * and memory, with pointers that mostly aim into the data window and implicit operands that mostly
 * make sense.
 */
final class CaseGenerator {
  private static final long DATA = MachineImage.DATA_ADDRESS;
  private static final int WINDOW = MachineImage.DATA_BYTES;

  /** Room left at both ends of the window, so that small offsets stay inside. */
  private static final int MARGIN = 768;

  /** REP counts; the run is cut after more traps than this. */
  private static final int MAX_REPEAT = 40;

  private static final int FLAGS =
      CpuRegisters.ARITHMETIC_FLAGS; // DF is drawn apart, the system flags stay as Linux has them
  private static final int FIXED_FLAGS = CpuRegisters.FLAG_IF | 2;
  private static final int MXCSR_DEFAULT = 0x1F80;
  private static final int FCW_DEFAULT = 0x37F;

  private final Random random;
  private final Values values;
  private final MemorySegment template = Arena.ofAuto().allocate(WINDOW);

  CaseGenerator(Random random) {
    this.random = random;
    this.values = new Values(random);
    for (int at = 0; at < WINDOW; at += 8) {
      template.set(JAVA_LONG_UNALIGNED, at, values.quadword());
    }
  }

  /** Fills everything but the code. */
  void fillState(MachineImage image) {
    image.reset();
    image.data().copyFrom(template);
    for (int i = 0; i < 16; i++) {
      image.gpr(i, values.integer());
    }
    image.gpr(MachineImage.RSP, stackPointer());
    int direction = random.nextInt(5) == 0 ? CpuRegisters.FLAG_DF : 0;
    image.rflags(FIXED_FLAGS | random.nextInt() & FLAGS | direction);
    image.fsBase(DATA - 0x1000 + random.nextInt(0x2000));
    image.gsBase(DATA - 0x1000 + random.nextInt(0x2000));
    fpu(image);
  }

  /** Fills the image for one instruction. */
  void fill(MachineImage image, Encoding encoding) {
    fillState(image);
    Insn insn = encoding.insn();
    boolean wide = encoding.codeBits() == 64;
    implicitOperands(image, insn);
    if (random.nextInt(14) != 0) {
      aimMemoryOperand(image, encoding);
    } else if (insn.base == Insn.BASE_RIP) {
      encoding.patch(random.nextInt()); // away from the code page, whose rest nobody resets
    }
    if (!wide) {
      image.fsBase(0);
      image.gsBase(0);
      image.selectors(MachineImage.USER_CS32, MachineImage.USER_DS);
      for (int i = 0; i < 16; i++) {
        image.gpr(i, i < 8 ? image.gpr(i) & 0xFFFFFFFFL : 0);
      }
    }
    image.usesFpu(usesFpu(insn.row));
    image.instruction(encoding.bytes());
  }

  private static boolean usesFpu(OpcodeRow row) {
    return row.operands.stream().anyMatch(o -> "VWUPQN%".indexOf(o.letter()) >= 0)
        || row.mnemonic.startsWith("F")
        || row.mnemonic.endsWith("MXCSR")
        || row.mnemonic.equals("EMMS");
  }

  private long stackPointer() {
    long aligned = DATA + MARGIN + 8L * random.nextInt((WINDOW - 2 * MARGIN) / 8);
    return switch (random.nextInt(10)) {
      case 0 -> aligned + random.nextInt(8);
      case 1 -> DATA + WINDOW / 2 + random.nextInt(16) - 8; // crosses the page
      default -> aligned;
    };
  }

  /** An address in the window: often aligned, sometimes at the page's end. */
  private long target() {
    return switch (random.nextInt(8)) {
      case 0 -> DATA + WINDOW / 2 - random.nextInt(20);
      case 1, 2 -> DATA + MARGIN + random.nextInt(WINDOW - 2 * MARGIN);
      case 3 -> DATA + WINDOW - 1 - random.nextInt(24); // may leave the window
      default -> DATA + MARGIN + 16L * random.nextInt((WINDOW - 2 * MARGIN) / 16);
    };
  }

  private void fpu(MachineImage image) {
    MemorySegment fx = image.fxsave();
    for (int i = 0; i < 32; i++) {
      fx.set(JAVA_LONG_UNALIGNED, MachineImage.XMM0 + 8L * i, values.quadword());
    }
    for (int i = 0; i < 8; i++) {
      fx.set(JAVA_LONG_UNALIGNED, MachineImage.ST0 + 16L * i, values.extendedSignificand());
      image.fxWord(MachineImage.ST0 + 16 * i + 8, values.extendedExponent());
    }
    int top = random.nextInt(8);
    int valid = random.nextInt(3) == 0 ? random.nextInt(9) : 2 + random.nextInt(5);
    int tags = 0;
    for (int i = 0; i < valid; i++) {
      tags |= 1 << (top + i & 7);
    }
    fx.set(JAVA_BYTE, MachineImage.FTW, (byte) tags);
    int control = FCW_DEFAULT & ~0xF00 | random.nextInt(16) << 8; // precision and rounding
    if (random.nextInt(8) == 0) {
      control &= ~0x3F | random.nextInt(64);
    }
    if ((control >> 8 & 3) == 1) {
      control |= 0x300; // precision control 01 is reserved
    }
    image.fxWord(MachineImage.FCW, control);
    int conditions = random.nextInt() & 0x4700;
    int sticky = random.nextInt(4) == 0 ? random.nextInt(64) & control : 0;
    image.fxWord(MachineImage.FSW, top << 11 | conditions | sticky);
    image.mxcsr(mxcsr());
  }

  private int mxcsr() {
    int rounding = random.nextInt(4) << 13;
    int sticky = random.nextInt(3) == 0 ? random.nextInt(64) : 0;
    int flush = random.nextInt(8) == 0 ? 1 << 15 : 0;
    int denormals = random.nextInt(8) == 0 ? 1 << 6 : 0;
    int masks = random.nextInt(8) == 0 ? ~(random.nextInt(64) << 7) : -1;
    return (MXCSR_DEFAULT & masks) | rounding | sticky | flush | denormals;
  }

  private void implicitOperands(MachineImage image, Insn insn) {
    OpcodeRow row = insn.row;
    boolean string = row.operands.stream().anyMatch(o -> "XY".indexOf(o.letter()) >= 0);
    if (string) {
      stringPointers(image, insn);
    }
    switch (row.mnemonic) {
      case "DIV", "IDIV" -> dividend(image, insn);
      case "LEAVE" -> image.gpr(5, stackPointer());
      case "ENTER" -> image.gpr(5, stackPointer());
      case "XLAT", "XLATB" ->
          image.gpr(MachineImage.RBX, target() - (image.gpr(MachineImage.RAX) & 0xFF));
      case "MASKMOVQ", "MASKMOVDQU" -> image.gpr(MachineImage.RDI, target());
      case "BT", "BTS", "BTR", "BTC" -> smallSecondOperand(image, insn);
      default -> {}
    }
  }

  private void stringPointers(MachineImage image, Insn insn) {
    boolean repeats = insn.rep != 0;
    long base = Inputs.base(image, insn.segOverride);
    image.gpr(MachineImage.RSI, garbageAbove(insn, target() - base));
    image.gpr(MachineImage.RDI, garbageAbove(insn, target()));
    if (repeats) {
      image.gpr(MachineImage.RCX, garbageAbove(insn, random.nextInt(MAX_REPEAT)));
      image.maxSteps(2 * MAX_REPEAT);
      if (random.nextBoolean()) { // equal runs, for CMPS and SCAS to repeat over
        image.data().fill((byte) values.integer());
      }
    }
  }

  /** With 32-bit addresses the upper half of the register must not count. */
  private long garbageAbove(Insn insn, long value) {
    return insn.addrSize == 4 ? value & 0xFFFFFFFFL | (long) random.nextInt(4) << 32 : value;
  }

  private void dividend(MachineImage image, Insn insn) {
    if (random.nextInt(4) != 0) {
      image.gpr(MachineImage.RDX, random.nextInt(4) == 0 ? -1 : random.nextInt(3));
    }
    if (insn.size[0] == 1) {
      image.gpr(MachineImage.RAX, random.nextInt(0x10000) >> random.nextInt(12));
    }
  }

  private void smallSecondOperand(MachineImage image, Insn insn) {
    if (insn.kind[1] == Insn.REG && random.nextInt(4) != 0) {
      image.gpr(insn.reg[1], random.nextInt(16 * MARGIN) - 8 * MARGIN);
    }
  }

  /** Gives the address registers, or else the displacement, values that hit a chosen target. */
  private void aimMemoryOperand(MachineImage image, Encoding encoding) {
    Insn insn = encoding.insn();
    int operand = memoryOperand(insn);
    if (operand < 0 || insn.addrSize == 2) {
      return;
    }
    long target = target();
    solve(image, encoding, target - Inputs.base(image, insn.seg));
    operandBytes(image, insn, target);
  }

  private static int memoryOperand(Insn insn) {
    for (int i = 0; i < insn.kind.length; i++) {
      if (insn.kind[i] == Insn.MEM) {
        return i;
      }
    }
    return -1;
  }

  private void solve(MachineImage image, Encoding encoding, long wanted) {
    Insn insn = encoding.insn();
    if (insn.base == Insn.BASE_RIP) {
      encoding.patch(wanted - (MachineImage.CODE_ADDRESS + insn.length));
    } else if (insn.base >= 0 && insn.base != insn.index) {
      long scaled = insn.index >= 0 ? image.gpr(insn.index) << insn.scale : 0;
      image.gpr(insn.base, garbageAbove(insn, wanted - insn.disp - scaled));
    } else if (insn.base >= 0) {
      image.gpr(insn.base, random.nextInt(0x1000));
      encoding.patch(wanted - image.gpr(insn.base) * (1 + (1L << insn.scale)));
    } else if (insn.index >= 0) {
      image.gpr(insn.index, random.nextInt(0x1000));
      encoding.patch(wanted - (image.gpr(insn.index) << insn.scale));
    } else {
      encoding.patch(wanted);
    }
  }

  /** Fresh bytes at the target, and what some instructions want to find there. */
  private void operandBytes(MachineImage image, Insn insn, long target) {
    long from = target - DATA;
    for (long at = from; at < from + 64 && at <= WINDOW - 8; at += 8) {
      image.data().set(JAVA_LONG_UNALIGNED, at, values.quadword());
    }
    if (from > WINDOW - 32) {
      return;
    }
    boolean match = random.nextBoolean();
    switch (insn.row.mnemonic) {
      case "CMPXCHG" -> {
        if (match) image.data().set(JAVA_LONG_UNALIGNED, from, image.gpr(MachineImage.RAX));
      }
      case "CMPXCHG8B", "CMPXCHG16B" -> {
        if (match) comparePair(image, insn, from);
      }
      case "LDMXCSR" -> {
        if (random.nextInt(5) != 0) {
          image.data().set(JAVA_INT_UNALIGNED, from, random.nextInt(0x10000));
        }
      }
      case "FXRSTOR" -> {
        if (random.nextInt(5) != 0 && from + 32 <= WINDOW) {
          image.data().set(JAVA_INT_UNALIGNED, from + MachineImage.MXCSR, random.nextInt(0x10000));
        }
      }
      default -> {}
    }
  }

  private static void comparePair(MachineImage image, Insn insn, long from) {
    int half = insn.opSize == 8 ? 8 : 4;
    long low = image.gpr(MachineImage.RAX);
    long high = image.gpr(MachineImage.RDX);
    if (half == 8) {
      image.data().set(JAVA_LONG_UNALIGNED, from, low);
      image.data().set(JAVA_LONG_UNALIGNED, from + 8, high);
    } else {
      image.data().set(JAVA_INT_UNALIGNED, from, (int) low);
      image.data().set(JAVA_INT_UNALIGNED, from + 4, (int) high);
    }
  }
}
