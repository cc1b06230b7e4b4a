package org.pluribus.vmm.node;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import org.pluribus.vmm.cli.selftest.PayloadImage;

/** The payloads' ELF file (System V ABI, chapter 4): its loadable parts, and where a routine is. */
final class PayloadRoutine {
  private static final int PROGRAM_HEADERS = 32;
  private static final int SECTION_HEADERS = 40;
  private static final int PROGRAM_HEADER_BYTES = 56;
  private static final int PROGRAM_HEADER_COUNT = 56;
  private static final int SECTION_HEADER_BYTES = 64;
  private static final int SECTION_HEADER_COUNT = 60;
  private static final int SYMBOL_BYTES = 24;
  private static final int PT_LOAD = 1;
  private static final int SHT_SYMTAB = 2;

  private final ByteBuffer file;

  PayloadRoutine() throws IOException {
    try (PayloadImage image = PayloadImage.unpack()) {
      file = ByteBuffer.wrap(Files.readAllBytes(image.file())).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Puts the image where it wants to be. */
  void load(OneVcpu vcpu) {
    int headers = (int) file.getLong(PROGRAM_HEADERS);
    for (int i = 0; i < file.getShort(PROGRAM_HEADER_COUNT); i++) {
      int at = headers + i * PROGRAM_HEADER_BYTES;
      if (file.getInt(at) == PT_LOAD) {
        int from = (int) file.getLong(at + 8);
        int length = (int) file.getLong(at + 32);
        vcpu.write(file.getLong(at + 24), Arrays.copyOfRange(file.array(), from, from + length));
      }
    }
  }

  /** Address of a global symbol. */
  long address(String name) {
    int headers = (int) file.getLong(SECTION_HEADERS);
    for (int i = 0; i < file.getShort(SECTION_HEADER_COUNT); i++) {
      int at = headers + i * SECTION_HEADER_BYTES;
      if (file.getInt(at + 4) == SHT_SYMTAB) {
        int strings = headers + file.getInt(at + 40) * SECTION_HEADER_BYTES;
        return symbol(at, (int) file.getLong(strings + 24), name);
      }
    }
    throw new IllegalStateException("the payloads have no symbols");
  }

  private long symbol(int table, int strings, String name) {
    int from = (int) file.getLong(table + 24);
    int end = from + (int) file.getLong(table + 32);
    for (int at = from; at < end; at += SYMBOL_BYTES) {
      if (text(strings + file.getInt(at)).equals(name)) {
        return file.getLong(at + 8);
      }
    }
    throw new IllegalStateException("no symbol " + name + " in the payloads");
  }

  private String text(int at) {
    int end = at;
    while (file.get(end) != 0) {
      end++;
    }
    return new String(file.array(), at, end - at, StandardCharsets.ISO_8859_1);
  }
}
