package org.pluribus.vmm.emulator.oracle;

import java.util.HexFormat;
import org.pluribus.vmm.emulator.Insn;

/**
 * A drawn encoding of an opcode row.
 *
 * @param bytes the instruction
 * @param insn as our decoder reads it, for placing its operands (never for judging the outcome)
 * @param patchAt offset of the displacement or memory offset in {@code bytes}, or -1
 * @param patchBytes its size: 0, 1, 2, 4 or 8
 * @param codeBits 64 or 32
 */
record Encoding(byte[] bytes, Insn insn, int patchAt, int patchBytes, int codeBits) {
  @Override
  public String toString() {
    return "%s: %s".formatted(insn.row.text(), HexFormat.of().withDelimiter(" ").formatHex(bytes));
  }

  /** Overwrites the displacement; false if it has no 4 or 8 bytes to overwrite. */
  boolean patch(long displacement) {
    if (patchBytes < 4) {
      return false;
    }
    for (int i = 0; i < patchBytes; i++) {
      bytes[patchAt + i] = (byte) (displacement >> 8 * i);
    }
    insn.disp = patchBytes == 4 ? (int) displacement : displacement;
    return true;
  }
}
