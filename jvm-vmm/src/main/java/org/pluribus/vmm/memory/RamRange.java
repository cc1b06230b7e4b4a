package org.pluribus.vmm.memory;

/**
 * A stretch of guest-physical RAM.
 *
 * @param start first GPA, a multiple of 4 KiB
 * @param length bytes, a positive multiple of 4 KiB
 */
public record RamRange(long start, long length) {

  /** First GPA after the stretch. */
  public long end() {
    return start + length;
  }
}
