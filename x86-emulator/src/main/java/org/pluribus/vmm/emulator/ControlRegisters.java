package org.pluribus.vmm.emulator;

/**
 * MOV to and from control and debug registers, and what goes with their bits: mode switches and TLB
 * flushes (SDM volume 3, sections 2.5, 9.8 and 18.2).
 */
final class ControlRegisters {
  private static final long CR0_BITS =
      CpuRegisters.CR0_PE
          | CpuRegisters.CR0_MP
          | CpuRegisters.CR0_EM
          | CpuRegisters.CR0_TS
          | CpuRegisters.CR0_ET
          | CpuRegisters.CR0_NE
          | CpuRegisters.CR0_WP
          | CpuRegisters.CR0_AM
          | CpuRegisters.CR0_NW
          | CpuRegisters.CR0_CD
          | CpuRegisters.CR0_PG;

  /** CR4 bits of features that CPUID advertises; all others are reserved. */
  private static final long CR4_BITS =
      CpuRegisters.CR4_TSD
          | CpuRegisters.CR4_DE
          | CpuRegisters.CR4_PSE
          | CpuRegisters.CR4_PAE
          | CpuRegisters.CR4_MCE
          | CpuRegisters.CR4_PGE
          | CpuRegisters.CR4_PCE
          | CpuRegisters.CR4_OSFXSR
          | CpuRegisters.CR4_OSXMMEXCPT
          | CpuRegisters.CR4_UMIP
          | CpuRegisters.CR4_FSGSBASE
          | CpuRegisters.CR4_OSXSAVE
          | CpuRegisters.CR4_SMEP
          | CpuRegisters.CR4_SMAP;

  /** CR4 bits that change what the page walk would find. */
  private static final long CR4_PAGING =
      CpuRegisters.CR4_PSE
          | CpuRegisters.CR4_PAE
          | CpuRegisters.CR4_PGE
          | CpuRegisters.CR4_SMEP
          | CpuRegisters.CR4_SMAP;

  /** Bits that LMSW writes: PE, MP, EM, TS. */
  private static final long MACHINE_STATUS_BITS = 15;

  private static final long DR6_WRITABLE = 0xE00F;
  private static final long DR6_ONES = 0xFFFF0FF0L;
  private static final long DR7_WRITABLE = 0xFFFF23FFL;
  private static final long DR7_ONES = 0x400;

  /** XCR0: x87 and SSE state. */
  static final long XCR0_X87 = 1;

  private static final long XCR0_SSE = 2;

  private ControlRegisters() {}

  // ---- control registers ----

  static void movFromControl(Cpu cpu, Insn i) {
    int n = i.reg[1];
    requireControl(cpu, n);
    Privileges.requireRing0(cpu);
    long v =
        switch (n) {
          case 0 -> cpu.cr0;
          case 2 -> cpu.cr2;
          case 3 -> cpu.cr3;
          case 4 -> cpu.cr4;
          default -> cpu.environment().readCr8(cpu);
        };
    cpu.writeGpr(i.reg[0], i.size[0], v);
  }

  static void movToControl(Cpu cpu, Insn i) {
    int n = i.reg[0];
    requireControl(cpu, n);
    Privileges.requireRing0(cpu);
    long v = cpu.readGpr(i.reg[1], i.size[1]);
    switch (n) {
      case 0 -> setCr0(cpu, v);
      case 2 -> cpu.cr2 = v;
      case 3 -> setCr3(cpu, v);
      case 4 -> setCr4(cpu, v);
      default -> setCr8(cpu, v);
    }
  }

  private static void requireControl(Cpu cpu, int n) {
    if (n != 0 && n != 2 && n != 3 && n != 4 && n != 8) {
      throw cpu.ud();
    }
  }

  static void setCr0(Cpu cpu, long value) {
    boolean pe = (value & CpuRegisters.CR0_PE) != 0;
    boolean pg = (value & CpuRegisters.CR0_PG) != 0;
    boolean nwOnly = (value & (CpuRegisters.CR0_NW | CpuRegisters.CR0_CD)) == CpuRegisters.CR0_NW;
    if (value >>> 32 != 0 || (pg && !pe) || nwOnly) {
      throw cpu.gp(0);
    }
    long v = value & CR0_BITS | CpuRegisters.CR0_ET;
    long changed = v ^ cpu.cr0;
    if ((changed & CpuRegisters.CR0_PG) != 0) {
      switchPaging(cpu, pg);
    }
    cpu.cr0 = v;
    if ((changed & (CpuRegisters.CR0_PG | CpuRegisters.CR0_PE | CpuRegisters.CR0_WP)) != 0) {
      cpu.flushTlb();
      Segments.refresh(cpu);
    }
  }

  /** EFER.LMA follows CR0.PG when LME is set (SDM volume 3, section 9.8.5). */
  private static void switchPaging(Cpu cpu, boolean on) {
    boolean longCode = (cpu.segAccess[CpuRegisters.CS] & Segments.LONG) != 0;
    if (!on) {
      if (cpu.longModeActive() && longCode) {
        throw cpu.gp(0);
      }
      cpu.efer &= ~CpuRegisters.EFER_LMA;
    } else if ((cpu.efer & CpuRegisters.EFER_LME) != 0) {
      if ((cpu.cr4 & CpuRegisters.CR4_PAE) == 0 || longCode) {
        throw cpu.gp(0);
      }
      cpu.efer |= CpuRegisters.EFER_LMA;
    }
  }

