package org.pluribus.vmm.emulator;

import org.jspecify.annotations.Nullable;

/** Instructions that are translated to JVM code; all others are called through their handler. */
enum NativeForm {
  NOP,
  MOV,
  MOVZX,
  MOVSX,
  LEA,
  ADD,
  SUB,
  CMP,
  TEST,
  AND,
  OR,
  XOR,
  ADC,
  SBB,
  INC,
  DEC,
  NEG,
  NOT,
  XCHG,
  XADD,
  CMPXCHG,
  SHIFT_IMMEDIATE,
  SHIFT_CL,
  BIT_TEST,
  IMUL,
  PUSH,
  POP,
  LEAVE,
  SETCC,
  CMOV,
  BSWAP,
  CBW,
  CWD,
  SCAN,
  POPCNT,
  JMP,
  JCC,
  CALL,
  RET;

  static final int BSF_OPCODE = 0xBC;
  private static final int XCHG_ACCUMULATOR = 0x90;

  /** How {@code i}, decoded as 64-bit code, is translated; null when it is not. */
  static @Nullable NativeForm of(Insn i) {
    if (!plainOperands(i)) {
      return null;
    }
    String m = i.row.mnemonic;
    boolean register = i.kind[0] == Insn.REG;
    return switch (m) {
      case "NOP", "PREFETCH", "PREFETCHW" -> NOP;
      case "MOV" -> MOV;
      case "MOVZX" -> MOVZX;
      case "MOVSX", "MOVSXD" -> i.row.map <= 1 ? MOVSX : null;
      case "LEA" -> LEA;
      case "ADD" -> ADD;
      case "SUB" -> SUB;
      case "CMP" -> CMP;
      case "TEST" -> TEST;
      case "AND" -> AND;
      case "OR" -> OR;
      case "XOR" -> XOR;
      case "ADC" -> ADC;
      case "SBB" -> SBB;
      case "INC" -> INC;
      case "DEC" -> DEC;
      case "NEG" -> NEG;
      case "NOT" -> NOT;
      case "XCHG" -> isNop(i) ? NOP : XCHG;
      case "XADD" -> register ? null : XADD;
      case "CMPXCHG" -> register ? null : CMPXCHG;
      case "SHL", "SHR", "SAR", "ROL", "ROR" -> register ? shift(i) : null;
      case "BT", "BTS", "BTR", "BTC" -> register ? BIT_TEST : null;
      case "IMUL" -> i.kind[1] == Insn.NONE ? null : IMUL;
      case "PUSH" -> i.opSize == 8 ? PUSH : null;
      case "POP" -> i.opSize == 8 && register ? POP : null;
      case "LEAVE" -> i.opSize == 8 ? LEAVE : null;
      case "BSWAP" -> i.opSize == 2 ? null : BSWAP;
      case "CBW" -> CBW;
      case "CWD" -> CWD;
      case "BSF", "BSR" -> SCAN;
      case "POPCNT" -> POPCNT;
      case "JMP" -> JMP;
      case "CALL" -> CALL;
      case "RET" -> RET;
      default -> conditional(i);
    };
  }

  private static @Nullable NativeForm conditional(Insn i) {
    int map = i.row.map;
    int group = i.opcode & 0xF0;
    if (map == 0 && group == 0x70 || map == 1 && group == 0x80) {
      return JCC;
    }
    if (map == 1 && group == 0x90) {
      return SETCC;
    }
    return map == 1 && group == 0x40 ? CMOV : null;
  }

  private static @Nullable NativeForm shift(Insn i) {
    boolean rotate = i.row.mnemonic.startsWith("RO");
    int size = i.size[0];
    if (i.kind[1] == Insn.REG) {
      return size >= 4 ? SHIFT_CL : null;
    }
    boolean changes = (i.imm & (size == 8 ? 63 : 31)) != 0;
    return changes && (!rotate || size >= 4) ? SHIFT_IMMEDIATE : null;
  }

  /** 90 without REX.B does nothing, not even clear the upper half of RAX. */
  private static boolean isNop(Insn i) {
    return i.row.map == 0 && (i.opcode & 0xF8) == XCHG_ACCUMULATOR && i.reg[0] == CpuRegisters.RAX;
  }

  private static boolean plainOperands(Insn i) {
    for (byte kind : i.kind) {
      if (kind != Insn.NONE
          && kind != Insn.REG
          && kind != Insn.MEM
          && kind != Insn.IMM
          && kind != Insn.REL) {
        return false;
      }
    }
    return true;
  }
}
