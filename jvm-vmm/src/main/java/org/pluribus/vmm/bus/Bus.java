package org.pluribus.vmm.bus;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/**
 * One address space of devices: the 64 Ki I/O ports, or guest-physical addresses outside RAM
 * (MMIO).
 *
 * <p>A sorted table of disjoint ranges searched by bisection. Look-ups allocate nothing and take no
 * lock; attaching a device builds a new table, so it may happen while vCPUs run. An access where no
 * device answers behaves as on a PC: reads float to all-ones, writes are dropped. Both are counted.
 *
 * <p>An access that starts inside one range and ends outside it goes to the device where it starts,
 * whole: the guest asked that device for it.
 */
public final class Bus {

  /**
   * First address after the I/O port space (SDM vol. 1, 19.3: 64K individually addressable ports).
   */
  public static final long PORT_SPACE_SIZE = 0x1_0000;

  private final String name;
  private final long size;
  private final LongAdder unmappedReads = new LongAdder();
  private final LongAdder unmappedWrites = new LongAdder();
  private volatile Table table = new Table(new long[0], new long[0], new BusDevice[0]);

  /** Ranges in ascending order; {@code ends} are exclusive. Never changed once published. */
  private record Table(long[] starts, long[] ends, BusDevice[] devices) {}

  private Bus(String name, long size) {
    this.name = name;
    this.size = size;
  }

  /** The I/O port space, addresses 0 to 0xFFFF. */
  public static Bus ports() {
    return new Bus("port", PORT_SPACE_SIZE);
  }

  /** The MMIO space: guest-physical addresses. */
  public static Bus mmio() {
    return new Bus("MMIO", Long.MAX_VALUE);
  }

  /**
   * Puts a device at {@code [start, start + length)}.
   *
   * @throws IllegalArgumentException if the range leaves the space or overlaps one already taken
   */
  public synchronized void attach(long start, long length, BusDevice device) {
    if (start < 0 || length <= 0 || start > size - length) {
      throw new IllegalArgumentException(
          "%s range 0x%x+0x%x is outside the address space".formatted(name, start, length));
    }
    Table old = table;
    int n = old.starts.length;
    int at = Arrays.binarySearch(old.starts, start);
    int slot = at >= 0 ? at : -at - 1;
    boolean overlapsNext = slot < n && old.starts[slot] < start + length;
    boolean overlapsPrevious = slot > 0 && old.ends[slot - 1] > start;
    if (overlapsNext || overlapsPrevious) {
      throw new IllegalArgumentException(
          "%s range 0x%x+0x%x overlaps a device already there".formatted(name, start, length));
    }
    long[] starts = new long[n + 1];
    long[] ends = new long[n + 1];
    BusDevice[] devices = new BusDevice[n + 1];
    for (int i = 0, from = 0; i <= n; i++) {
      if (i == slot) {
        starts[i] = start;
        ends[i] = start + length;
        devices[i] = device;
      } else {
        starts[i] = old.starts[from];
        ends[i] = old.ends[from];
        devices[i] = old.devices[from];
        from++;
      }
    }
    table = new Table(starts, ends, devices);
  }

  /** True if a device answers at {@code address}. */
  public boolean isMapped(long address) {
    return find(table, address) >= 0;
  }

  /** Reads {@code size} bytes (1, 2, 4 or 8); all-ones where no device answers. */
  public long read(long address, int size) {
    Table t = table;
    int i = find(t, address);
    if (i < 0) {
      unmappedReads.increment();
      return ones(size);
    }
    return t.devices[i].read(address - t.starts[i], size) & ones(size);
  }

  /**
   * Writes the low {@code size} bytes (1, 2, 4 or 8) of {@code value}; dropped where no device
   * answers.
   */
  public void write(long address, int size, long value) {
    Table t = table;
    int i = find(t, address);
    if (i < 0) {
      unmappedWrites.increment();
      return;
    }
    t.devices[i].write(address - t.starts[i], size, value & ones(size));
  }

  /** Reads that found no device, so far. */
  public long unmappedReads() {
    return unmappedReads.sum();
  }

  /** Writes that found no device, so far. */
  public long unmappedWrites() {
    return unmappedWrites.sum();
  }

  private static int find(Table t, long address) {
    int low = 0;
    int high = t.starts.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (address < t.starts[middle]) {
        high = middle - 1;
      } else if (address >= t.ends[middle]) {
        low = middle + 1;
      } else {
        return middle;
      }
    }
    return -1;
  }

  private static long ones(int size) {
    return size >= Long.BYTES ? -1L : (1L << (size * Byte.SIZE)) - 1;
  }
}
