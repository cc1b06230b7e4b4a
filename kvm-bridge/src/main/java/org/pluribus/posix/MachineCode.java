package org.pluribus.posix;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/**
 * x86-64 machine code placed where the CPU may execute it.
 *
 * <p>The page is filled while writable and made executable afterwards, never both at once (hardened
 * kernels refuse that). It stays mapped for the life of the process, so a handle linked to it can
 * never dangle. Whoever supplies the bytes vouches that they follow the System V AMD64 calling
 * convention and touch only memory they were handed.
 */
public final class MachineCode {
  private MachineCode() {}

  /**
   * Places a function.
   *
   * @param hexBytes its bytes in hexadecimal, blanks allowed
   * @return its entry point, valid for ever
   * @throws PosixException EACCES if the host forbids executable memory, ENOMEM
   */
  public static MemorySegment place(String hexBytes) {
    return place(HexFormat.of().parseHex(hexBytes.replaceAll("\\s", "")));
  }

  /**
   * Places a function given as an assembler listing.
   *
   * @param listing lines of hexadecimal bytes, two blanks or more, and anything
   * @return its entry point, valid for ever
   */
  static MemorySegment placeListing(String listing) {
    StringBuilder hex = new StringBuilder();
    listing.lines().forEach(line -> hex.append(line, 0, line.indexOf("  ")));
    return place(hex.toString());
  }

  /** Places a function given as bytes. See {@link #place(String)}. */
  public static MemorySegment place(byte[] code) {
    Mapping page = Mapping.anonymous(code.length, Mapping.PROT_READ | Mapping.PROT_WRITE);
    MemorySegment.copy(MemorySegment.ofArray(code), 0, page.segment(), 0, code.length);
    page.protect(0, code.length, Mapping.PROT_READ | Mapping.PROT_EXEC);
    return page.segment();
  }
}
