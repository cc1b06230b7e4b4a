package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.GuestFault;
import org.pluribus.vmm.emulator.Insn;

/** Compares two outcomes of one case, leaving out what the SDM leaves undefined. */
final class Comparison {
  private static final String[] NAMES = {
    "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13",
    "R14", "R15"
  };

  /** TF and RF belong to the single-stepping of the oracle. */
  private static final long STEPPING_FLAGS = CpuRegisters.FLAG_TF | CpuRegisters.FLAG_RF;

  private Comparison() {}

  /** How {@code actual} differs from what the host CPU did; empty if it does not. */
  static List<String> withHostCpu(
      MachineImage in, Insn insn, MachineImage expected, MachineImage actual) {
    List<String> found = new ArrayList<>();
    if (VendorQuirks.looksAtLess(insn, expected, actual)) {
      return found;
    }
    if (!HostQuirks.sameFault(insn, expected, actual)) {
      found.add("fault: expected %s, got %s".formatted(fault(expected), fault(actual)));
      return found;
    }
    if (expected.vector() != MachineImage.NO_FAULT && actual.vector() == MachineImage.NO_FAULT) {
      return found; // a fault that a model may leave out
    }
    HostQuirks.ignoreModelSpecificRegisters(insn, expected, actual);
    HostQuirks.ignoreModelSpecificBytes(in, insn, expected, actual);
    VendorQuirks.ignoreRegisters(in, insn, expected, actual);
    VendorQuirks.ignoreBytes(in, insn, expected, actual);
    registers(in, insn, expected, actual, found);
    differ("FS base", expected.fsBase(), actual.fsBase(), found);
    differ("GS base", expected.gsBase(), actual.gsBase(), found);
    fpu(expected, actual, found);
    memory(expected, actual, found);
    return found;
  }

  /** How two runs of a sequence differ, which none of both ended with a fault. */
  static List<String> ofSequences(MachineImage expected, MachineImage actual, int undefinedFlags) {
    List<String> found = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      differ(NAMES[i], expected.gpr(i), actual.gpr(i), found);
    }
    differ("RIP", expected.rip(), actual.rip(), found);
    long ignored = STEPPING_FLAGS | undefinedFlags;
    differ("RFLAGS", expected.rflags() & ~ignored, actual.rflags() & ~ignored, found);
    fpu(expected, actual, found);
    memory(expected, actual, found);
    return found;
  }

  /** As {@link #withHostCpu} for libunicorn, which of a fault tells only the kind. */
  static List<String> withUnicorn(
      MachineImage in, Insn insn, MachineImage expected, MachineImage actual) {
    List<String> found = new ArrayList<>();
    if (!sameKindOfFault(expected, actual)) {
      found.add("fault: expected %s, got %s".formatted(fault(expected), fault(actual)));
    }
    if (found.isEmpty() && expected.vector() == MachineImage.NO_FAULT) {
      registers(in, insn, expected, actual, found);
      if (in.usesFpu()) {
        fpu(expected, actual, found);
      }
      memory(expected, actual, found);
    }
    return found;
  }

  private static boolean sameKindOfFault(MachineImage expected, MachineImage actual) {
    int vector = actual.vector();
    return expected.vector() == Unicorn.MEMORY_FAULT
        ? vector == GuestFault.PF || vector == GuestFault.GP || vector == GuestFault.SS
        : vector == expected.vector();
  }

  static String fault(MachineImage image) {
    return image.vector() == MachineImage.NO_FAULT
        ? "none"
        : "vector %d error %x CR2 %x".formatted(image.vector(), image.errorCode(), image.cr2());
  }

  private static void registers(
      MachineImage in, Insn insn, MachineImage expected, MachineImage actual, List<String> found) {
    long mask = in.cs() == MachineImage.USER_CS64 ? -1L : 0xFFFFFFFFL;
    for (int i = 0; i < (mask == -1L ? 16 : 8); i++) {
      differ(NAMES[i], expected.gpr(i) & mask, actual.gpr(i) & mask, found);
    }
    differ("RIP", expected.rip() & mask, actual.rip() & mask, found);
    long ignored = STEPPING_FLAGS | UndefinedFlags.after(in, insn);
    differ("RFLAGS", expected.rflags() & ~ignored, actual.rflags() & ~ignored, found);
  }

  /** Without FOP, FIP and FDP: AMD keeps them only with a pending exception. */
  private static void fpu(MachineImage expected, MachineImage actual, List<String> found) {
    differ("FCW", expected.fxWord(MachineImage.FCW), actual.fxWord(MachineImage.FCW), found);
    differ("FSW", expected.fxWord(MachineImage.FSW), actual.fxWord(MachineImage.FSW), found);
    differ("FTW", expected.fxWord(MachineImage.FTW), actual.fxWord(MachineImage.FTW), found);
    differ("MXCSR", expected.mxcsr(), actual.mxcsr(), found);
    for (int i = 0; i < 8; i++) {
      block("ST" + i, expected, actual, MachineImage.ST0 + 16 * i, 10, found);
    }
    for (int i = 0; i < 16; i++) {
      block("XMM" + i, expected, actual, MachineImage.XMM0 + 16 * i, 16, found);
    }
  }

  private static void block(
      String name, MachineImage expected, MachineImage actual, int at, int size, List<String> to) {
    MemorySegment e = expected.fxsave().asSlice(at, size);
    MemorySegment a = actual.fxsave().asSlice(at, size);
    if (e.mismatch(a) >= 0) {
      to.add("%s: expected %s, got %s".formatted(name, number(e), number(a)));
    }
  }

  /** Bytes as one little-endian number. */
  static String number(MemorySegment bytes) {
    StringBuilder text = new StringBuilder();
    for (long i = bytes.byteSize() - 1; i >= 0; i--) {
      text.append("%02x".formatted(bytes.get(JAVA_BYTE, i)));
    }
    return text.toString();
  }

  private static void memory(MachineImage expected, MachineImage actual, List<String> found) {
    long at = expected.data().mismatch(actual.data());
    if (at < 0) {
      return;
    }
    long size = Math.min(16, MachineImage.DATA_BYTES - at);
    found.add(
        "memory at %x: expected %s, got %s"
            .formatted(
                MachineImage.DATA_ADDRESS + at,
                number(expected.data().asSlice(at, size)),
                number(actual.data().asSlice(at, size))));
  }

  private static void differ(String name, long expected, long actual, List<String> found) {
    if (expected != actual) {
      found.add("%s: expected %x, got %x".formatted(name, expected, actual));
    }
  }
}
