package org.pluribus.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Smallest files that are kernels by each boot protocol's rules, with recognisable contents. */
final class SyntheticKernels {

  static final int BZ_LOAD = 0x100_0000;
  static final int BZ_INIT_SIZE = 0x20_0000;
  static final int ELF_LOAD = 0x20_0000;
  static final int ELF_BSS = 0x3000;
  static final int PVH_ENTRY = 0x20_0040;

  private SyntheticKernels() {}

  static byte[] payload(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  /** One setup sector besides the boot sector, then {@code payloadSize} bytes of kernel. */
  static byte[] bzImage(int payloadSize) {
    ByteBuffer file = little(1024 + payloadSize);
    file.put(0x1F1, (byte) 1);
    file.putInt(0x1F4, payloadSize / 16);
    file.putShort(0x1FE, (short) 0xAA55);
    file.put(0x200, (byte) 0xEB).put(0x201, (byte) 0x6A);
    file.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII));
    file.putShort(0x206, (short) 0x020F);
    file.putShort(0x20E, (short) 0x80);
    file.put(0x280, "6.1.0-test (builder)\0".getBytes(StandardCharsets.US_ASCII));
    file.put(0x211, (byte) 1);
    file.putInt(0x22C, 0x7FFF_FFFF);
    file.putInt(0x230, 0x20_0000);
    file.put(0x234, (byte) 1);
    file.putShort(0x236, (short) 0x3);
    file.putInt(0x238, 100);
    file.putLong(0x258, BZ_LOAD);
    file.putInt(0x260, BZ_INIT_SIZE);
    file.put(1024, payload(payloadSize));
    return file.array();
  }

  /** ELF64 linked high, loaded at 2 MiB, with bss and the Xen note behind an unrelated one. */
  static byte[] pvhVmlinux(int payloadSize) {
    int noteOffset = 64 + 2 * 56;
    int noteSize = 12 + 4 + 8 + 12 + 4 + 8;
    int dataOffset = 0x200;
    ByteBuffer file = little(dataOffset + payloadSize);
    elfIdentity(file, 2, 62);
    file.putLong(24, 0xFFFF_FFFF_8100_0000L).putLong(32, 64);
    file.putShort(54, (short) 56).putShort(56, (short) 2);
    programHeader64(file, 64, 1, dataOffset, ELF_LOAD, payloadSize, payloadSize + ELF_BSS);
    programHeader64(file, 120, 4, noteOffset, 0, noteSize, noteSize);
    note(file, noteOffset, "GNU\0", 3, 0x1111);
    note(file, noteOffset + 24, "Xen\0", 18, PVH_ENTRY);
    file.put(dataOffset, payload(payloadSize));
    return file.array();
  }

  /** ELF32 with a Multiboot header at the start of its only segment. */
  static byte[] multibootElf32(int payloadSize, int flags) {
    int dataOffset = 0x100;
    ByteBuffer file = little(dataOffset + payloadSize);
    elfIdentity(file, 1, 3);
    file.putInt(24, ELF_LOAD + 12).putInt(28, 52);
    file.putShort(42, (short) 32).putShort(44, (short) 1);
    file.putInt(52, 1).putInt(56, dataOffset).putInt(60, ELF_LOAD).putInt(64, ELF_LOAD);
    file.putInt(68, payloadSize).putInt(72, payloadSize + ELF_BSS);
    file.put(dataOffset, payload(payloadSize));
    multibootHeader(file, dataOffset, flags);
    return file.array();
  }

  /** No file format at all: 16 bytes of junk, then header with address fields, then code. */
  static byte[] multibootRaw(int payloadSize) {
    ByteBuffer file = little(16 + payloadSize);
    file.put(0, payload(16 + payloadSize));
    multibootHeader(file, 16, 1 << 16);
    file.putInt(28, ELF_LOAD).putInt(32, ELF_LOAD).putInt(36, 0);
    file.putInt(40, ELF_LOAD + payloadSize + ELF_BSS).putInt(44, ELF_LOAD + 0x30);
    return file.array();
  }

  private static void multibootHeader(ByteBuffer file, int at, int flags) {
    file.putInt(at, 0x1BADB002).putInt(at + 4, flags).putInt(at + 8, -(0x1BADB002 + flags));
  }

  static void elfIdentity(ByteBuffer file, int elfClass, int machine) {
    file.put(0, new byte[] {0x7F, 'E', 'L', 'F', (byte) elfClass, 1, 1});
    file.putShort(16, (short) 2).putShort(18, (short) machine).putInt(20, 1);
  }

  private static void programHeader64(
      ByteBuffer file, int at, int type, int offset, long address, int fileSize, int size) {
    file.putInt(at, type).putLong(at + 8, offset);
    file.putLong(at + 16, 0xFFFF_FFFF_8000_0000L + address).putLong(at + 24, address);
    file.putLong(at + 32, fileSize).putLong(at + 40, size);
  }

  private static void note(ByteBuffer file, int at, String owner, int type, long value) {
    file.putInt(at, 4).putInt(at + 4, 8).putInt(at + 8, type);
    file.put(at + 12, owner.getBytes(StandardCharsets.US_ASCII)).putLong(at + 16, value);
  }

  static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
