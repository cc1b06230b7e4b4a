package org.pluribus.vmm.emulator;

import java.lang.invoke.VarHandle;
import org.pluribus.posix.HostMemory;

/**
 * Linear accesses of compiled code. They differ from {@link CpuMemory}'s in that the segment comes
 * along, as a constant, and is noted only when the slow path may have to raise #SS or #GP by it.
 */
abstract class RegionMemory extends CpuMemory {
  protected RegionMemory(CpuEnvironment env, CodeCache codeCache) {
    super(env, codeCache);
  }

  final long load8(long la, int seg) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (readTag[i] != (la & PAGE_MASK)) {
      accessSeg = seg;
      return loadSlow(la, 1);
    }
    long v = HostMemory.getByte(la + hostDelta[i]) & 0xFF;
    VarHandle.acquireFence();
    return v;
  }

  final long load16(long la, int seg) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (readTag[i] != (la + 1 & PAGE_MASK)) {
      accessSeg = seg;
      return loadSlow(la, 2);
    }
    long v = HostMemory.getShort(la + hostDelta[i]) & 0xFFFF;
    VarHandle.acquireFence();
    return v;
  }

  final long load32(long la, int seg) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (readTag[i] != (la + 3 & PAGE_MASK)) {
      accessSeg = seg;
      return loadSlow(la, 4);
    }
    long v = HostMemory.getInt(la + hostDelta[i]) & 0xFFFFFFFFL;
    VarHandle.acquireFence();
    return v;
  }

  final long load64(long la, int seg) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (readTag[i] != (la + 7 & PAGE_MASK)) {
      accessSeg = seg;
      return loadSlow(la, 8);
    }
    long v = HostMemory.getLong(la + hostDelta[i]);
    VarHandle.acquireFence();
    return v;
  }

  final void store8(long la, long v, int seg) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] != (la & PAGE_MASK)) {
      accessSeg = seg;
      storeSlow(la, 1, v);
      return;
    }
    VarHandle.releaseFence();
    HostMemory.putByte(la + hostDelta[i], (byte) v);
  }

  final void store16(long la, long v, int seg) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] != (la + 1 & PAGE_MASK)) {
      accessSeg = seg;
      storeSlow(la, 2, v);
      return;
    }
    VarHandle.releaseFence();
    HostMemory.putShort(la + hostDelta[i], (short) v);
  }

  final void store32(long la, long v, int seg) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] != (la + 3 & PAGE_MASK)) {
      accessSeg = seg;
      storeSlow(la, 4, v);
      return;
    }
    VarHandle.releaseFence();
    HostMemory.putInt(la + hostDelta[i], (int) v);
  }

  final void store64(long la, long v, int seg) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] != (la + 7 & PAGE_MASK)) {
      accessSeg = seg;
      storeSlow(la, 8, v);
      return;
    }
    VarHandle.releaseFence();
    HostMemory.putLong(la + hostDelta[i], v);
  }
}
