package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.pluribus.vmm.emulator.GuestFault;
import org.pluribus.vmm.emulator.Insn;

/**
 * What Intel's processors do otherwise than AMD's, where both manuals allow it. The emulator does
 * as AMD's; on a host of theirs nothing here applies. Seen on Intel's Sapphire Rapids.
 */
final class VendorQuirks {
  private static final int REX_B = 1;
  private static final int R8 = 8;

  /** ES in the x87 status word: an unmasked exception waits. */
  private static final int ERROR_SUMMARY = 0x80;

  private static final int TEN_BYTES = 10;

  private static final Set<String> X87_STORES =
      Set.of("FST", "FSTP", "FIST", "FISTP", "FISTTP", "FBSTP");

  private static final Set<String> MMX_STORES = Set.of("MOVD", "MOVQ", "MOVNTQ");

  private static final Set<String> STRINGS = Set.of("MOVS", "CMPS", "STOS", "LODS", "SCAS");

  private static final long ARITHMETIC_FLAGS = 0x8D5;

  private static final boolean ON_INTEL = hostIs("GenuineIntel");

  private VendorQuirks() {}

  private static boolean hostIs(String vendor) {
    try {
      return Files.readString(Path.of("/proc/cpuinfo")).contains(vendor);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Whether the host need not look at memory that the emulator must look at. An x87 store whose
   * exception is not masked stores nothing: Intel then does not look at the page, AMD does first.
   * MOVSXD with a 16-bit operand reads two bytes on Intel, four on AMD.
   */
  static boolean looksAtLess(Insn insn, MachineImage expected, MachineImage actual) {
    if (!ON_INTEL
        || expected.vector() != MachineImage.NO_FAULT
        || actual.vector() == MachineImage.NO_FAULT) {
      return false;
    }
    return insn.row.mnemonic.equals("MOVSXD") && insn.opSize == 2
        || X87_STORES.contains(insn.row.mnemonic)
            && (expected.fxWord(MachineImage.FSW) & ERROR_SUMMARY) != 0;
  }

  /** Which of two operands is read first is the model's choice. */
  static boolean eitherOperandFirst(Insn insn) {
    return ON_INTEL && insn.row.mnemonic.equals("CMPS");
  }

  /** Registers. */
  static void ignoreRegisters(
      MachineImage in, Insn insn, MachineImage expected, MachineImage actual) {
    if (!ON_INTEL) {
      return;
    }
    boolean fault = expected.vector() != MachineImage.NO_FAULT;
    String name = insn.row.mnemonic;
    if (STRINGS.contains(name) && insn.rep != 0) {
      if (in.cs() == MachineImage.USER_CS64 && insn.addrSize == 4) {
        // Intel clears the upper halves even if nothing is repeated.
        for (int register : new int[] {MachineImage.RCX, MachineImage.RSI, MachineImage.RDI}) {
          expected.gpr(register, expected.gpr(register) & 0xFFFFFFFFL);
          actual.gpr(register, actual.gpr(register) & 0xFFFFFFFFL);
        }
      }
      if (fault) {
        // AMD leaves the last comparison's flags, Intel those before the instruction.
        expected.rflags(expected.rflags() & ~ARITHMETIC_FLAGS | actual.rflags() & ARITHMETIC_FLAGS);
      }
    }
    if (name.equals("PAUSE") && (insn.rex & REX_B) != 0) {
      // F3 REX.B 90: XCHG R8, RAX for AMD, a pause for Intel.
      for (int register : new int[] {MachineImage.RAX, R8}) {
        expected.gpr(register, actual.gpr(register));
      }
    }
    if (fault && MMX_STORES.contains(name) && insn.kind[1] == Insn.MMX) {
      // AMD is in MMX state by then.
      expected.fxsave().copyFrom(actual.fxsave());
    }
    if (name.equals("DPPS") || name.equals("DPPD")) {
      anyNan(insn.reg[0], name.equals("DPPD"), expected, actual);
    }
  }

  /** Of several NaNs that are added up, which one comes out depends on the order. */
  private static void anyNan(
      int register, boolean doubles, MachineImage expected, MachineImage actual) {
    MemorySegment theirs = expected.fxsave();
    MemorySegment ours = actual.fxsave();
    int bytes = doubles ? Double.BYTES : Float.BYTES;
    for (int lane = 0; lane < 16 / bytes; lane++) {
      long at = MachineImage.XMM0 + 16L * register + (long) lane * bytes;
      boolean nans =
          doubles
              ? Double.isNaN(theirs.get(JAVA_DOUBLE_UNALIGNED, at))
                  && Double.isNaN(ours.get(JAVA_DOUBLE_UNALIGNED, at))
              : Float.isNaN(theirs.get(JAVA_FLOAT_UNALIGNED, at))
                  && Float.isNaN(ours.get(JAVA_FLOAT_UNALIGNED, at));
      if (nans) {
        MemorySegment.copy(ours, at, theirs, at, bytes);
      }
    }
  }

  /** Bytes of memory. */
  static void ignoreBytes(MachineImage in, Insn insn, MachineImage expected, MachineImage actual) {
    if (!ON_INTEL) {
      return;
    }
    String name = insn.row.mnemonic;
    boolean fault = expected.vector() != MachineImage.NO_FAULT;
    long stack = actual.gpr(MachineImage.RSP) - MachineImage.DATA_ADDRESS;
    if (name.equals("PUSH") && insn.kind[0] == Insn.SREG && insn.opSize == 4 && !fault) {
      // Intel writes the selector's two bytes and leaves the others (SDM volume 2, PUSH).
      HostQuirks.same(expected, actual, stack, 2, 4);
    }
    if (name.equals("CALL") && expected.vector() == GuestFault.GP) {
      // A target that is no address: AMD has stored the return address by then.
      HostQuirks.same(expected, actual, stack - Long.BYTES, 0, Long.BYTES);
    }
    if (X87_STORES.contains(name) && expected.vector() == GuestFault.PF) {
      // Across two pages of which the second is missing, Intel has written to the first.
      long at = Inputs.address(in, insn) - MachineImage.DATA_ADDRESS;
      HostQuirks.same(expected, actual, at, 0, TEN_BYTES);
    }
  }
}
