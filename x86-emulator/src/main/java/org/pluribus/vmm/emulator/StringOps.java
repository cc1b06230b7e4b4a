package org.pluribus.vmm.emulator;

import java.lang.invoke.VarHandle;
import org.pluribus.posix.HostMemory;

/**
 * MOVS, STOS, LODS, CMPS and SCAS with their repeat prefixes.
 *
 * <p>Upward moves and fills inside pages that the TLB maps go in bulk; all else element by element.
 * Registers are brought up to date after each element or bulk, so that a fault in the middle keeps
 * what is finished and the instruction goes on from there. A repetition looks at {@link
 * Cpu#attention} before each further element or bulk, and gives way by ending with RIP on itself.
 */
final class StringOps {
  /**
   * Elements or bulks after which an instruction gives way in any case, so that the time between
   * two block boundaries stays bounded.
   */
  private static final int MAX_UNITS = 1024;

  private StringOps() {}

  // ---- addresses ----

  private static int sourceSegment(Insn i) {
    return i.segOverride >= 0 ? i.segOverride : CpuRegisters.DS;
  }

  private static long source(Cpu c, Insn i, int size) {
    long offset = c.readGpr(CpuRegisters.RSI, i.addrSize);
    return c.linear(sourceSegment(i), offset, size, false);
  }

  /** ES cannot be overridden. */
  private static long destination(Cpu c, Insn i, int size, boolean write) {
    return c.linear(CpuRegisters.ES, c.readGpr(CpuRegisters.RDI, i.addrSize), size, write);
  }

  private static void advance(Cpu c, Insn i, int reg, long bytes) {
    c.writeGpr(reg, i.addrSize, c.gpr[reg] + bytes);
  }

  private static int step(Cpu c, int size) {
    return (c.flagsSystem & CpuRegisters.FLAG_DF) != 0 ? -size : size;
  }

  private static long count(Cpu c, Insn i) {
    return c.readGpr(CpuRegisters.RCX, i.addrSize);
  }

  private static void countDown(Cpu c, Insn i, long elements) {
    c.writeGpr(CpuRegisters.RCX, i.addrSize, c.gpr[CpuRegisters.RCX] - elements);
  }

  // ---- one element ----

  static void movs(Cpu c, Insn i) {
    int size = i.size[0];
    long v = c.load(source(c, i, size), size);
    c.store(destination(c, i, size, true), size, v);
    int step = step(c, size);
    advance(c, i, CpuRegisters.RSI, step);
    advance(c, i, CpuRegisters.RDI, step);
  }

  static void stos(Cpu c, Insn i) {
    int size = i.size[0];
    c.store(destination(c, i, size, true), size, c.gpr[CpuRegisters.RAX]);
    advance(c, i, CpuRegisters.RDI, step(c, size));
  }

  static void lods(Cpu c, Insn i) {
    int size = i.size[0];
    c.writeGpr(CpuRegisters.RAX, size, c.load(source(c, i, size), size));
    advance(c, i, CpuRegisters.RSI, step(c, size));
  }

  static void cmps(Cpu c, Insn i) {
    int size = i.size[0];
    long a = c.load(source(c, i, size), size);
    long b = c.load(destination(c, i, size, false), size);
    int step = step(c, size);
    advance(c, i, CpuRegisters.RSI, step);
    advance(c, i, CpuRegisters.RDI, step);
    c.setSubFlags(a, b, a - b, size);
  }

  static void scas(Cpu c, Insn i) {
    int size = i.size[0];
    long a = c.readGpr(CpuRegisters.RAX, size);
    long b = c.load(destination(c, i, size, false), size);
    advance(c, i, CpuRegisters.RDI, step(c, size));
    c.setSubFlags(a, b, a - b, size);
  }

  // ---- repeats ----

  static void repMovs(Cpu c, Insn i) {
    for (int units = 0; ; units++) {
      long n = count(c, i);
      if (n == 0) {
        return;
      }
      if (units > 0 && givesWay(c, units)) {
        return;
      }
      long done = bulkMove(c, i, n);
      if (done == 0) {
        movs(c, i);
        done = 1;
      }
      countDown(c, i, done);
    }
  }

  static void repStos(Cpu c, Insn i) {
    for (int units = 0; ; units++) {
      long n = count(c, i);
      if (n == 0) {
        return;
      }
      if (units > 0 && givesWay(c, units)) {
        return;
      }
      long done = bulkFill(c, i, n);
      if (done == 0) {
        stos(c, i);
        done = 1;
      }
      countDown(c, i, done);
    }
  }

  static void repLods(Cpu c, Insn i) {
    for (int units = 0; count(c, i) != 0; units++) {
      if (units > 0 && givesWay(c, units)) {
        return;
      }
      lods(c, i);
      countDown(c, i, 1);
    }
  }

