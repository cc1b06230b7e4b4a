package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.Insn;
import org.pluribus.vmm.emulator.OpcodeRow;
import org.pluribus.vmm.emulator.OpcodeTable;

/**
 * Draws short straight-line sequences with forward conditional jumps, in which flags pass from
 * instruction to instruction; behind them stands a jump to itself.
 *
 * <p>Memory operands are RIP-relative or absolute, in the data window; RSP is changed by PUSH and
 * POP only.
 */
final class SequenceGenerator {
  /** JMP -2: where a run of the whole sequence ends up. */
  private static final byte[] SPIN = {(byte) 0xEB, (byte) 0xFE};

  private static final int MARGIN = 1024;
  private static final int ATTEMPTS = 200;

  private final Random random;
  private final EncodingGenerator encodings;
  private final CaseGenerator cases;
  private final List<OpcodeRow> integerRows;
  private final List<OpcodeRow> otherRows;

  SequenceGenerator(Random random) {
    this.random = random;
    encodings = new EncodingGenerator(random);
    cases = new CaseGenerator(random);
    List<OpcodeRow> rows =
        OpcodeTable.standard().rows().stream().filter(r -> !r.invalid64).toList();
    integerRows = rows.stream().filter(SequenceGenerator::isInteger).toList();
    otherRows = rows.stream().filter(r -> !isInteger(r)).toList();
  }

  /**
   * A drawn sequence.
   *
   * @param parts its instructions
   * @param undefinedFlags flags that may be undefined at its end
   */
  record Sequence(List<Encoding> parts, int undefinedFlags) {
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder();
      for (Encoding part : parts) {
        text.append("    ").append(part).append('\n');
      }
      return text.toString();
    }
  }

  /** Draws a sequence of up to {@code wanted} instructions and fills the image for it. */
  Sequence draw(int wanted, MachineImage image) {
    List<Encoding> parts = new ArrayList<>();
    int length = 0;
    int undefined = 0;
    boolean skippable = false;
    for (int attempt = 0; attempt < ATTEMPTS && parts.size() < wanted; attempt++) {
      Encoding part = encodings.draw(drawRow(), 64);
      if (part == null || length + part.bytes().length + SPIN.length > MachineImage.CODE_BYTES) {
        continue;
      }
      Insn insn = part.insn();
      FlagUse use = FlagUse.of(insn);
      boolean jump = FlagUse.conditionalJump(insn.row);
      if (use == null || (use.reads() & undefined) != 0 || !confined(part) || (jump && skippable)) {
        continue;
      }
      place(part, length);
      parts.add(part);
      length += part.bytes().length;
      int after = undefined & ~use.writes() | use.undefined();
      undefined = skippable ? undefined | after : after;
      skippable = jump;
    }
    if (skippable) {
      Encoding jump = parts.removeLast(); // nothing to jump over
      length -= jump.bytes().length;
    }
    aimJumps(parts);
    fill(parts, image);
    return new Sequence(parts, undefined);
  }

  /** Mostly integer instructions: flags are what passes between instructions. */
  private OpcodeRow drawRow() {
    List<OpcodeRow> rows = random.nextInt(6) == 0 ? otherRows : integerRows;
    return rows.get(random.nextInt(rows.size()));
  }

  private static boolean isInteger(OpcodeRow row) {
    return row.operands.stream().allMatch(o -> "VWUPQN%CDS".indexOf(o.letter()) < 0);
  }

  /** Whether it touches no memory but the window, and leaves RSP to PUSH and POP. */
  private boolean confined(Encoding part) {
    Insn insn = part.insn();
    boolean lea = insn.row.mnemonic.equals("LEA");
    for (int i = 0; i < insn.kind.length; i++) {
      if (insn.kind[i] == Insn.REG && insn.reg[i] == CpuRegisters.RSP) {
        return false;
      }
      boolean free = insn.base != Insn.BASE_RIP && (insn.base >= 0 || insn.index >= 0);
      if (insn.kind[i] == Insn.MEM && !lea && (free || insn.segOverride >= 4)) {
        return false;
      }
      if (insn.kind[i] == Insn.MEM && !lea && part.patchBytes() < 4) {
        return false;
      }
    }
    return !unpredictable(insn);
  }

  /** Forms whose result the SDM leaves open or models do differently. */
  private static boolean unpredictable(Insn insn) {
    return switch (insn.row.mnemonic) {
      case "BT", "BTS", "BTR", "BTC" -> insn.kind[0] == Insn.MEM && insn.kind[1] == Insn.REG;
      case "SHLD", "SHRD", "BSWAP" -> insn.opSize == 2;
      case "DPPS", "DPPD" -> true; // which of several NaNs comes out
      case "PAUSE" -> insn.rex != 0;
      case "CMPXCHG" -> insn.kind[0] == Insn.REG;
      case "POP" -> insn.kind[0] != Insn.REG;
      case "PUSH" -> insn.kind[0] == Insn.SREG;
      case "MOV" ->
          "SCD".indexOf(insn.row.operands.get(0).letter()) >= 0
              || "SCD".indexOf(insn.row.operands.get(1).letter()) >= 0;
      default -> false;
    };
  }

  /** Aims a memory operand into the window, from where the instruction stands. */
  private void place(Encoding part, int offset) {
    Insn insn = part.insn();
    if (part.patchBytes() < 4 || insn.row.mnemonic.equals("LEA")) {
      return;
    }
    long target =
        MachineImage.DATA_ADDRESS
            + MARGIN
            + 16L * random.nextInt((MachineImage.DATA_BYTES - 2 * MARGIN) / 16);
    long end = MachineImage.CODE_ADDRESS + offset + part.bytes().length;
    part.patch(insn.base == Insn.BASE_RIP ? target - end : target);
  }

  /** Each jump skips exactly the instruction behind it. */
  private static void aimJumps(List<Encoding> parts) {
    for (int i = 0; i + 1 < parts.size(); i++) {
      byte[] bytes = parts.get(i).bytes();
      if (FlagUse.conditionalJump(parts.get(i).insn().row)) {
        bytes[bytes.length - 1] = (byte) parts.get(i + 1).bytes().length;
      }
    }
  }

  private void fill(List<Encoding> parts, MachineImage image) {
    cases.fillState(image);
    byte[] code = new byte[parts.stream().mapToInt(p -> p.bytes().length).sum()];
    int at = 0;
    for (Encoding part : parts) {
      System.arraycopy(part.bytes(), 0, code, at, part.bytes().length);
      at += part.bytes().length;
    }
    image.instruction(code);
    for (byte spin : SPIN) {
      image.code().set(JAVA_BYTE, at++, spin);
    }
    image.maxSteps(parts.size());
  }
}
