package org.pluribus.vmm.emulator;

import org.pluribus.posix.HostMemory;

/**
 * The page walk (SDM volume 3, chapter 4): 4-level, PAE and 32-bit paging, accessed and dirty bits,
 * NX, WP, SMEP and SMAP. Results are left in fields. One per CPU, vCPU thread only.
 */
final class PageWalker {
  private static final long P = 1;
  private static final long RW = 2;
  private static final long US = 4;
  private static final long A = 1 << 5;
  private static final long D = 1 << 6;
  private static final long PS = 1 << 7;
  private static final long G = 1 << 8;
  private static final long NX = 1L << 63;

  /** Physical addresses are 40 bits wide, as CPUID leaf 0x80000008 says. */
  static final int PHYSICAL_BITS = 40;

  private static final long ADDRESS = (1L << PHYSICAL_BITS) - 1 & CpuMemory.PAGE_MASK;
  private static final long RESERVED = (1L << 52) - 1 & -(1L << PHYSICAL_BITS);

  /**
   * Concurrent changes of one entry met in one walk before the walk gives up with the old value.
   */
  private static final int CAS_ATTEMPTS = 1000;

  private final CpuMemory cpu;

  /** Guest-physical address found. */
  long gpa;

  /** Whether the mapping may be written in this mode without another walk (its D bit is set). */
  boolean writable;

  boolean global;

  PageWalker(CpuMemory cpu) {
    this.cpu = cpu;
  }

  /**
   * Translates {@code la}.
   *
   * @param access 0, {@link CpuMemory#PF_WRITE} or {@link CpuMemory#PF_FETCH}
   * @throws GuestFault when the tables forbid it
   */
  void walk(long la, int access, boolean user) {
    global = false;
    if ((cpu.cr0 & CpuRegisters.CR0_PG) == 0) {
      gpa = la & 0xFFFFFFFFL;
      writable = true;
      return;
    }
    if (cpu.longModeActive()) {
      if (la << 16 >> 16 != la) {
        throw cpu.fault(
            cpu.accessSeg == CpuRegisters.SS && access != CpuMemory.PF_FETCH
                ? GuestFault.SS
                : GuestFault.GP,
            0);
      }
      walk64(la, access, user, cpu.cr3 & ADDRESS, 39);
    } else if ((cpu.cr4 & CpuRegisters.CR4_PAE) != 0) {
      walkPae(la, access, user);
    } else {
      walk32(la, access, user);
    }
  }

  private void walk64(long la, int access, boolean user, long root, int topShift) {
    walkLevels(la, access, user, root, topShift, RW | US);
  }

  /** Walks 8-byte entries from {@code shift} down; {@code rights} is what the levels above gave. */
  private void walkLevels(long la, int access, boolean user, long root, int top, long rights) {
    long table = root;
    long nx = 0;
    for (int shift = top; ; shift -= 9) {
      long entryGpa = table + ((la >>> shift & 511) << 3);
      long e = read64(entryGpa);
      if ((e & P) == 0) {
        throw cpu.pageFault(la, errorCode(access, user));
      }
      boolean leaf = shift == 12 || ((e & PS) != 0 && shift <= 30);
      checkReserved(la, e, shift, leaf, access, user);
      rights &= e;
      nx |= e & NX;
      if (!leaf) {
        if ((e & A) == 0) {
          setBits(entryGpa, e, A, 8);
        }
        table = e & ADDRESS;
        continue;
      }
      checkRights(la, rights, nx, access, user);
      finish(entryGpa, e, shift, la, access, rights, user, 8);
      return;
    }
  }

  private void walkPae(long la, int access, boolean user) {
    long l = la & 0xFFFFFFFFL;
    long pdpte = read64((cpu.cr3 & 0xFFFFFFE0L) + (l >>> 30 << 3));
    if ((pdpte & P) == 0) {
      throw cpu.pageFault(l, errorCode(access, user));
    }
    walkLevels(l, access, user, pdpte & ADDRESS, 21, RW | US);
  }

  private void walk32(long la, int access, boolean user) {
    long l = la & 0xFFFFFFFFL;
    long pdeGpa = (cpu.cr3 & 0xFFFFF000L) + (l >>> 22 << 2);
    long pde = read32(pdeGpa);
    if ((pde & P) == 0) {
      throw cpu.pageFault(l, errorCode(access, user));
    }
    if ((pde & PS) != 0 && (cpu.cr4 & CpuRegisters.CR4_PSE) != 0) {
      checkRights(l, pde, 0, access, user);
      finish(pdeGpa, pde, 22, l, access, pde, user, 4);
      gpa |= (pde >>> 13 & 0xFF) << 32; // PSE-36
      return;
    }
    if ((pde & A) == 0) {
      setBits(pdeGpa, pde, A, 4);
    }
    long pteGpa = (pde & 0xFFFFF000L) + ((l >>> 12 & 1023) << 2);
    long pte = read32(pteGpa);
    if ((pte & P) == 0) {
      throw cpu.pageFault(l, errorCode(access, user));
    }
    long rights = pde & pte;
    checkRights(l, rights, 0, access, user);
    finish(pteGpa, pte, 12, l, access, rights, user, 4);
  }

