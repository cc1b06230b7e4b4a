package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.CpuRegisters.RAX;
import static org.pluribus.vmm.emulator.CpuRegisters.RBX;
import static org.pluribus.vmm.emulator.CpuRegisters.RCX;
import static org.pluribus.vmm.emulator.CpuRegisters.RDX;

/** Interrupt flag, HLT, software interrupts, caches and TLB, CPUID and time. */
final class ProcessorControl {
  private ProcessorControl() {}

  // ---- interrupts ----

  static void cli(Cpu cpu, Insn i) {
    Privileges.requireIopl(cpu);
    cpu.flagsSystem &= ~CpuRegisters.FLAG_IF;
  }

  /** Interrupts come only after the next instruction, so that STI; HLT misses none. */
  static void sti(Cpu cpu, Insn i) {
    Privileges.requireIopl(cpu);
    if ((cpu.flagsSystem & CpuRegisters.FLAG_IF) == 0) {
      cpu.flagsSystem |= CpuRegisters.FLAG_IF;
      cpu.interruptShadow = true;
      cpu.interruptsMayBeEnabled();
    }
  }

  static void hlt(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    cpu.halted = true;
    cpu.countWait();
  }

  static void interrupt(Cpu cpu, Insn i) {
    Exceptions.softwareInterrupt(cpu, (int) i.imm & 0xFF, false);
  }

  static void breakpoint(Cpu cpu, Insn i) {
    Exceptions.softwareInterrupt(cpu, GuestFault.BP, false);
  }

  static void into(Cpu cpu, Insn i) {
    if (cpu.of()) {
      Exceptions.softwareInterrupt(cpu, GuestFault.OF, false);
    }
  }

  static void int1(Cpu cpu, Insn i) {
    Exceptions.softwareInterrupt(cpu, GuestFault.DB, true);
  }

  // ---- caches and TLB ----

  /** INVD and WBINVD: guest caches are not modelled. */
  static void flushCaches(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
  }

  static void invlpg(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    long offset = cpu.effectiveAddress(i);
    if (cpu.code64()) {
      cpu.flushTlbPage(cpu.effectiveBase[i.seg] + offset);
    } else {
      cpu.flushTlbPage(cpu.segBase[i.seg] + offset & 0xFFFFFFFFL);
    }
  }

  // ---- identification and time ----

  static void cpuid(Cpu cpu, Insn i) {
    int leaf = (int) cpu.gpr[RAX];
    int subleaf = (int) cpu.gpr[RCX];
    CpuidTable t = cpu.cpuid;
    int ecx = t.ecx(leaf, subleaf);
    if (leaf == 1 && (cpu.cr4 & CpuRegisters.CR4_OSXSAVE) != 0) {
      ecx |= CpuidTable.LEAF1_ECX_OSXSAVE;
    }
    cpu.gpr[RAX] = t.eax(leaf, subleaf) & 0xFFFFFFFFL;
    cpu.gpr[RBX] = t.ebx(leaf, subleaf) & 0xFFFFFFFFL;
    cpu.gpr[RCX] = ecx & 0xFFFFFFFFL;
    cpu.gpr[RDX] = t.edx(leaf, subleaf) & 0xFFFFFFFFL;
  }

  static void rdtsc(Cpu cpu, Insn i) {
    if ((cpu.cr4 & CpuRegisters.CR4_TSD) != 0 && cpu.cpl != 0) {
      throw cpu.gp(0);
    }
    long t = guestTsc(cpu);
    cpu.gpr[RAX] = t & 0xFFFFFFFFL;
    cpu.gpr[RDX] = t >>> 32;
  }

  static void rdtscp(Cpu cpu, Insn i) {
    rdtsc(cpu, i);
    cpu.gpr[RCX] = cpu.tscAux & 0xFFFFFFFFL;
  }

  static long guestTsc(Cpu cpu) {
    return cpu.environment().tsc(cpu) + cpu.tscOffset;
  }

  /** There are no performance counters (CPUID leaf 0xA is empty): every index is invalid. */
  static void rdpmc(Cpu cpu, Insn i) {
    throw cpu.gp(0);
  }
}
