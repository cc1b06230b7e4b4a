package org.pluribus.vmm.memory;

/**
 * One line of the memory map a PC's firmware hands to the operating system (ACPI 6.5, table 15.4).
 *
 * @param start first guest-physical address
 * @param length bytes
 * @param type what may be done with it
 */
public record E820Entry(long start, long length, Type type) {

  /** First address after the entry. */
  public long end() {
    return start + length;
  }

  /** Address range types; {@link #code} is the number all boot protocols agree on. */
  public enum Type {
    /** RAM the operating system may use. */
    RAM(1),
    /** Not to be used. */
    RESERVED(2);

    /** The number in the table. */
    public final int code;

    Type(int code) {
      this.code = code;
    }
  }
}
