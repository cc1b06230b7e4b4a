package org.pluribus.perf.ratio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.pluribus.vmm.loader.EntryState;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/** The guest that all contestants run: src/main/c/guest.S, whose header this knows. */
final class GuestImage {
  /** Bytes from one page that it stores to, to the next. */
  static final long STEP = 2 * GuestMemory.PAGE_SIZE;

  /** Where it lies in guest RAM. */
  private static final long ADDRESS = 0x10_0000;

  // Offsets in the header.
  private static final int ENTRY = 0;
  private static final int PAGE_MAP = 8;
  private static final int GDT = 16;
  private static final int GDT_LIMIT = 24;
  private static final int KIND = 32;
  private static final int COUNT = 40;
  private static final int FIRST = 48;
  private static final int LIMIT = 56;

  // Selectors in its GDT.
  private static final int KERNEL_CS = 0x10;
  private static final int KERNEL_DS = 0x18;
  private static final int TSS = 0x20;

  private final ByteBuffer bytes;

  GuestImage(Path file, Work work) throws IOException {
    bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(KIND, work.kind().ordinal());
    bytes.putLong(COUNT, work.count());
    bytes.putLong(FIRST, work.first());
    bytes.putLong(LIMIT, work.limit());
  }

  /** What the guest does in each round. */
  enum Kind {
    /** Exits from CPL0: 16 per count. */
    EXITS,
    /** Stores to pages, one each. */
    PAGES
  }

  /**
   * A round's work.
   *
   * @param count exits by 16, or pages
   * @param first GPA of the first page
   * @param limit GPA behind the last page: there the guest begins anew
   */
  record Work(Kind kind, long count, long first, long limit) {
    /** Stores to the first pages of the second of two nodes, the same in each round. */
    static Work farPages(long count, long ram) {
      long first = GuestRamLayout.of(ram, 2).rangesOf(1).getFirst().start();
      return new Work(Kind.PAGES, count, first, first + count * STEP);
    }
  }

  void load(GuestMemory memory) {
    memory.writeBytes(ADDRESS, bytes.array());
  }

  /** The boot vCPU's registers. */
  EntryState entry() {
    return new EntryState(
        EntryState.Mode.LONG64,
        bytes.getLong(ENTRY),
        0,
        0,
        0,
        0,
        EntryState.CR0_PE | EntryState.CR0_ET | EntryState.CR0_PG,
        bytes.getLong(PAGE_MAP),
        EntryState.CR4_PAE,
        EntryState.EFER_LME | EntryState.EFER_LMA,
        bytes.getLong(GDT),
        (int) bytes.getLong(GDT_LIMIT),
        KERNEL_CS,
        KERNEL_DS,
        TSS);
  }
}
