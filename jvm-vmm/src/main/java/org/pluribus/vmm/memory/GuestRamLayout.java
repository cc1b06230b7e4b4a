package org.pluribus.vmm.memory;

import static org.pluribus.vmm.memory.AddressMap.ACPI_END;
import static org.pluribus.vmm.memory.AddressMap.ACPI_START;
import static org.pluribus.vmm.memory.AddressMap.EBDA_START;
import static org.pluribus.vmm.memory.AddressMap.HIGH_MEMORY_START;
import static org.pluribus.vmm.memory.AddressMap.LEGACY_HOLE_START;
import static org.pluribus.vmm.memory.AddressMap.PCI_HOLE_END;
import static org.pluribus.vmm.memory.AddressMap.PCI_HOLE_START;

import java.util.ArrayList;
import java.util.List;

/**
 * Where guest RAM is, and which node is home of which part.
 *
 * <p>RAM has two numberings. The <b>guest-physical address</b> (GPA) has the PCI hole in it. The
 * <b>RAM offset</b> counts bytes of RAM without holes: it is the offset into the node's memfd, and
 * divided by 4 KiB it is the page number of the coherence engine. Below {@link
 * AddressMap#PCI_HOLE_START} both are equal.
 *
 * <p>The whole first megabyte counts as RAM here (the legacy window too: nothing else answers
 * there, so stray accesses find memory, not a bus error); the e820 map doesn't offer all of it to
 * the guest.
 *
 * <p>Nodes get contiguous stretches of RAM offsets, in node order, as even as the granularity
 * allows. Immutable; any thread.
 */
public final class GuestRamLayout {

  /** Bytes per page, the unit of coherence. */
  public static final int PAGE_SIZE = GuestMemory.PAGE_SIZE;

  /** RAM sizes and home boundaries are multiples of this: one large page never has two homes. */
  public static final long GRANULE = 2L << 20;

  /**
   * Preferred home boundary. Linux keeps its page descriptors in sections of 128 MiB of RAM
   * (SECTION_SIZE_BITS = 27, arch/x86/include/asm/sparsemem.h); where a section belongs to one node
   * only, so do its descriptors.
   */
  public static final long LINUX_SECTION = 128L << 20;

  /**
   * The least RAM a node can have: Linux leaves out NUMA nodes with less than 4 MiB (NODE_MIN_SIZE,
   * arch/x86/include/asm/numa.h).
   */
  public static final long MIN_NODE_RAM = 4L << 20;

  /** The most RAM: with the hole it ends at 1 TiB, the 40 address bits every x86-64 CPU offers. */
  public static final long MAX_RAM = (1L << 40) - (PCI_HOLE_END - PCI_HOLE_START);

  /** A share may differ from the even one by this fraction (1/8) to end on a Linux section. */
  private static final int UNEVENNESS_ALLOWED = 8;

  private final long ramSize;
  private final long lowEnd;

  /**
   * RAM offset at which node i's stretch begins; one more entry than nodes, the last is ramSize.
   */
  private final long[] nodeStart;

  private GuestRamLayout(long ramSize, long[] nodeStart) {
    this.ramSize = ramSize;
    this.lowEnd = Math.min(ramSize, PCI_HOLE_START);
    this.nodeStart = nodeStart;
  }

  /**
   * Lays out {@code ramSize} bytes over {@code nodes} nodes.
   *
   * @throws IllegalArgumentException one line for the user, if the size is no multiple of 2 MiB,
   *     too small for so many nodes, or too large
   */
  public static GuestRamLayout of(long ramSize, int nodes) {
    if (nodes < 1) {
      throw new IllegalArgumentException("a machine needs at least 1 node, not " + nodes);
    }
    if (ramSize > MAX_RAM) {
      throw new IllegalArgumentException(
          "memory of %d MiB is more than a machine can have: give at most %d MiB"
              .formatted(ramSize >> 20, MAX_RAM >> 20));
    }
    if (ramSize < nodes * MIN_NODE_RAM) {
      throw new IllegalArgumentException(
          "memory of %d KiB is too small for %d node(s): give at least %d MiB"
              .formatted(ramSize >> 10, nodes, nodes * MIN_NODE_RAM >> 20));
    }
    if (ramSize % GRANULE != 0) {
      throw new IllegalArgumentException(
          "memory of %d KiB is not a multiple of 2 MiB: give %d MiB"
              .formatted(ramSize >> 10, roundUp(ramSize, GRANULE) >> 20));
    }
    long granule = homeGranule(ramSize, nodes);
    long[] nodeStart = new long[nodes + 1];
    for (int i = 1; i < nodes; i++) {
      long evenStart = ramSize / GRANULE * i / nodes * GRANULE;
      nodeStart[i] = (evenStart + granule / 2) / granule * granule;
    }
    nodeStart[nodes] = ramSize;
    return new GuestRamLayout(ramSize, nodeStart);
  }

  private static long homeGranule(long ramSize, int nodes) {
    boolean exact = ramSize % (nodes * LINUX_SECTION) == 0;
    boolean nearlyEven = ramSize / nodes >= UNEVENNESS_ALLOWED * LINUX_SECTION;
    return exact || nearlyEven ? LINUX_SECTION : GRANULE;
  }

  /** Bytes of RAM. */
  public long ramSize() {
    return ramSize;
  }

  /** Pages of RAM. */
  public long pageCount() {
    return ramSize / PAGE_SIZE;
  }

