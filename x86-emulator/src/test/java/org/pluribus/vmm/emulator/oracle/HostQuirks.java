package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Set;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.GuestFault;
import org.pluribus.vmm.emulator.Insn;

/**
 * Where a right CPU may differ from the host's, and where Linux hides what the CPU said. See {@link
 * VendorQuirks}, too.
 */
final class HostQuirks {
  /** Error code bit: the page was present. */
  private static final int PRESENT = 1;

  /** Instructions that touch many bytes in an order of the model's choice. */
  private static final Set<String> MANY_BYTES =
      Set.of(
          "FLDENV", "FNSTENV", "FRSTOR", "FNSAVE", "FXSAVE", "FXRSTOR", "MASKMOVQ", "MASKMOVDQU");

  private static final int LONGEST_OPERAND = 512;

  /** Selectors, stack and target are looked at in an order of the model's choice. */
  private static final Set<String> MANY_CHECKS =
      Set.of("RETF", "IRET", "CALL", "CALLF", "FXSAVE", "FXRSTOR");

  /** C1 after these is 0 for Intel; AMD leaves it at an unmasked error. */
  private static final Set<String> INTEGER_FLAG_COMPARES =
      Set.of("FCOMI", "FCOMIP", "FUCOMI", "FUCOMIP");

  private static final int C1 = 0x200;

  /** PE in the x87 status word. */
  private static final int PRECISION = 0x20;

  /** Approximations: relative error at most 1.5 * 2^-12 (SDM volume 2, RCPPS, RSQRTPS). */
  private static final Set<String> APPROXIMATIONS = Set.of("RCPPS", "RCPSS", "RSQRTPS", "RSQRTSS");

  /** Twice the bound: both sides may be off. */
  private static final double APPROXIMATION_ERROR = 3.0 / 4096;

  /** Instructions after which AMD is in MMX state even if they fault. */
  private static final Set<String> FAULTING_INTO_MMX =
      Set.of("MASKMOVQ", "CVTPS2PI", "CVTTPS2PI", "CVTPD2PI", "CVTTPD2PI");

  /** Their last bit depends on the model, and with it whether they rounded up. */
  private static final Set<String> TRANSCENDENTAL =
      Set.of("F2XM1", "FYL2X", "FYL2XP1", "FPTAN", "FPATAN", "FSIN", "FCOS", "FSINCOS");

  /** In units of the last place; processors promise one (SDM volume 1, section 8.3.10). */
  private static final long TRANSCENDENTAL_ERROR = 2;

  /** C0, C1, C2 and C3 in the x87 status word. */
  private static final int CONDITIONS = 0x4700;

  private HostQuirks() {}

  /** Whether two faults are as alike as the model must make them. */
  static boolean sameFault(Insn insn, MachineImage expected, MachineImage actual) {
    boolean many = MANY_CHECKS.contains(insn.row.mnemonic) || VendorQuirks.eitherOperandFirst(insn);
    if (many && expected.vector() != MachineImage.NO_FAULT) {
      return actual.vector() != MachineImage.NO_FAULT;
    }
    // MASKMOVDQU may look at bytes it does not store (SDM volume 2, MASKMOVDQU).
    if (insn.row.mnemonic.startsWith("MASKMOV") && actual.vector() == MachineImage.NO_FAULT) {
      return expected.vector() == MachineImage.NO_FAULT || expected.vector() == GuestFault.PF;
    }
    return expected.vector() == actual.vector() && sameDetails(insn, expected, actual);
  }

  /** Whether error code and CR2 of two faults of the same vector agree. */
  private static boolean sameDetails(Insn insn, MachineImage expected, MachineImage actual) {
    if (expected.vector() != GuestFault.PF) {
      return expected.errorCode() == actual.errorCode();
    }
    // Linux sets the bit for kernel addresses, whatever is mapped there (set_signal_archinfo()).
    int ignored = expected.cr2() < 0 ? PRESENT : 0;
    if ((expected.errorCode() & ~ignored) != (actual.errorCode() & ~ignored)) {
      return false;
    }
    return MANY_BYTES.contains(insn.row.mnemonic) || expected.cr2() == actual.cr2();
  }

