package org.pluribus.vmm.node;

import java.io.ByteArrayOutputStream;

/**
 * Writes encodings of 64-bit instructions (SDM volume 2, chapter 2). A memory operand is always R15
 * plus a 32-bit displacement.
 */
final class CodeBytes {
  static final int NO_PREFIX = 0;

  private static final int OPERAND_SIZE = 0x66;
  private static final int REX = 0x40;
  private static final int REX_W = 8;
  private static final int REX_R = 4;
  private static final int REX_B = 1;
  private static final int MOD_REGISTER = 0xC0;
  private static final int MOD_DISPLACEMENT = 0x80;

  /** R15 in ModRM.rm, with REX.B. */
  private static final int R15 = 7;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  int size() {
    return bytes.size();
  }

  byte[] toArray() {
    return bytes.toByteArray();
  }

  CodeBytes raw(int... values) {
    for (int v : values) {
      bytes.write(v);
    }
    return this;
  }

  /** {@code count} bytes, the lowest first. */
  CodeBytes number(long value, int count) {
    for (int i = 0; i < count; i++) {
      bytes.write((int) (value >> 8 * i));
    }
    return this;
  }

  CodeBytes append(CodeBytes other) {
    bytes.writeBytes(other.toArray());
    return this;
  }

  /**
   * An integer instruction on two registers.
   *
   * @param size of the operands in bytes; for 1 a REX prefix chooses SPL to DIL over AH to BH
   * @param opcode its bytes behind REX, the first one highest
   */
  CodeBytes registers(int size, int opcode, int reg, int rm) {
    head(NO_PREFIX, size, reg, rm);
    return opcode(opcode).raw(MOD_REGISTER | (reg & 7) << 3 | rm & 7);
  }

  /** An integer instruction on a register and memory; a LOCK prefix goes before it. */
  CodeBytes memory(int size, int opcode, int reg, int displacement) {
    head(NO_PREFIX, size, reg, 8 + R15);
    return opcode(opcode).place(reg, displacement);
  }

  /** An instruction with a mandatory prefix on two registers. */
  CodeBytes sse(int prefix, int opcode, int reg, int rm, boolean wide) {
    head(prefix, wide ? 8 : 4, reg, rm);
    return opcode(0x0F00 | opcode).raw(MOD_REGISTER | (reg & 7) << 3 | rm & 7);
  }

  /** The same on a register and memory. */
  CodeBytes sseMemory(int prefix, int opcode, int reg, int displacement) {
    head(prefix, 4, reg, 8 + R15);
    return opcode(0x0F00 | opcode).place(reg, displacement);
  }

  private void head(int prefix, int size, int reg, int rm) {
    if (prefix != NO_PREFIX) {
      raw(prefix);
    }
    if (size == 2) {
      raw(OPERAND_SIZE);
    }
    raw(REX | (size == 8 ? REX_W : 0) | (reg >= 8 ? REX_R : 0) | (rm >= 8 ? REX_B : 0));
  }

  private CodeBytes opcode(int opcode) {
    return opcode > 0xFF ? raw(opcode >> 8, opcode) : raw(opcode);
  }

  private CodeBytes place(int reg, int displacement) {
    return raw(MOD_DISPLACEMENT | (reg & 7) << 3 | R15).number(displacement, 4);
  }
}
