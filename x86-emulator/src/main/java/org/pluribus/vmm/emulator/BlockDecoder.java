package org.pluribus.vmm.emulator;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Finds or decodes the block at a linear address for one CPU. vCPU thread only. */
final class BlockDecoder {
  /** Longest block, in instructions: bounds the time between two looks at attention. */
  static final int MAX_INSNS = 64;

  /** Code bytes copied at a time: most blocks are shorter. */
  private static final int COPY_BYTES = 64;

  /** Retries when the code page keeps going away to other nodes or being overwritten. */
  private static final int ATTEMPTS = 1000;

  private final Cpu cpu;
  private final CodeCache cache;
  private final Decoder decoder = new Decoder(OpcodeTable.standard());
  private final byte[] bytes = new byte[(int) CpuMemory.PAGE_SIZE + Decoder.MAX_LENGTH];
  private final Insn[] buffer = new Insn[MAX_INSNS];

  /** Stores into the page being decoded, as counted before its bytes were read. */
  private int writes;

  /** Another CPU was storing into it then. */
  private boolean beingWritten;

  BlockDecoder(Cpu cpu, CodeCache cache) {
    this.cpu = cpu;
    this.cache = cache;
  }

  /**
   * The block at {@code la}; leaves the page in the CPU's fetch TLB at {@code slot} under {@code
   * tag}.
   *
   * @throws GuestFault #PF on the fetch, #UD, or #GP for an instruction of more than 15 bytes
   */
  Block block(long la, long tag, int slot) {
    int offset = (int) la & 0xFFF;
    int width = CodePage.widthIndex(cpu.codeBits);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      CodePage page = page(la);
      cpu.fetchTag[slot] = tag;
      cpu.fetchPage[slot] = page;
      Block b = page.find(width, offset);
      if (b == null) {
        b = decode(page, la, offset, width);
      } else if (b.crossingBytes != null && !crossingUnchanged(b, la)) {
        b = decode(page, la, offset, width);
      }
      // Fetching a second page may have cost us the first, and a decoded block its validity.
      if (b != null && b.valid && !page.stale) {
        return b;
      }
    }
    throw new IllegalStateException(
        "code page at " + Long.toHexString(la) + " does not stay readable; raise the hold time");
  }

  /** The code page at {@code la}, readable now and checked against its blocks. */
  private CodePage page(long la) {
    long host = cpu.translate(la, CpuMemory.PF_FETCH);
    long number = cpu.translatedGpa() >>> 12;
    if (host == 0) {
      throw cpu.gp(0); // code in MMIO space: no machine we build has any
    }
    CodePage page = cache.find(number);
    if (page == null) {
      page = cache.create(number);
    }
    if (!page.guarded) {
      // From here on every CPU of the node takes the long way to write it. If another CPU is about
      // to see to that, so do we: nothing may be decoded before.
      cpu.dropPhysicalPage(number, true);
      cpu.environment().dropWriteMappings(cpu, number);
      page.guarded = true;
      host = cpu.translate(la, CpuMemory.PF_FETCH);
    }
    if (page.stale && cpu.translatedGpa() >>> 12 == number) {
      page.revalidate(host & CpuMemory.PAGE_MASK);
    }
    return page;
  }

  /**
   * Decodes the block at {@code la} and keeps it, unless another CPU stores into the page
   * meanwhile.
   *
   * <p>The order matters: the count of stores is read first, announced stores second, the bytes
   * last. A store that we do not see announced is counted, and throws blocks out, after we read the
   * count; so it either changes the count before the block is added or finds the block.
   *
   * @return null when the page was taken out of the cache
   */
  private @Nullable Block decode(CodePage page, long la, int offset, int width) {
    int count = (int) CpuMemory.PAGE_SIZE - offset;
    long host = cpu.translate(la, CpuMemory.PF_FETCH);
    writes = page.writes();
    beingWritten = cache.isBeingWritten(page.page, cpu.codeWriter);
    int n = 0;
    int at = 0;
    int copied = 0;
    while (n < MAX_INSNS && at < count) {
      if (at + Decoder.MAX_LENGTH > copied && copied < count) {
        int more = Math.min(COPY_BYTES, count - copied);
        Cpu.copyCode(host + copied, bytes, copied, more);
        copied += more;
      }
      Insn i = new Insn();
      int r = decoder.decode(bytes, at, copied, cpu.codeBits, i);
      if (r < 0) {
        if (n > 0) {
          break; // the block ends before it; it is met again as a first instruction
        }
        if (r == Decoder.NEED_MORE) {
          return decodeCrossing(page, la, offset, width, count);
        }
        throw r == Decoder.TOO_LONG
            ? cpu.gp(0)
            : cpu.unknown(bytes, Math.min(count, Decoder.MAX_LENGTH));
      }
      buffer[n++] = i;
      at += r;
      if (i.row.endsBlock) {
        break;
      }
    }
    return keep(page, offset, width, new Block(Arrays.copyOf(buffer, n), at, null));
  }

  /** One instruction whose bytes go on in the next page. */
  private @Nullable Block decodeCrossing(CodePage page, long la, int offset, int width, int count) {
    fetchNextPage(la, count);
    Insn i = new Insn();
    int r = decoder.decode(bytes, 0, count + Decoder.MAX_LENGTH, cpu.codeBits, i);
    if (r == Decoder.TOO_LONG || r == Decoder.NEED_MORE) {
      throw cpu.gp(0);
    }
    if (r < 0) {
      throw cpu.unknown(bytes, Decoder.MAX_LENGTH);
    }
    return keep(
        page, offset, width, new Block(new Insn[] {i}, r, Arrays.copyOfRange(bytes, count, r)));
  }

  /** The block, kept or for one run only; null when the page was taken out of the cache. */
  private @Nullable Block keep(CodePage page, int offset, int width, Block b) {
    if (beingWritten) {
      return b;
    }
    return page.add(width, offset, b, bytes, writes) == CodePage.Added.PAGE_GONE ? null : b;
  }

  private boolean crossingUnchanged(Block b, long la) {
    int count = (int) (CpuMemory.PAGE_SIZE - (la & 0xFFF));
    fetchNextPage(la, count);
    byte[] there = b.crossingBytes;
    return there != null
        && Arrays.equals(bytes, count, count + there.length, there, 0, there.length);
  }

  /** Reads the first bytes of the next page behind {@code count} bytes of this one. */
  private void fetchNextPage(long la, int count) {
    long host = cpu.translate((la & CpuMemory.PAGE_MASK) + CpuMemory.PAGE_SIZE, CpuMemory.PF_FETCH);
    if (host == 0) {
      throw cpu.gp(0);
    }
    Cpu.copyCode(host, bytes, count, Decoder.MAX_LENGTH);
  }
}