  /** Registers that models leave differently. */
  static void ignoreModelSpecificRegisters(Insn insn, MachineImage expected, MachineImage actual) {
    // CMPXCHG that fails: Intel writes the destination back (and so clears the upper half of a
    // 32-bit register), AMD does not touch it (SDM and APM, CMPXCHG, "Operation").
    boolean failed = (expected.rflags() & CpuRegisters.FLAG_ZF) == 0;
    if (insn.row.mnemonic.equals("CMPXCHG")
        && insn.kind[0] == Insn.REG
        && insn.size[0] == 4
        && failed) {
      int register = insn.reg[0];
      expected.gpr(register, expected.gpr(register) & 0xFFFFFFFFL);
      actual.gpr(register, actual.gpr(register) & 0xFFFFFFFFL);
    }
    if (FAULTING_INTO_MMX.contains(insn.row.mnemonic)
        && expected.vector() != MachineImage.NO_FAULT) {
      expected.fxsave().copyFrom(actual.fxsave());
    }
    // FFREE leaves C0 to C3 undefined (SDM volume 2, FFREE).
    if (insn.row.mnemonic.equals("FFREE")) {
      expected.fxWord(
          MachineImage.FSW,
          expected.fxWord(MachineImage.FSW) & ~CONDITIONS
              | actual.fxWord(MachineImage.FSW) & CONDITIONS);
    }
    if (TRANSCENDENTAL.contains(insn.row.mnemonic)) {
      // AMD calls every outcome inexact, even 2^1 - 1.
      if (expected.vector() == MachineImage.NO_FAULT) {
        expected.fxWord(MachineImage.FSW, expected.fxWord(MachineImage.FSW) | PRECISION);
        actual.fxWord(MachineImage.FSW, actual.fxWord(MachineImage.FSW) | PRECISION);
      }
      lastPlaces(MachineImage.ST0, expected, actual);
      lastPlaces(MachineImage.ST0 + 16, expected, actual);
    }
    if (INTEGER_FLAG_COMPARES.contains(insn.row.mnemonic)) {
      expected.fxWord(MachineImage.FSW, expected.fxWord(MachineImage.FSW) & ~C1);
      actual.fxWord(MachineImage.FSW, actual.fxWord(MachineImage.FSW) & ~C1);
    }
    if (APPROXIMATIONS.contains(insn.row.mnemonic)) {
      approximations(insn.reg[0], expected, actual);
    }
    // The trap is held off for one instruction after a load of SS: a NOP (SDM 3, section 6.8.3).
    if (loadsSs(insn) && expected.vector() == MachineImage.NO_FAULT) {
      expected.rip(expected.rip() - 1);
    }
  }

  private static boolean loadsSs(Insn insn) {
    boolean first = insn.kind[0] == Insn.SREG && insn.reg[0] == CpuRegisters.SS;
    return first && !insn.row.mnemonic.equals("PUSH") || insn.row.mnemonic.equals("LSS");
  }

  /** Lets the last places of one x87 register and C1 be what they are. */
  private static void lastPlaces(int register, MachineImage expected, MachineImage actual) {
    long theirs = expected.fxsave().get(JAVA_LONG_UNALIGNED, register);
    long ours = actual.fxsave().get(JAVA_LONG_UNALIGNED, register);
    int theirExponent = expected.fxWord(register + 8);
    int ourExponent = actual.fxWord(register + 8);
    // Across a power of two 2^64 - 1 stands next to 2^63 with the next exponent.
    boolean close =
        theirExponent == ourExponent
            ? Math.abs(theirs - ours) <= TRANSCENDENTAL_ERROR
            : Math.abs(theirExponent - ourExponent) == 1
                && Math.abs(theirs ^ ours) == Long.MAX_VALUE;
    if (close) {
      expected.fxsave().set(JAVA_LONG_UNALIGNED, register, ours);
      expected.fxWord(register + 8, ourExponent);
    }
    int status = expected.fxWord(MachineImage.FSW);
    int ourC1 = actual.fxWord(MachineImage.FSW) & C1;
    if ((status & 0x20) != 0) { // inexact: C1 tells the direction
      expected.fxWord(MachineImage.FSW, status & ~C1 | ourC1);
    }
  }

  private static void approximations(int register, MachineImage expected, MachineImage actual) {
    for (int lane = 0; lane < 4; lane++) {
      int at = MachineImage.XMM0 + 16 * register + 4 * lane;
      float theirs = expected.fxsave().get(JAVA_FLOAT_UNALIGNED, at);
      float ours = actual.fxsave().get(JAVA_FLOAT_UNALIGNED, at);
      if (Math.abs(theirs - ours) <= Math.abs(theirs) * APPROXIMATION_ERROR) {
        expected.fxsave().set(JAVA_FLOAT_UNALIGNED, at, ours);
      }
    }
  }

  /** Makes bytes of a stored x87 or SSE area equal where models differ. */
  static void ignoreModelSpecificBytes(
      MachineImage in, Insn insn, MachineImage expected, MachineImage actual) {
    long at = Inputs.address(in, insn) - MachineImage.DATA_ADDRESS;
    switch (insn.row.mnemonic) {
      case "FXSAVE" -> {
        // FOP, FIP and FDP: AMD keeps them only with a pending exception.
        same(expected, actual, at, MachineImage.FOP, MachineImage.MXCSR);
        same(expected, actual, at, MachineImage.MXCSR_MASK, MachineImage.ST0);
        same(expected, actual, at, MachineImage.FXSAVE_DEFINED_BYTES, MachineImage.FXSAVE_BYTES);
      }
      case "FNSTENV", "FNSAVE" -> {
        // FIP, FCS, FOP, FDP and FDS behind the three control words.
        boolean wide = insn.opSize != 2;
        same(expected, actual, at, wide ? 12 : 6, wide ? 28 : 14);
      }
      case "PUSHF" -> {
        // The harness single-steps with TF set.
        int from = (int) (actual.gpr(MachineImage.RSP) - MachineImage.DATA_ADDRESS) + 1;
        if (from >= 0 && from < MachineImage.DATA_BYTES) {
          byte flags = expected.data().get(JAVA_BYTE, from);
          expected.data().set(JAVA_BYTE, from, (byte) (flags & ~1));
        }
      }
      default -> {}
    }
  }

  /** Makes bytes of an operand equal. */
  static void same(MachineImage expected, MachineImage actual, long operand, long from, long to) {
    long start = Math.max(0, operand + from);
    long end = Math.min(MachineImage.DATA_BYTES, operand + to);
    if (start < end && operand > -LONGEST_OPERAND) {
      MemorySegment.copy(actual.data(), start, expected.data(), start, end - start);
    }
  }
}
