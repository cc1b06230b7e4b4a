package org.pluribus.vmm.emulator;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.pluribus.posix.HostAtomics;
import org.pluribus.posix.HostMemory;

/** CMPXCHG8B and CMPXCHG16B. */
final class WideExchange {
  private static final int HALF = 8;

  /** Where {@link HostAtomics#compareExchange16} puts what it found: one per vCPU thread. */
  private static final ThreadLocal<MemorySegment> WITNESS =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(HostAtomics.WIDE_BYTES));

  private WideExchange() {}

  static void exec(Cpu c, Insn i) {
    if (i.opSize == 8) {
      exchange16(c, i);
    } else {
      exchange8(c, i);
    }
  }

  private static long pair(Cpu c, int high, int low) {
    return c.gpr[high] << 32 | (c.gpr[low] & 0xFFFFFFFFL);
  }

  private static void exchange8(Cpu c, Insn i) {
    long expected = pair(c, CpuRegisters.RDX, CpuRegisters.RAX);
    long value = pair(c, CpuRegisters.RCX, CpuRegisters.RBX);
    long la = c.address(i, 8, true);
    long old = MemoryUpdate.at(c, la, 8, i.lock, MemoryUpdate.SET_IF_EQUAL, value, expected);
    if (old != expected) {
      c.gpr[CpuRegisters.RAX] = old & 0xFFFFFFFFL;
      c.gpr[CpuRegisters.RDX] = old >>> 32;
    }
    setZero(c, old == expected);
  }

  private static void exchange16(Cpu c, Insn i) {
    long la = c.address(i, HostAtomics.WIDE_BYTES, true);
    if ((la & HostAtomics.WIDE_BYTES - 1) != 0) {
      throw c.gp(0);
    }
    long host = c.hostForWrite(la, HostAtomics.WIDE_BYTES);
    long low = c.gpr[CpuRegisters.RAX];
    long high = c.gpr[CpuRegisters.RDX];
    boolean equal;
    long foundLow;
    long foundHigh;
    if (host == 0) {
      c.checkWritable(la, HostAtomics.WIDE_BYTES);
      foundLow = c.load64(la);
      foundHigh = c.load64(la + HALF);
      equal = foundLow == low && foundHigh == high;
      c.store64(la, equal ? c.gpr[CpuRegisters.RBX] : foundLow);
      c.store64(la + HALF, equal ? c.gpr[CpuRegisters.RCX] : foundHigh);
    } else if (i.lock) {
      MemorySegment w = WITNESS.get();
      equal =
          HostAtomics.compareExchange16(
              host, low, high, c.gpr[CpuRegisters.RBX], c.gpr[CpuRegisters.RCX], w);
      foundLow = w.get(ValueLayout.JAVA_LONG, 0);
      foundHigh = w.get(ValueLayout.JAVA_LONG, HALF);
    } else {
      foundLow = HostMemory.getLong(host);
      foundHigh = HostMemory.getLong(host + HALF);
      equal = foundLow == low && foundHigh == high;
      if (equal) {
        HostMemory.putLongRelease(host, c.gpr[CpuRegisters.RBX]);
        HostMemory.putLongRelease(host + HALF, c.gpr[CpuRegisters.RCX]);
      }
    }
    if (!equal) {
      c.gpr[CpuRegisters.RAX] = foundLow;
      c.gpr[CpuRegisters.RDX] = foundHigh;
    }
    setZero(c, equal);
  }

  /** Changes ZF alone. */
  static void setZero(Cpu c, boolean zero) {
    int f = c.arithmeticFlags() & ~CpuRegisters.FLAG_ZF;
    c.setArithmeticFlags(zero ? f | CpuRegisters.FLAG_ZF : f);
  }
}
