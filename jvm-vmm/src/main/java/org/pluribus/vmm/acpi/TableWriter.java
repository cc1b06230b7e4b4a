package org.pluribus.vmm.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes one system description table: little-endian fields behind the common header, whose length
 * and checksum are filled in at the end (ACPI 6.5, 5.2.6).
 */
final class TableWriter {

  /** Bytes of the common header. */
  static final int HEADER_SIZE = 36;

  private static final int LENGTH_OFFSET = 4;
  private static final int CHECKSUM_OFFSET = 9;

  private static final String OEM_ID = "PLURIB";
  private static final String OEM_TABLE_ID = "PLURIBUS";
  private static final String CREATOR_ID = "PLUR";
  private static final int REVISION_OF_OURS = 1;

  /** Address space and access size of a generic address (ACPI 6.5, 5.2.3.2). */
  private static final int SYSTEM_IO = 1;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  TableWriter(String signature, int revision) {
    text(signature, 4).u32(0).u8(revision).u8(0).text(OEM_ID, 6).text(OEM_TABLE_ID, 8);
    u32(REVISION_OF_OURS).text(CREATOR_ID, 4).u32(REVISION_OF_OURS);
  }

  TableWriter u8(int value) {
    bytes.write(value);
    return this;
  }

  TableWriter u16(int value) {
    return u8(value & 0xFF).u8(value >> 8 & 0xFF);
  }

  TableWriter u32(long value) {
    return u16((int) value & 0xFFFF).u16((int) (value >>> 16) & 0xFFFF);
  }

  TableWriter u64(long value) {
    return u32(value).u32(value >>> 32);
  }

  TableWriter zeros(int count) {
    for (int i = 0; i < count; i++) {
      u8(0);
    }
    return this;
  }

  TableWriter raw(byte[] value) {
    bytes.writeBytes(value);
    return this;
  }

  /** Text of exactly {@code length} bytes. */
  TableWriter text(String text, int length) {
    byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
    if (ascii.length != length) {
      throw new IllegalArgumentException("'%s' is not %d characters".formatted(text, length));
    }
    return raw(ascii);
  }

  /** A generic address structure for a register at an I/O port. */
  TableWriter ioRegister(int port, int widthBits) {
    int accessSize = Math.min(Integer.numberOfTrailingZeros(widthBits / Byte.SIZE) + 1, 3);
    return u8(SYSTEM_IO).u8(widthBits).u8(0).u8(accessSize).u64(port);
  }

  /** A generic address structure for a register that isn't there. */
  TableWriter noRegister() {
    return zeros(12);
  }

  int size() {
    return bytes.size();
  }

  /** The finished table. */
  byte[] finish() {
    byte[] table = bytes.toByteArray();
    for (int i = 0; i < Integer.BYTES; i++) {
      table[LENGTH_OFFSET + i] = (byte) (table.length >>> i * Byte.SIZE);
    }
    table[CHECKSUM_OFFSET] = checksum(table, table.length);
    return table;
  }

  /** What to add to the first {@code length} bytes to make their sum zero modulo 256. */
  static byte checksum(byte[] table, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += table[i];
    }
    return (byte) -sum;
  }
}
