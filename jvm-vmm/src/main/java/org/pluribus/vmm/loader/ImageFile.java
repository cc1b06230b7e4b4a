package org.pluribus.vmm.loader;

import static org.pluribus.vmm.memory.GuestMemory.LE_INT;
import static org.pluribus.vmm.memory.GuestMemory.LE_LONG;
import static org.pluribus.vmm.memory.GuestMemory.LE_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file to boot from, mapped read-only, with little-endian readers that stay inside it.
 *
 * <p>Reads past the end throw {@link BadImageException} ("truncated"), so a loader may follow
 * offsets found in the file without checking each.
 */
final class ImageFile {

  private static final int GZIP_MAGIC = 0x8B1F;
  private static final int ZSTD_MAGIC = 0xFD2F_B528;
  private static final int XZ_MAGIC = 0x587A_37FD;
  private static final int ELF_MAGIC = 0x464C_457F;
  private static final int PE_MAGIC = 0x5A4D;

  /** "ARM\x64" at offset 0x38 (Documentation/arch/arm64/booting.rst). */
  private static final int ARM64_MAGIC = 0x644D_5241;

  private static final int ARM64_MAGIC_OFFSET = 0x38;

  private final Path path;
  private final String role;
  private final MemorySegment bytes;

  private ImageFile(Path path, String role, MemorySegment bytes) {
    this.path = path;
    this.role = role;
    this.bytes = bytes;
  }

  /**
   * Maps a file.
   *
   * @param role what the user calls it: "kernel", "initrd"
   * @throws BadImageException if it is missing, no regular file, unreadable or empty
   */
  static ImageFile open(Path path, String role) throws BadImageException, IOException {
    if (!Files.exists(path)) {
      throw new BadImageException(
          "%s %s does not exist: give --%s an existing file".formatted(role, path, role));
    }
    if (!Files.isRegularFile(path)) {
      throw new BadImageException(
          "%s %s is not a regular file: give --%s a file".formatted(role, path, role));
    }
    try (FileChannel channel = FileChannel.open(path)) {
      if (channel.size() == 0) {
        throw new BadImageException("%s %s is empty: fetch it again".formatted(role, path));
      }
      MemorySegment bytes = channel.map(MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
      return new ImageFile(path, role, bytes);
    } catch (AccessDeniedException e) {
      throw new BadImageException(
          "%s %s can't be read: make it readable (chmod +r)".formatted(role, path));
    }
  }

  long size() {
    return bytes.byteSize();
  }

  String fileName() {
    Path name = path.getFileName();
    return name == null ? path.toString() : name.toString();
  }

  /** A complaint about this file; {@code what} says what is wrong and how to cure it. */
  BadImageException bad(String what) {
    return new BadImageException("%s %s %s".formatted(role, path, what));
  }

  MemorySegment slice(long offset, long length) throws BadImageException {
    if (offset < 0 || length < 0 || offset > size() - length) {
      throw bad("is truncated (%d bytes): fetch it again".formatted(size()));
    }
    return bytes.asSlice(offset, length);
  }

  int u8(long offset) throws BadImageException {
    return Byte.toUnsignedInt(slice(offset, 1).get(ValueLayout.JAVA_BYTE, 0));
  }

  int u16(long offset) throws BadImageException {
    return Short.toUnsignedInt(slice(offset, Short.BYTES).get(LE_SHORT, 0));
  }

  int i32(long offset) throws BadImageException {
    return slice(offset, Integer.BYTES).get(LE_INT, 0);
  }

  long u32(long offset) throws BadImageException {
    return Integer.toUnsignedLong(i32(offset));
  }

  long u64(long offset) throws BadImageException {
    return slice(offset, Long.BYTES).get(LE_LONG, 0);
  }

  /** Text from {@code offset} to the first NUL, at most {@code maxLength} bytes. */
  String text(long offset, int maxLength) throws BadImageException {
    byte[] text =
        slice(offset, Math.min(maxLength, Math.max(0, size() - offset)))
            .toArray(ValueLayout.JAVA_BYTE);
    int end = 0;
    while (end < text.length && text[end] != 0) {
      end++;
    }
    return new String(text, 0, end, StandardCharsets.US_ASCII);
  }

  boolean isElf() throws BadImageException {
    return size() >= Integer.BYTES && i32(0) == ELF_MAGIC;
  }

  /** The complaint for a file none of the loaders recognises: says what it is instead. */
  static BadImageException notAKernel(ImageFile image) throws BadImageException {
    String cure = ": give a bzImage (vmlinuz), a PVH vmlinux or a Multiboot 1 kernel";
    if (image.size() >= ARM64_MAGIC_OFFSET + Integer.BYTES
        && image.i32(ARM64_MAGIC_OFFSET) == ARM64_MAGIC) {
      return image.bad("is an ARM64 Linux kernel" + cure + " for x86-64");
    }
    if (image.isElf()) {
      return image.bad("is an ELF file with neither a PVH note nor a Multiboot 1 header" + cure);
    }
    if (image.size() >= Integer.BYTES) {
      int magic = image.i32(0);
      if ((magic & 0xFFFF) == GZIP_MAGIC) {
        return image.bad("is gzip-compressed: unpack it with gunzip");
      }
      if (magic == ZSTD_MAGIC) {
        return image.bad("is zstd-compressed: unpack it with unzstd");
      }
      if (magic == XZ_MAGIC) {
        return image.bad("is xz-compressed: unpack it with unxz");
      }
      if ((magic & 0xFFFF) == PE_MAGIC) {
        return image.bad("is a DOS or EFI program without a Linux boot header" + cure);
      }
    }
    return image.bad("is not a kernel" + cure);
  }
}
