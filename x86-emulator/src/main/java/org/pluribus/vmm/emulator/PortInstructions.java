package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.CpuRegisters.RAX;
import static org.pluribus.vmm.emulator.CpuRegisters.RCX;
import static org.pluribus.vmm.emulator.CpuRegisters.RDI;
import static org.pluribus.vmm.emulator.CpuRegisters.RDX;
import static org.pluribus.vmm.emulator.CpuRegisters.RSI;

/** IN, OUT, INS and OUTS. */
final class PortInstructions {
  private PortInstructions() {}

  private static int wide(Insn i) {
    return Math.min(i.opSize, 4);
  }

  static void inByteImmediate(Cpu cpu, Insn i) {
    in(cpu, (int) i.imm & 0xFF, 1);
  }

  static void inImmediate(Cpu cpu, Insn i) {
    in(cpu, (int) i.imm & 0xFF, wide(i));
  }

  static void inByte(Cpu cpu, Insn i) {
    in(cpu, (int) cpu.gpr[RDX] & 0xFFFF, 1);
  }

  static void inWide(Cpu cpu, Insn i) {
    in(cpu, (int) cpu.gpr[RDX] & 0xFFFF, wide(i));
  }

  static void outByteImmediate(Cpu cpu, Insn i) {
    out(cpu, (int) i.imm & 0xFF, 1);
  }

  static void outImmediate(Cpu cpu, Insn i) {
    out(cpu, (int) i.imm & 0xFF, wide(i));
  }

  static void outByte(Cpu cpu, Insn i) {
    out(cpu, (int) cpu.gpr[RDX] & 0xFFFF, 1);
  }

  static void outWide(Cpu cpu, Insn i) {
    out(cpu, (int) cpu.gpr[RDX] & 0xFFFF, wide(i));
  }

  private static void in(Cpu cpu, int port, int size) {
    TaskState.checkPort(cpu, port, size);
    Debug.portAccess(cpu, port, size);
    cpu.writeGpr(RAX, size, cpu.environment().portRead(cpu, port, size));
  }

  private static void out(Cpu cpu, int port, int size) {
    TaskState.checkPort(cpu, port, size);
    Debug.portAccess(cpu, port, size);
    cpu.environment().portWrite(cpu, port, size, cpu.readGpr(RAX, size));
  }

  // ---- strings ----

  static void insByte(Cpu cpu, Insn i) {
    repeat(cpu, i, 1, true);
  }

  static void insWide(Cpu cpu, Insn i) {
    repeat(cpu, i, wide(i), true);
  }

  static void outsByte(Cpu cpu, Insn i) {
    repeat(cpu, i, 1, false);
  }

  static void outsWide(Cpu cpu, Insn i) {
    repeat(cpu, i, wide(i), false);
  }

  /**
   * One transfer, or RCX of them; stops early, to be begun again, when another thread wants the
   * CPU's attention.
   */
  private static void repeat(Cpu cpu, Insn i, int size, boolean in) {
    if (i.rep == 0) {
      transfer(cpu, i, size, in);
      return;
    }
    // The port is checked even when there is nothing to transfer, as CPUs do.
    TaskState.checkPort(cpu, (int) cpu.gpr[RDX] & 0xFFFF, size);
    while (cpu.readGpr(RCX, i.addrSize) != 0) {
      transfer(cpu, i, size, in);
      cpu.writeGpr(RCX, i.addrSize, cpu.readGpr(RCX, i.addrSize) - 1);
      if (cpu.attention != 0 && cpu.readGpr(RCX, i.addrSize) != 0) {
        cpu.nextRip = cpu.rip;
        return;
      }
    }
  }

  private static void transfer(Cpu cpu, Insn i, int size, boolean in) {
    int port = (int) cpu.gpr[RDX] & 0xFFFF;
    TaskState.checkPort(cpu, port, size);
    int pointer = in ? RDI : RSI;
    int seg = in ? CpuRegisters.ES : i.segOverride >= 0 ? i.segOverride : CpuRegisters.DS;
    long la = cpu.linear(seg, cpu.readGpr(pointer, i.addrSize), size, in);
    if (in) {
      cpu.checkWritable(la, size); // a read takes the value from the device: nothing may fault then
      Debug.portAccess(cpu, port, size);
      cpu.store(la, size, cpu.environment().portRead(cpu, port, size));
    } else {
      long v = cpu.load(la, size);
      Debug.portAccess(cpu, port, size);
      cpu.environment().portWrite(cpu, port, size, v);
    }
    boolean down = (cpu.flagsSystem & CpuRegisters.FLAG_DF) != 0;
    long next = cpu.gpr[pointer] + (down ? -size : size);
    cpu.writeGpr(pointer, i.addrSize, next);
  }
}
