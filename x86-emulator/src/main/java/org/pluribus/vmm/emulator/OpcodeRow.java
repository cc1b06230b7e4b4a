package org.pluribus.vmm.emulator;

import java.util.List;

/**
 * One row of the opcode table: an opcode in the SDM's notation, its operands in the SDM's operand
 * letters (volume 2, appendix A.2), attributes, and the handler that executes it.
 *
 * <p>Opcode notation: {@code [NP |66 |F3 |F2 ]HEX[+][/digit[m|r]][:MODRM[+]]}.
 *
 * <ul>
 *   <li>{@code HEX}: the opcode bytes with their escape: {@code 01}, {@code 0FAF}, {@code 0F3800};
 *   <li>{@code +}: the low three bits are a register, eight opcodes share the row;
 *   <li>{@code /5}: ModRM.reg must be 5; {@code m}: memory form only; {@code r}: register form
 *       only;
 *   <li>{@code :F8}: the ModRM byte must be 0xF8; {@code :C0+}: 0xC0 to 0xC7;
 *   <li>{@code 66}, {@code F3}, {@code F2}: mandatory prefix; {@code NP}: none of them. A row with
 *       none of these matches whatever no more exact row takes.
 * </ul>
 *
 * <p>Attributes, separated by spaces: {@code lock} (LOCK allowed with a memory destination), {@code
 * d64} (operand size 64 by default in 64-bit mode, no 32-bit form), {@code f64} (always 64 in
 * 64-bit mode), {@code i64} (invalid in 64-bit mode), {@code o64} (valid only there), {@code end}
 * (ends a block: changes RIP or the CPU's mode, or may change what an interrupt would see), {@code
 * u:OSZAPC} (flags that are undefined afterwards, by letter).
 */
public final class OpcodeRow {
  /** An operand as written: its SDM letter and size code. */
  public record Operand(String spec, char letter, String sizeCode) {}

  /** Mandatory prefix classes, also the index of the decoder's tables. */
  public static final int PREFIX_NONE = 0;

  public static final int PREFIX_66 = 1;
  public static final int PREFIX_F3 = 2;
  public static final int PREFIX_F2 = 3;
  public static final int PREFIX_ANY = 4;

  /** Opcode maps: one-byte, 0F, 0F38, 0F3A. */
  public final int map;

  public final int opcode;
  public final boolean plus;
  public final int prefix;

  /** Required ModRM.reg, or -1. */
  public final int ext;

  public final boolean memoryOnly;
  public final boolean registerOnly;

  /** Required ModRM byte, or -1. */
  public final int exactModrm;

  public final boolean modrmPlus;
  public final boolean hasModrm;

  public final String opcodeText;
  public final String mnemonic;
  public final List<Operand> operands;
  public final boolean lockable;
  public final boolean default64;
  public final boolean force64;
  public final boolean invalid64;
  public final boolean only64;
  public final boolean endsBlock;

  /** Mask of EFLAGS bits that are undefined after the instruction. */
  public final int undefinedFlags;

  public final Handler handler;

  OpcodeRow(String opcodeText, String text, String attributes, Handler handler) {
    this.opcodeText = opcodeText;
    this.handler = handler;
    int space = text.indexOf(' ');
    mnemonic = space < 0 ? text : text.substring(0, space);
    operands = space < 0 ? List.of() : parseOperands(text.substring(space + 1).trim());

    String s = opcodeText.trim();
    int sp = s.indexOf(' ');
    prefix =
        sp < 0
            ? PREFIX_ANY
            : switch (s.substring(0, sp)) {
              case "NP" -> PREFIX_NONE;
              case "66" -> PREFIX_66;
              case "F3" -> PREFIX_F3;
              case "F2" -> PREFIX_F2;
              default -> throw new IllegalArgumentException("unknown prefix in row " + s);
            };
    s = s.substring(sp + 1);

    int colon = s.indexOf(':');
    if (colon >= 0) {
      String m = s.substring(colon + 1);
      modrmPlus = m.endsWith("+");
      exactModrm = Integer.parseInt(modrmPlus ? m.substring(0, m.length() - 1) : m, 16);
      s = s.substring(0, colon);
    } else {
      modrmPlus = false;
      exactModrm = -1;
    }
    int slash = s.indexOf('/');
    if (slash >= 0) {
      String m = s.substring(slash + 1);
      memoryOnly = m.endsWith("m");
      registerOnly = m.endsWith("r");
      String digits = memoryOnly || registerOnly ? m.substring(0, m.length() - 1) : m;
      ext = digits.isEmpty() ? -1 : Integer.parseInt(digits);
      s = s.substring(0, slash);
    } else {
      ext = -1;
      memoryOnly = false;
      registerOnly = false;
    }
    plus = s.endsWith("+");
    if (plus) {
      s = s.substring(0, s.length() - 1);
    }
    map =
        s.startsWith("0F38") && s.length() == 6
            ? 2
            : s.startsWith("0F3A") && s.length() == 6
                ? 3
                : s.startsWith("0F") && s.length() == 4 ? 1 : 0;
    opcode = Integer.parseInt(s.substring(s.length() - 2), 16);
    hasModrm =
        slash >= 0
            || colon >= 0
            || operands.stream().anyMatch(o -> "EGMRSCDVWUPQN".indexOf(o.letter()) >= 0);

    List<String> a = List.of(attributes.trim().split("\\s+"));
    lockable = a.contains("lock");
    default64 = a.contains("d64");
    force64 = a.contains("f64");
    invalid64 = a.contains("i64");
    only64 = a.contains("o64");
    endsBlock = a.contains("end");
    int undefined = 0;
    for (String x : a) {
      if (x.startsWith("u:")) {
        for (char c : x.substring(2).toCharArray()) {
          undefined |= flagBit(c);
        }
      }
    }
    undefinedFlags = undefined;
  }

  /** The row as one readable line. */
  public String text() {
    StringBuilder b = new StringBuilder(opcodeText).append("  ").append(mnemonic);
    for (int i = 0; i < operands.size(); i++) {
      b.append(i == 0 ? " " : ",").append(operands.get(i).spec());
    }
    return b.toString();
  }

  private static int flagBit(char c) {
    return switch (c) {
      case 'O' -> CpuRegisters.FLAG_OF;
      case 'S' -> CpuRegisters.FLAG_SF;
      case 'Z' -> CpuRegisters.FLAG_ZF;
      case 'A' -> CpuRegisters.FLAG_AF;
      case 'P' -> CpuRegisters.FLAG_PF;
      case 'C' -> CpuRegisters.FLAG_CF;
      default -> throw new IllegalArgumentException("unknown flag letter " + c);
    };
  }

  private static List<Operand> parseOperands(String text) {
    if (text.isEmpty()) {
      return List.of();
    }
    return java.util.Arrays.stream(text.split(","))
        .map(String::trim)
        .map(OpcodeRow::parseOperand)
        .toList();
  }

  /**
   * Names of fixed operands get letter {@code '='}: AL, CL, AX, DX, rAX (operand size), 1, ST0, ES
   * to GS. {@code STi} gets letter {@code '%'} (ModRM.rm).
   */
  private static Operand parseOperand(String s) {
    switch (s) {
      case "AL", "CL", "AX", "DX", "rAX", "1", "ST0", "ES", "CS", "SS", "DS", "FS", "GS":
        return new Operand(s, '=', s);
      case "STi":
        return new Operand(s, '%', "");
      default:
        return new Operand(s, s.charAt(0), s.substring(1));
    }
  }
}
