package org.pluribus.vmm.bus;

/**
 * Something that answers on a {@link Bus}: registers, seen as offsets into the device's own range.
 *
 * <p>Any vCPU thread may call, several at once; a device keeps its own state consistent. Calls
 * return without waiting for the guest. A device must accept every offset inside its range and
 * every size (the guest chooses both): what has no register reads as all-ones and ignores writes.
 */
public interface BusDevice {

  /**
   * Reads {@code size} bytes.
   *
   * @param offset bytes from the start of the device's range, never negative
   * @param size 1, 2, 4 or 8 bytes (8 on MMIO only)
   * @return the value, little-endian, in the low {@code size} bytes; bits above are ignored
   */
  long read(long offset, int size);

  /**
   * Writes {@code size} bytes.
   *
   * @param offset bytes from the start of the device's range, never negative
   * @param size 1, 2, 4 or 8 bytes (8 on MMIO only)
   * @param value the value in the low {@code size} bytes; bits above are zero
   */
  void write(long offset, int size, long value);
}
