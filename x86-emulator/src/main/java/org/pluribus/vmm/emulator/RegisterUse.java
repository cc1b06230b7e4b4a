package org.pluribus.vmm.emulator;

/**
 * Which general registers a natively translated instruction touches, one bit each. Sets may be
 * larger than what is touched, never smaller.
 */
final class RegisterUse {
  private static final int RAX = 1 << CpuRegisters.RAX;
  private static final int RDX = 1 << CpuRegisters.RDX;
  private static final int RSP = 1 << CpuRegisters.RSP;
  private static final int RBP = 1 << CpuRegisters.RBP;

  private RegisterUse() {}

  /** Registers read or written. */
  static int touched(Insn i) {
    int set = implicit(i);
    if (i.base >= 0 && i.base < Insn.BASE_RIP) {
      set |= 1 << i.base;
    }
    if (i.index >= 0) {
      set |= 1 << i.index;
    }
    for (int n = 0; n < i.kind.length; n++) {
      set |= operand(i, n);
    }
    return set;
  }

  /** Registers written. */
  static int written(Insn i) {
    return switch (i.row.mnemonic) {
      case "CMP", "TEST", "BT" -> 0;
      case "XCHG", "XADD" -> operand(i, 0) | operand(i, 1);
      case "PUSH", "CALL" -> RSP;
      default -> operand(i, 0) | implicit(i);
    };
  }

  private static int operand(Insn i, int n) {
    if (i.kind[n] != Insn.REG) {
      return 0;
    }
    int r = i.reg[n];
    return 1 << (r >= 16 ? r - 16 : r);
  }

  private static int implicit(Insn i) {
    return switch (i.row.mnemonic) {
      case "PUSH", "POP", "CALL", "RET" -> RSP;
      case "LEAVE" -> RSP | RBP;
      case "CBW", "CMPXCHG" -> RAX;
      case "CWD" -> RAX | RDX;
      default -> 0;
    };
  }
}
