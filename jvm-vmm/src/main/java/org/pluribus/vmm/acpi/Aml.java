package org.pluribus.vmm.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * A small assembler for AML, the byte code of ACPI's DSDT: each method gives the bytes of one term
 * (ACPI 6.5, 20.2 for the grammar, 6.4 for resource descriptors).
 */
public final class Aml {

  private static final int ZERO_OP = 0x00;
  private static final int ONE_OP = 0x01;
  private static final int NAME_OP = 0x08;
  private static final int BYTE_PREFIX = 0x0A;
  private static final int WORD_PREFIX = 0x0B;
  private static final int DWORD_PREFIX = 0x0C;
  private static final int STRING_PREFIX = 0x0D;
  private static final int QWORD_PREFIX = 0x0E;
  private static final int SCOPE_OP = 0x10;
  private static final int BUFFER_OP = 0x11;
  private static final int PACKAGE_OP = 0x12;
  private static final int DUAL_NAME_PREFIX = 0x2E;
  private static final int MULTI_NAME_PREFIX = 0x2F;
  private static final int EXTENDED_OP_PREFIX = 0x5B;
  private static final int DEVICE_OP = 0x82;
  private static final int ROOT = '\\';
  private static final int NAME_SEGMENT = 4;
  private static final String SEGMENT_PADDING = "____";

  /** Small resource descriptors: I/O port range, interrupt without flags, end of list. */
  private static final int IO_DESCRIPTOR = 0x47;

  private static final int IRQ_DESCRIPTOR = 0x22;
  private static final int END_TAG = 0x79;

  /** I/O descriptor: the device decodes all 16 address bits. */
  private static final int DECODE_16 = 1;

  private static final int MAX_INTERRUPT = 15;

  private Aml() {}

  /** {@code Scope (path) { terms }}. */
  public static byte[] scope(String path, byte[]... terms) {
    return join(op(SCOPE_OP), withLength(join(name(path), join(terms))));
  }

  /** {@code Device (name) { terms }}. */
  public static byte[] device(String name, byte[]... terms) {
    return join(op(EXTENDED_OP_PREFIX), op(DEVICE_OP), withLength(join(name(name), join(terms))));
  }

  /** {@code Name (name, value)}. */
  public static byte[] named(String name, byte[] value) {
    return join(op(NAME_OP), name(name), value);
  }

  /** {@code Package () { elements }}. */
  public static byte[] packageOf(byte[]... elements) {
    return join(op(PACKAGE_OP), withLength(join(op(elements.length), join(elements))));
  }

  /** {@code Buffer () { bytes }}. */
  public static byte[] buffer(byte[] bytes) {
    return join(op(BUFFER_OP), withLength(join(integer(bytes.length), bytes)));
  }

  /** An integer constant in its shortest form; values are unsigned. */
  public static byte[] integer(long value) {
    if (value == 0) {
      return op(ZERO_OP);
    }
    if (value == 1) {
      return op(ONE_OP);
    }
    if (value >>> 8 == 0) {
      return join(op(BYTE_PREFIX), little(value, 1));
    }
    if (value >>> 16 == 0) {
      return join(op(WORD_PREFIX), little(value, 2));
    }
    if (value >>> 32 == 0) {
      return join(op(DWORD_PREFIX), little(value, 4));
    }
    return join(op(QWORD_PREFIX), little(value, 8));
  }

  /** A string constant. */
  public static byte[] string(String text) {
    return join(op(STRING_PREFIX), text.getBytes(StandardCharsets.US_ASCII), op(0));
  }

  /**
   * {@code EisaId ("PNP0501")}: three letters of 5 bits and four hexadecimal digits, stored in big
   * endian order (19.6.36).
   */
  public static byte[] eisaId(String id) {
    if (!id.matches("[A-Z]{3}[0-9A-F]{4}")) {
      throw new IllegalArgumentException("'" + id + "' is no EISA ID like PNP0501");
    }
    int letters = 0;
    for (int i = 0; i < 3; i++) {
      letters = letters << 5 | (id.charAt(i) - 'A' + 1);
    }
    int bigEndian = letters << 16 | Integer.parseInt(id.substring(3), 16);
    return integer(Integer.toUnsignedLong(Integer.reverseBytes(bigEndian)));
  }

  /** {@code ResourceTemplate () { descriptors }}. */
  public static byte[] resourceTemplate(byte[]... descriptors) {
    // A checksum of 0 means there is none (6.4.2.9).
    return buffer(join(join(descriptors), op(END_TAG), op(0)));
  }

  /** {@code IO (Decode16, port, port, 1, length)}. */
  public static byte[] io(int port, int length) {
    return join(
        op(IO_DESCRIPTOR), op(DECODE_16), little(port, 2), little(port, 2), op(1), op(length));
  }

  /** {@code IRQNoFlags () { irq }}: edge-triggered, active high, not shared. */
  public static byte[] irq(int irq) {
    if (irq < 0 || irq > MAX_INTERRUPT) {
      throw new IllegalArgumentException("no ISA interrupt " + irq);
    }
    return join(op(IRQ_DESCRIPTOR), little(1L << irq, 2));
  }

  /** Terms one after the other. */
  public static byte[] join(byte[]... terms) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] term : terms) {
      all.writeBytes(term);
    }
    return all.toByteArray();
  }

  /** A name path such as {@code \_SB_.PCI0}; segments are padded to four characters. */
  private static byte[] name(String path) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    String relative = path;
    if (path.charAt(0) == ROOT) {
      bytes.write(ROOT);
      relative = path.substring(1);
    }
    String[] segments = relative.split("\\.", -1);
    if (segments.length == 2) {
      bytes.write(DUAL_NAME_PREFIX);
    } else if (segments.length > 2) {
      bytes.write(MULTI_NAME_PREFIX);
      bytes.write(segments.length);
    }
    for (String segment : segments) {
      if (!segment.matches("[A-Z_][A-Z0-9_]{0,3}")) {
        throw new IllegalArgumentException("'" + path + "' is no AML name");
      }
      String padded = (segment + SEGMENT_PADDING).substring(0, NAME_SEGMENT);
      bytes.writeBytes(padded.getBytes(StandardCharsets.US_ASCII));
    }
    return bytes.toByteArray();
  }

  /**
   * {@code PkgLength} and the content it counts. The length counts its own bytes: one byte up to
   * 63, else 4 bits in the first and 8 in each of up to three more (20.2.4).
   */
  private static byte[] withLength(byte[] content) {
    int more = 0;
    while (content.length + 1 + more >= (more == 0 ? 1 << 6 : 1 << 4 + 8 * more)) {
      more++;
    }
    if (more > 3) {
      throw new IllegalArgumentException("AML package of %d bytes".formatted(content.length));
    }
    int length = content.length + 1 + more;
    byte[] prefix = new byte[1 + more];
    prefix[0] = (byte) (more == 0 ? length : more << 6 | (length & 0xF));
    for (int i = 1; i <= more; i++) {
      prefix[i] = (byte) (length >>> 4 + 8 * (i - 1));
    }
    return join(prefix, content);
  }

  private static byte[] op(int code) {
    return new byte[] {(byte) code};
  }

  private static byte[] little(long value, int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (value >>> i * Byte.SIZE);
    }
    return bytes;
  }
}