  private void finish(
      long entryGpa, long e, int shift, long la, int access, long rights, boolean user, int size) {
    boolean write = access == CpuMemory.PF_WRITE;
    long want = write ? A | D : A;
    if ((e & want) != want) {
      setBits(entryGpa, e, want, size);
      e |= want;
    }
    long offsetMask = (1L << shift) - 1;
    // Bit 12 of a large page's entry is PAT, not address: the mask by shift removes it.
    gpa = (e & ADDRESS & ~offsetMask) | (la & offsetMask);
    writable = (e & D) != 0 && mayWrite(rights, user);
    global = (e & G) != 0 && (cpu.cr4 & CpuRegisters.CR4_PGE) != 0;
  }

  private boolean mayWrite(long rights, boolean user) {
    return (rights & RW) != 0 || (!user && (cpu.cr0 & CpuRegisters.CR0_WP) == 0);
  }

  private void checkReserved(long la, long e, int shift, boolean leaf, int access, boolean user) {
    long reserved = RESERVED;
    if ((cpu.efer & CpuRegisters.EFER_NXE) == 0) {
      reserved |= NX;
    }
    if (leaf && shift > 12) {
      reserved |= (1L << shift) - 1 & ~0x1FFFL;
    } else if (shift == 39) {
      reserved |= PS;
    }
    if ((e & reserved) != 0) {
      throw cpu.pageFault(
          la, errorCode(access, user) | CpuMemory.PF_PRESENT | CpuMemory.PF_RESERVED);
    }
  }

  private void checkRights(long la, long rights, long nx, int access, boolean user) {
    boolean userPage = (rights & US) != 0;
    boolean ok = !user || userPage;
    if (access == CpuMemory.PF_FETCH) {
      ok &= nx == 0;
      ok &= user || !userPage || (cpu.cr4 & CpuRegisters.CR4_SMEP) == 0;
    } else {
      ok &= access != CpuMemory.PF_WRITE || mayWrite(rights, user);
      ok &= user || !userPage || !cpu.smapForbids();
    }
    if (!ok) {
      throw cpu.pageFault(la, errorCode(access, user) | CpuMemory.PF_PRESENT);
    }
  }

  private int errorCode(int access, boolean user) {
    int code = user ? CpuMemory.PF_USER : 0;
    if (access == CpuMemory.PF_FETCH) {
      // I/D is reported only with NX or SMEP on (SDM volume 3, section 4.7).
      boolean reports =
          (cpu.efer & CpuRegisters.EFER_NXE) != 0 || (cpu.cr4 & CpuRegisters.CR4_SMEP) != 0;
      return reports ? code | CpuMemory.PF_FETCH : code;
    }
    return code | access;
  }

  private long read64(long at) {
    long host = cpu.env.pageForRead((Cpu) cpu, at >>> 12);
    return host == 0 ? 0 : HostMemory.getLong(host + (at & 0xFFF));
  }

  private long read32(long at) {
    long host = cpu.env.pageForRead((Cpu) cpu, at >>> 12);
    return host == 0 ? 0 : HostMemory.getInt(host + (at & 0xFFF)) & 0xFFFFFFFFL;
  }

  /** Sets A or D atomically; entries may change under us on another CPU of this node. */
  private void setBits(long at, long seen, long bits, int size) {
    long host = cpu.env.pageForWrite((Cpu) cpu, at >>> 12);
    if (host == 0) {
      return;
    }
    long a = host + (at & 0xFFF);
    for (int k = 0; k < CAS_ATTEMPTS; k++) {
      long now = size == 8 ? HostMemory.getLong(a) : HostMemory.getInt(a) & 0xFFFFFFFFL;
      // A changed entry is somebody else's mapping by now: leave it, the old one is still usable
      // until the guest invalidates it.
      if (((now ^ seen) & ~(A | D)) != 0) {
        return;
      }
      boolean done =
          size == 8
              ? HostMemory.compareExchangeLong(a, now, now | bits) == now
              : HostMemory.compareExchangeInt(a, (int) now, (int) (now | bits)) == (int) now;
      if (done) {
        return;
      }
    }
  }
}