  static void repCmps(Cpu c, Insn i) {
    boolean whileEqual = i.rep == 0xF3;
    for (int units = 0; count(c, i) != 0; units++) {
      if (units > 0 && givesWay(c, units)) {
        return;
      }
      cmps(c, i);
      countDown(c, i, 1);
      if (c.zf() != whileEqual) {
        return;
      }
    }
  }

  static void repScas(Cpu c, Insn i) {
    boolean whileEqual = i.rep == 0xF3;
    for (int units = 0; count(c, i) != 0; units++) {
      if (units > 0 && givesWay(c, units)) {
        return;
      }
      scas(c, i);
      countDown(c, i, 1);
      if (c.zf() != whileEqual) {
        return;
      }
    }
  }

  /** Whether to stop here and let the CPU's loop come back to this instruction. */
  private static boolean givesWay(Cpu c, int units) {
    boolean now =
        c.attention != 0
            || units >= MAX_UNITS
            || c.breakBlock
            || (c.flagsSystem & CpuRegisters.FLAG_TF) != 0;
    if (now) {
      c.nextRip = c.rip;
    }
    return now;
  }

  // ---- bulks ----

  /**
   * Whether consecutive offsets of a segment are consecutive linear addresses without checks:
   * 64-bit addresses, or a flat 4 GiB segment.
   */
  private static boolean flat(Cpu c, Insn i, int seg) {
    if (c.codeBits == 64) {
      return i.addrSize == 8 || (i.addrSize == 4 && c.effectiveBase[seg] == 0);
    }
    return i.addrSize == 4 && c.segBase[seg] == 0 && c.segLimit[seg] == -1;
  }

  private static long leftInPage(long la) {
    return CpuMemory.PAGE_SIZE - (la & CpuMemory.PAGE_SIZE - 1);
  }

  private static boolean mapped(long[] tags, long la) {
    return tags[(int) (la >>> 12) & Tlb.MASK] == (la & CpuMemory.PAGE_MASK);
  }

  private static long host(Cpu c, long la) {
    return la + c.hostDelta[(int) (la >>> 12) & Tlb.MASK];
  }

  /** Moves up to a page's rest if the TLB maps both; elements done, 0 when it cannot. */
  private static long bulkMove(Cpu c, Insn i, long n) {
    if (!bulkPossible(c) || !flat(c, i, CpuRegisters.ES) || !flat(c, i, sourceSegment(i))) {
      return 0;
    }
    int size = i.size[0];
    long from = source(c, i, size);
    long to = destination(c, i, size, true);
    if (!mapped(c.readTag, from) || !mapped(c.writeTag, to)) {
      return 0;
    }
    long room = Math.min(leftInPage(from), leftInPage(to)) / size;
    long elements = Long.compareUnsigned(n, room) < 0 ? n : room;
    if (elements == 0) {
      return 0;
    }
    long bytes = elements * size;
    copyUp(host(c, from), host(c, to), bytes, size);
    advance(c, i, CpuRegisters.RSI, bytes);
    advance(c, i, CpuRegisters.RDI, bytes);
    return elements;
  }

  /** Upwards element by element as the guest sees it: an overlap repeats its pattern. */
  private static void copyUp(long from, long to, long bytes, int size) {
    VarHandle.acquireFence();
    VarHandle.releaseFence();
    if (Long.compareUnsigned(to - from, bytes) >= 0) {
      HostMemory.copy(from, to, bytes);
    } else {
      for (long k = 0; k < bytes; k += size) {
        RawAccess.put(to + k, size, RawAccess.get(from + k, size));
      }
    }
    VarHandle.acquireFence();
  }

  private static long bulkFill(Cpu c, Insn i, long n) {
    if (!bulkPossible(c) || !flat(c, i, CpuRegisters.ES)) {
      return 0;
    }
    int size = i.size[0];
    long to = destination(c, i, size, true);
    if (!mapped(c.writeTag, to)) {
      return 0;
    }
    long room = leftInPage(to) / size;
    long elements = Long.compareUnsigned(n, room) < 0 ? n : room;
    if (elements == 0) {
      return 0;
    }
    fill(host(c, to), elements * size, size, c.gpr[CpuRegisters.RAX]);
    advance(c, i, CpuRegisters.RDI, elements * size);
    return elements;
  }

  private static void fill(long to, long bytes, int size, long value) {
    VarHandle.releaseFence();
    long pattern =
        switch (size) {
          case 1 -> (value & 0xFF) * 0x0101010101010101L;
          case 2 -> (value & 0xFFFF) * 0x0001000100010001L;
          case 4 -> (value & 0xFFFFFFFFL) * 0x0000000100000001L;
          default -> value;
        };
    long whole = bytes & ~7L;
    for (long k = 0; k < whole; k += 8) {
      HostMemory.putLong(to + k, pattern);
    }
    for (long k = whole; k < bytes; k += size) {
      RawAccess.put(to + k, size, value);
    }
  }

  private static boolean bulkPossible(Cpu c) {
    return (c.flagsSystem & (CpuRegisters.FLAG_DF | CpuRegisters.FLAG_TF)) == 0;
  }
}
