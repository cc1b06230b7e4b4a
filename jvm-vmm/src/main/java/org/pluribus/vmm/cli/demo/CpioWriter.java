package org.pluribus.vmm.cli.demo;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes a cpio archive in the "newc" format, the one Linux unpacks initramfs from
 * (Documentation/driver-api/early-userspace/buffer-format.rst): headers of hexadecimal text, names
 * and contents padded to 4 bytes, and a last entry named TRAILER!!!.
 *
 * <p>Everything belongs to root and is dated 1970, so the same input gives the same bytes. Entries
 * must come after their directories.
 */
final class CpioWriter implements Closeable {

  private static final String MAGIC = "070701";
  private static final String TRAILER = "TRAILER!!!";
  private static final int ALIGNMENT = 4;

  /** File types in st_mode (stat(2)). */
  private static final int DIRECTORY = 0040000;

  private static final int REGULAR = 0100000;
  private static final int SYMBOLIC_LINK = 0120000;
  private static final int CHARACTER_DEVICE = 0020000;

  private static final int LINK_PERMISSIONS = 0777;
  private static final byte[] NOTHING = {};

  private final OutputStream out;
  private int nextInode = 1;
  private long written;

  CpioWriter(OutputStream out) {
    this.out = out;
  }

  void directory(String name, int permissions) throws IOException {
    entry(name, DIRECTORY | permissions, NOTHING, 0, 0);
  }

  void file(String name, int permissions, byte[] content) throws IOException {
    entry(name, REGULAR | permissions, content, 0, 0);
  }

  void link(String name, String target) throws IOException {
    byte[] content = target.getBytes(StandardCharsets.UTF_8);
    entry(name, SYMBOLIC_LINK | LINK_PERMISSIONS, content, 0, 0);
  }

  void characterDevice(String name, int permissions, int major, int minor) throws IOException {
    entry(name, CHARACTER_DEVICE | permissions, NOTHING, major, minor);
  }

  /** Writes the end mark and closes the stream below. */
  @Override
  public void close() throws IOException {
    entry(TRAILER, 0, NOTHING, 0, 0);
    out.close();
  }

  private void entry(String name, int mode, byte[] content, int major, int minor)
      throws IOException {
    byte[] nameBytes = (name + '\0').getBytes(StandardCharsets.UTF_8);
    StringBuilder header = new StringBuilder(MAGIC);
    int[] fields = {
      nextInode++, // c_ino
      mode,
      0, // c_uid
      0, // c_gid
      1, // c_nlink
      0, // c_mtime
      content.length,
      0, // c_maj, c_min: where the file was
      0,
      major,
      minor,
      nameBytes.length,
      0 // c_chksum: only in the other newc format
    };
    for (int field : fields) {
      header.append("%08X".formatted(field));
    }
    write(header.toString().getBytes(StandardCharsets.US_ASCII));
    write(nameBytes);
    pad();
    write(content);
    pad();
  }

  private void write(byte[] bytes) throws IOException {
    out.write(bytes);
    written += bytes.length;
  }

  private void pad() throws IOException {
    while (written % ALIGNMENT != 0) {
      out.write(0);
      written++;
    }
  }
}
