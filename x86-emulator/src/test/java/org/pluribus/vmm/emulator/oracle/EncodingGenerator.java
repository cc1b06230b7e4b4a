package org.pluribus.vmm.emulator.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.emulator.Decoder;
import org.pluribus.vmm.emulator.Insn;
import org.pluribus.vmm.emulator.OpcodeRow;
import org.pluribus.vmm.emulator.OpcodeTable;

/**
 * Draws random encodings of an opcode row from its notation and operand letters: prefixes, REX,
 * register and memory forms, every addressing form, immediates.
 */
final class EncodingGenerator {
  private static final int ATTEMPTS = 50;
  private static final int LOCK = 0xF0;
  private static final int REPNE = 0xF2;
  private static final int REP = 0xF3;
  private static final int OPERAND_SIZE = 0x66;
  private static final int ADDRESS_SIZE = 0x67;
  private static final int FS = 0x64;
  private static final int GS = 0x65;
  private static final int[] IGNORED_SEGMENTS = {0x26, 0x2E, 0x36, 0x3E};

  private final Random random;
  private final Values values;
  private final Decoder decoder = new Decoder(OpcodeTable.standard());
  private final byte[] buffer = new byte[64];
  private int length;
  private int patchAt;
  private int patchBytes;

  EncodingGenerator(Random random) {
    this.random = random;
    this.values = new Values(random);
  }

  /** Modes a row can be tested in. */
  static boolean existsIn(OpcodeRow row, int codeBits) {
    return codeBits == 64 ? !row.invalid64 : !row.only64;
  }

  /** An encoding that our table reads as {@code row}, or null if none came up. */
  @Nullable Encoding draw(OpcodeRow row, int codeBits) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      Encoding encoding = attempt(row, codeBits);
      if (encoding != null) {
        return encoding;
      }
    }
    return null;
  }

  private @Nullable Encoding attempt(OpcodeRow row, int codeBits) {
    length = 0;
    patchAt = -1;
    patchBytes = 0;
    boolean memory = row.hasModrm && memoryForm(row);
    prefixes(row, codeBits, memory);
    boolean wideAddress = codeBits == 64 && !contains(ADDRESS_SIZE);
    boolean address16 = codeBits == 32 && contains(ADDRESS_SIZE);
    if (codeBits == 64 && random.nextInt(5) < 3) {
      put(0x40 | random.nextInt(16));
    }
    opcode(row);
    if (row.hasModrm) {
      modrm(row, memory, address16);
    }
    if (has(row, "O")) {
      patchAt = length;
      patchBytes = wideAddress ? 8 : address16 ? 2 : 4;
    }
    for (int i = 0; i < 3; i++) {
      putLong(values.integer());
    }
    Insn insn = new Insn();
    int decoded = decoder.decode(buffer, 0, length, codeBits, insn);
    if (decoded < 0 || insn.row != row) {
      return null;
    }
    return new Encoding(Arrays.copyOf(buffer, decoded), insn, patchAt, patchBytes, codeBits);
  }

  private static boolean has(OpcodeRow row, String letters) {
    return row.operands.stream().anyMatch(o -> letters.indexOf(o.letter()) >= 0);
  }

  private boolean memoryForm(OpcodeRow row) {
    if (row.memoryOnly || has(row, "M")) {
      return true;
    }
    boolean registerOnly = row.registerOnly || row.exactModrm >= 0 || has(row, "RUN");
    return !registerOnly && random.nextBoolean();
  }

  private void prefixes(OpcodeRow row, int codeBits, boolean memory) {
    List<Integer> chosen = new ArrayList<>();
    boolean string = has(row, "XY");
    boolean addresses = memory || string || has(row, "O");
    switch (row.prefix) {
      case OpcodeRow.PREFIX_66 -> chosen.add(OPERAND_SIZE);
      case OpcodeRow.PREFIX_F3 -> chosen.add(REP);
      case OpcodeRow.PREFIX_F2 -> chosen.add(REPNE);
      default -> {
        if (string && random.nextBoolean()) {
          chosen.add(random.nextBoolean() ? REP : REPNE);
        }
      }
    }
    boolean sizeMatters =
        row.prefix == OpcodeRow.PREFIX_ANY && !(codeBits == 64 && branches(row))
            || row.prefix >= OpcodeRow.PREFIX_F3
                && row.prefix != OpcodeRow.PREFIX_ANY
                && has(row, "EG");
    if (sizeMatters && random.nextInt(4) == 0) {
      chosen.add(OPERAND_SIZE);
    }
    if (addresses && random.nextInt(codeBits == 64 ? 10 : 50) == 0) {
      chosen.add(ADDRESS_SIZE);
    }
    if (addresses && random.nextInt(12) == 0) {
      chosen.add(
          switch (random.nextInt(4)) {
            case 0 -> FS;
            case 1 -> GS;
            default -> IGNORED_SEGMENTS[random.nextInt(IGNORED_SEGMENTS.length)];
          });
    }
    if (row.lockable && memory && random.nextInt(3) == 0) {
      chosen.add(LOCK);
    }
    Collections.shuffle(chosen, random);
    chosen.forEach(this::put);
  }

  /** Near branches: 66 in 64-bit mode is ignored by Intel and truncates RIP on AMD. */
  private static boolean branches(OpcodeRow row) {
    return row.force64
        && (has(row, "J")
            || row.mnemonic.startsWith("CALL")
            || row.mnemonic.startsWith("JMP")
            || row.mnemonic.startsWith("RET"));
  }

  private boolean contains(int prefix) {
    for (int i = 0; i < length; i++) {
      if ((buffer[i] & 0xFF) == prefix) {
        return true;
      }
    }
    return false;
  }

  private void opcode(OpcodeRow row) {
    if (row.map > 0) {
      put(0x0F);
    }
    if (row.map > 1) {
      put(row.map == 2 ? 0x38 : 0x3A);
    }
    put(row.opcode + (row.plus ? random.nextInt(8) : 0));
  }

  private void modrm(OpcodeRow row, boolean memory, boolean address16) {
    if (row.exactModrm >= 0) {
      put(row.exactModrm + (row.modrmPlus ? random.nextInt(8) : 0));
      return;
    }
    int reg = row.ext >= 0 ? row.ext : random.nextInt(8);
    if (!memory) {
      put(0xC0 | reg << 3 | random.nextInt(8));
      return;
    }
    int mod = random.nextInt(3);
    int rm = random.nextInt(8);
    put(mod << 6 | reg << 3 | rm);
    int base = rm;
    if (rm == 4 && !address16) {
      int sib = random.nextInt(256);
      put(sib);
      base = sib & 7;
    }
    patchAt = length;
    boolean absolute = mod == 0 && base == (address16 ? 6 : 5);
    patchBytes = mod == 1 ? 1 : mod == 2 || absolute ? (address16 ? 2 : 4) : 0;
    long displacement = random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(512) - 256;
    for (int i = 0; i < patchBytes; i++) {
      put((int) (displacement >> 8 * i));
    }
  }

  private void put(int value) {
    buffer[length++] = (byte) value;
  }

  private void putLong(long value) {
    for (int i = 0; i < 8; i++) {
      put((int) (value >> 8 * i));
    }
  }
}
