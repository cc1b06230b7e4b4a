package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.pluribus.vmm.emulator.CpuRegisters;
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

  /**
   * How {@code actual} differs from {@code expected}; empty if it does not.
   *
   * @param faultsExactly whether the oracle's error code, CR2 and the state at a fault count
   * @param withFpu whether the x87 and SSE state counts
   */
  static List<String> differences(
      MachineImage in,
      Insn insn,
      MachineImage expected,
      MachineImage actual,
      boolean faultsExactly,
      boolean withFpu) {
    List<String> found = new ArrayList<>();
    if (!sameFault(expected, actual, faultsExactly)) {
      found.add("fault: expected %s, got %s".formatted(fault(expected), fault(actual)));
      return found;
    }
    if (expected.vector() != MachineImage.NO_FAULT && !faultsExactly) {
      return found;
    }
    registers(in, insn, expected, actual, found);
    if (withFpu) {
      fpu(insn, expected, actual, found);
    }
    memory(expected, actual, found);
    return found;
  }

  private static boolean sameFault(MachineImage expected, MachineImage actual, boolean exactly) {
    int vector = actual.vector();
    if (exactly) {
      return expected.vector() == vector
          && (expected.errorCode() & ~hostPresent(expected)) == actual.errorCode()
          && expected.cr2() == actual.cr2();
    }
    if (expected.vector() == Unicorn.MEMORY_FAULT) {
      return vector == 14 || vector == 13 || vector == 12;
    }
    return expected.vector() == vector;
  }

  /** Addresses in the upper half are the host kernel's: some of its pages are present. */
  private static int hostPresent(MachineImage expected) {
    return expected.vector() == 14 && expected.cr2() < 0 ? 1 : 0;
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
  private static void fpu(
      Insn insn, MachineImage expected, MachineImage actual, List<String> found) {
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