  /** Nodes that share the RAM. */
  public int nodeCount() {
    return nodeStart.length - 1;
  }

  /** First GPA after RAM below the PCI hole. */
  public long lowRamEnd() {
    return lowEnd;
  }

  /** First GPA after all RAM. */
  public long ramEnd() {
    return ramSize <= PCI_HOLE_START ? ramSize : ramSize + (PCI_HOLE_END - PCI_HOLE_START);
  }

  /** True if {@code gpa} is RAM. */
  public boolean isRam(long gpa) {
    return gpa >= 0 && (gpa < lowEnd || (gpa >= PCI_HOLE_END && gpa < ramEnd()));
  }

  /** True if {@code length} bytes from {@code gpa} are RAM, without a hole in between. */
  public boolean isRam(long gpa, long length) {
    if (gpa < 0 || length < 0) {
      return false;
    }
    return gpa < PCI_HOLE_START
        ? length <= lowEnd - gpa
        : gpa >= PCI_HOLE_END && length <= ramEnd() - gpa;
  }

  /**
   * RAM offset of a GPA.
   *
   * @throws IndexOutOfBoundsException if it isn't RAM
   */
  public long ramOffset(long gpa) {
    if (!isRam(gpa)) {
      throw new IndexOutOfBoundsException("GPA 0x%x is not RAM".formatted(gpa));
    }
    return gpa < PCI_HOLE_START ? gpa : gpa - (PCI_HOLE_END - PCI_HOLE_START);
  }

  /**
   * GPA of a RAM offset.
   *
   * @throws IndexOutOfBoundsException if the offset lies outside RAM
   */
  public long gpaOfOffset(long offset) {
    if (offset < 0 || offset >= ramSize) {
      throw new IndexOutOfBoundsException("RAM offset 0x%x is outside RAM".formatted(offset));
    }
    return offset < PCI_HOLE_START ? offset : offset + (PCI_HOLE_END - PCI_HOLE_START);
  }

  /** Number of the page that holds {@code gpa}; throws as {@link #ramOffset}. */
  public long pageOf(long gpa) {
    return ramOffset(gpa) / PAGE_SIZE;
  }

  /** GPA of the first byte of a page; throws as {@link #gpaOfOffset}. */
  public long gpaOfPage(long page) {
    return gpaOfOffset(page * PAGE_SIZE);
  }

  /** Home node of a page number. */
  public int homeOfPage(long page) {
    long offset = page * PAGE_SIZE;
    if (offset < 0 || offset >= ramSize) {
      throw new IndexOutOfBoundsException("page %d is outside RAM".formatted(page));
    }
    int low = 0;
    int high = nodeStart.length - 2;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (nodeStart[middle] <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** Home node of a GPA; throws as {@link #ramOffset}. */
  public int homeOf(long gpa) {
    return homeOfPage(pageOf(gpa));
  }

  /** First page number whose home is {@code node}. */
  public long firstPageOf(int node) {
    return nodeStart[node] / PAGE_SIZE;
  }

  /** Pages whose home is {@code node}. */
  public long pageCountOf(int node) {
    return (nodeStart[node + 1] - nodeStart[node]) / PAGE_SIZE;
  }

  /** GPA ranges of all RAM, ascending: one, or two when RAM goes on above the hole. */
  public List<RamRange> ranges() {
    return rangesBetween(0, ramSize);
  }

  /** GPA ranges whose home is {@code node}, ascending: one, or two around the hole. */
  public List<RamRange> rangesOf(int node) {
    return rangesBetween(nodeStart[node], nodeStart[node + 1]);
  }

  private static List<RamRange> rangesBetween(long startOffset, long endOffset) {
    List<RamRange> ranges = new ArrayList<>(2);
    if (startOffset < PCI_HOLE_START) {
      ranges.add(new RamRange(startOffset, Math.min(endOffset, PCI_HOLE_START) - startOffset));
    }
    if (endOffset > PCI_HOLE_START) {
      long start = Math.max(startOffset, PCI_HOLE_START);
      ranges.add(new RamRange(start + (PCI_HOLE_END - PCI_HOLE_START), endOffset - start));
    }
    return List.copyOf(ranges);
  }

  /** The memory map for the guest's boot protocol, ascending, with gaps where nothing is. */
  public List<E820Entry> e820() {
    List<E820Entry> map = new ArrayList<>();
    map.add(new E820Entry(0, EBDA_START, E820Entry.Type.RAM));
    map.add(new E820Entry(EBDA_START, LEGACY_HOLE_START - EBDA_START, E820Entry.Type.RESERVED));
    map.add(new E820Entry(ACPI_START, ACPI_END - ACPI_START, E820Entry.Type.RESERVED));
    map.add(new E820Entry(HIGH_MEMORY_START, lowEnd - HIGH_MEMORY_START, E820Entry.Type.RAM));
    if (ramEnd() > PCI_HOLE_END) {
      map.add(new E820Entry(PCI_HOLE_END, ramEnd() - PCI_HOLE_END, E820Entry.Type.RAM));
    }
    return List.copyOf(map);
  }

  private static long roundUp(long value, long granule) {
    return (value + granule - 1) / granule * granule;
  }

  @Override
  public String toString() {
    return "RAM of %d MiB over %d node(s)".formatted(ramSize >> 20, nodeCount());
  }
}