  static void setCr3(Cpu cpu, long value) {
    if (cpu.longModeActive() && value >>> PageWalker.PHYSICAL_BITS != 0) {
      throw cpu.gp(0);
    }
    cpu.cr3 = value;
    cpu.flushTlbNonGlobal();
  }

  static void setCr4(Cpu cpu, long value) {
    boolean losesPae = cpu.longModeActive() && (value & CpuRegisters.CR4_PAE) == 0;
    if ((value & ~CR4_BITS) != 0 || losesPae) {
      throw cpu.gp(0);
    }
    long changed = value ^ cpu.cr4;
    cpu.cr4 = value;
    if ((changed & CR4_PAGING) != 0) {
      cpu.flushTlb();
      cpu.accessModeChanged();
    }
  }

  private static void setCr8(Cpu cpu, long value) {
    if (value >>> 4 != 0) {
      throw cpu.gp(0);
    }
    cpu.environment().writeCr8(cpu, (int) value);
    cpu.interruptsMayBeEnabled();
  }

  static void clts(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    cpu.cr0 &= ~CpuRegisters.CR0_TS;
  }

  static void smsw(Cpu cpu, Insn i) {
    SegmentInstructions.checkUserMayLook(cpu);
    if (i.isMem(0)) {
      cpu.store16(cpu.address(i, 2, true), cpu.cr0);
    } else {
      cpu.writeGpr(i.reg[0], i.opSize, cpu.cr0);
    }
  }

  /** LMSW can set PE but not clear it. */
  static void lmsw(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    long bits = cpu.read(i, 0) & MACHINE_STATUS_BITS | cpu.cr0 & CpuRegisters.CR0_PE;
    setCr0(cpu, cpu.cr0 & ~MACHINE_STATUS_BITS | bits);
  }

  // ---- debug registers ----

  static void movFromDebug(Cpu cpu, Insn i) {
    int n = debugRegister(cpu, i.reg[1]);
    cpu.writeGpr(i.reg[0], i.size[0], cpu.dr[n]);
  }

  static void movToDebug(Cpu cpu, Insn i) {
    int n = debugRegister(cpu, i.reg[0]);
    long v = cpu.readGpr(i.reg[1], i.size[1]);
    if (n >= 6 && v >>> 32 != 0) {
      throw cpu.gp(0);
    }
    switch (n) {
      case 6 -> cpu.dr[6] = v & DR6_WRITABLE | DR6_ONES;
      case 7 -> cpu.dr[7] = v & DR7_WRITABLE | DR7_ONES;
      default -> cpu.dr[n] = v;
    }
    if (n != 6) {
      Debug.armed(cpu);
    }
  }

  /** Checks the access; DR4 and DR5 are DR6 and DR7 unless CR4.DE is set. */
  private static int debugRegister(Cpu cpu, int n) {
    boolean alias = n == 4 || n == 5;
    if (n > 7 || (alias && (cpu.cr4 & CpuRegisters.CR4_DE) != 0)) {
      throw cpu.ud();
    }
    Privileges.requireRing0(cpu);
    if ((cpu.dr[7] & Debug.DR7_GD) != 0) {
      cpu.dr[6] |= Debug.DR6_BD;
      throw cpu.fault(GuestFault.DB);
    }
    return alias ? n + 2 : n;
  }

  // ---- extended control register ----

  static void xgetbv(Cpu cpu, Insn i) {
    requireXsave(cpu);
    if ((int) cpu.gpr[CpuRegisters.RCX] != 0) {
      throw cpu.gp(0);
    }
    cpu.gpr[CpuRegisters.RAX] = cpu.xcr0 & 0xFFFFFFFFL;
    cpu.gpr[CpuRegisters.RDX] = cpu.xcr0 >>> 32;
  }

  static void xsetbv(Cpu cpu, Insn i) {
    requireXsave(cpu);
    Privileges.requireRing0(cpu);
    long v = cpu.gpr[CpuRegisters.RDX] << 32 | cpu.gpr[CpuRegisters.RAX] & 0xFFFFFFFFL;
    boolean ok = (v & XCR0_X87) != 0 && (v & ~(XCR0_X87 | XCR0_SSE)) == 0;
    if ((int) cpu.gpr[CpuRegisters.RCX] != 0 || !ok) {
      throw cpu.gp(0);
    }
    cpu.xcr0 = v;
  }

  private static void requireXsave(Cpu cpu) {
    if ((cpu.cr4 & CpuRegisters.CR4_OSXSAVE) == 0) {
      throw cpu.ud();
    }
  }

  // ---- SMAP ----

  static void clac(Cpu cpu, Insn i) {
    setAlignmentCheck(cpu, 0);
  }

  static void stac(Cpu cpu, Insn i) {
    setAlignmentCheck(cpu, CpuRegisters.FLAG_AC);
  }

  private static void setAlignmentCheck(Cpu cpu, int bit) {
    if (cpu.cpl != 0) {
      throw cpu.ud();
    }
    cpu.flagsSystem = cpu.flagsSystem & ~CpuRegisters.FLAG_AC | bit;
    cpu.accessModeChanged();
  }
}
