package org.pluribus.vmm.emulator.oracle;

import java.util.LinkedHashMap;
import java.util.Map;
import org.pluribus.vmm.emulator.OpcodeRow;

/**
 * Known errors of libunicorn 2.0.1, which is QEMU 5.0.1's translator, by the start of a mnemonic.
 * Each was found where the host CPU agrees with us; the list only explains, the host CPU decides.
 */
final class UnicornErrors {
  private static final Map<String, String> REASONS = new LinkedHashMap<>();

  static {
    put("TEST", "takes /1, an alias of /0, for undefined");
    put("NEG", "computes the flags of LOCK NEG from a stale value");
    put("SHLD SHRD", "forgets the immediate's byte in RIP-relative addresses");
    put("BSF BSR", "clears the upper half of a 32-bit destination for a zero source");
    put("BSWAP", "swaps 32 bits with a 16-bit operand");
    put("POPCNT", "needs a CPU model that libunicorn does not set up");
    put("MOV", "counts REX.R as part of the opcode's /0");
    put("CMPXCHG", "clears the upper half of RAX although the comparison succeeded");
    put("ENTER", "does not probe the frame it allocates");
    put("JMP CALL RET", "does not check the target for canonical form");
    put("SAHF LAHF", "takes SPL for AH under a REX prefix");
    put("PREFETCH", "takes the register form for undefined");
    put("CLFLUSH", "does not look at the address");
    put("RDFSBASE RDGSBASE WRFSBASE WRGSBASE", "needs CR4.FSGSBASE, which its model lacks");
    put("EMMS FEMMS", "leaves TOP alone");
    put("PHADD PHSUB", "overwrites a source that is also the destination");
    put("LDMXCSR FLDCW FLDENV FNSTENV FRSTOR FNSAVE FXSAVE FXRSTOR", "keeps reserved bits");
    put("PUNPCKL", "reads too many bytes");
    put(
        "",
        "checks no alignment of SSE operands, leaves MXCSR flags and MMX exponents, TOP and tags");
  }

  private UnicornErrors() {}

  private static void put(String mnemonics, String reason) {
    for (String mnemonic : mnemonics.split(" ")) {
      REASONS.put(mnemonic, reason);
    }
  }

  /** What is known to be wrong with a row, as a note for the table. */
  static String reason(OpcodeRow row) {
    boolean vector = row.operands.stream().anyMatch(o -> "VWUPQN".indexOf(o.letter()) >= 0);
    for (Map.Entry<String, String> entry : REASONS.entrySet()) {
      String start = entry.getKey();
      boolean integerOnly = start.equals("MOV");
      if (row.mnemonic.startsWith(start) && !(integerOnly && vector)) {
        return "host CPU sides with us; libunicorn " + entry.getValue();
      }
    }
    throw new AssertionError("the empty start fits every mnemonic");
  }
}
