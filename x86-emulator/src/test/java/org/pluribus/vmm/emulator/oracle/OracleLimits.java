package org.pluribus.vmm.emulator.oracle;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.Insn;
import org.pluribus.vmm.emulator.OpcodeRow;

/** What the oracles cannot judge, with the reason; such rows have tests of their own. */
final class OracleLimits {
  private static final Map<String, String> NEITHER = new HashMap<>();
  private static final Map<String, String> NOT_UNICORN = new HashMap<>();

  private static final String PRIVILEGED = "privileged, and libunicorn runs at CPL 0";

  private static final String NO_GDT = "loads segments, and libunicorn has no GDT here";
  private static final Set<String> SEGMENTS = Set.of("ES", "CS", "SS", "DS", "FS", "GS");

  static {
    put(NEITHER, "the value depends on time, chance or the model", "RDTSC RDTSCP RDRAND RDSEED");
    put(NEITHER, "the value depends on the model", "CPUID XGETBV RDPID RDPMC");
    put(NEITHER, "would call the host's kernel", "SYSCALL SYSENTER");
    put(NEITHER, "traps to the debugger's vectors", "INT3 INT1 ICEBP INTO");
    put(NEITHER, "the host kernel emulates it (UMIP)", "SGDT SIDT SLDT STR SMSW");
    put(NEITHER, "sees the host kernel's GDT", "LAR LSL VERR VERW");
    put(
        NEITHER,
        "the save area depends on the model's XCR0",
        "XSAVE XRSTOR XSAVEOPT XSAVEC XSAVES");
    put(NEITHER, "depends on the model or the hypervisor", "MONITOR MWAIT VMCALL VMMCALL");
    put(
        NOT_UNICORN,
        PRIVILEGED,
        "CLI STI HLT IN OUT INS OUTS INSB INSW INSD OUTSB OUTSW OUTSD CLTS LMSW LGDT LIDT LLDT LTR"
            + " INVLPG INVD WBINVD RDMSR WRMSR SWAPGS SYSRET SYSEXIT POPF POPFD POPFQ PUSHF IRET"
            + " IRETD IRETQ CLAC STAC XSETBV INVPCID RSM");
    put(NOT_UNICORN, "crashes libunicorn 2.0.1", "PCMPESTRM PCMPESTRI PCMPISTRM PCMPISTRI");
    put(NOT_UNICORN, NO_GDT, "LES LDS LSS LFS LGS CALLF JMPF RETF INT INTO");
  }

  private OracleLimits() {}

  private static boolean isSegment(OpcodeRow.Operand operand) {
    return operand.letter() == 'S' || SEGMENTS.contains(operand.spec());
  }

  private static void put(Map<String, String> map, String reason, String mnemonics) {
    for (String mnemonic : mnemonics.split(" ")) {
      map.put(mnemonic, reason);
    }
  }

  /** Why the host CPU cannot judge a row in any form, or null. */
  static @Nullable String nativeReason(OpcodeRow row) {
    return NEITHER.get(row.mnemonic);
  }

  /** Why libunicorn cannot judge a row in any form, or null. */
  static @Nullable String unicornReason(OpcodeRow row) {
    if (row.invalid64) {
      return "libunicorn runs 64-bit code here";
    }
    if (row.operands.stream().anyMatch(OracleLimits::isSegment)) {
      return NO_GDT;
    }
    if (row.operands.stream().anyMatch(o -> o.letter() == 'C' || o.letter() == 'D')) {
      return PRIVILEGED;
    }
    String reason = NEITHER.get(row.mnemonic);
    return reason != null ? reason : NOT_UNICORN.get(row.mnemonic);
  }

  /** Single encodings of a judged row that must not be run. */
  static boolean skip(MachineImage in, Insn insn) {
    if (wrapsAround4GiB(in, insn)) {
      return true;
    }
    return switch (insn.row.mnemonic) {
      case "INT" -> (insn.imm & 0xFF) <= 4 || (insn.imm & 0xFF) == 0x80; // system call, debugger
      // AMD has no 64-bit far pointers (APM volume 3, CALL far, JMP far, LSS).
      case "LSS", "LFS", "LGS", "CALLF", "JMPF" -> insn.opSize == 8;
      // The result is undefined (SDM volume 2, SHLD, SHRD).
      case "SHLD", "SHRD" -> insn.size[0] == 2 && countAbove16(in, insn);
      default -> false;
    };
  }

  /** Whether such an access raises #GP or goes on at 0 is the model's choice (SDM 3, 5.3). */
  private static boolean wrapsAround4GiB(MachineImage in, Insn insn) {
    return in.cs() == MachineImage.USER_CS32
        && Inputs.hasMemory(insn)
        && (Inputs.address(in, insn) & 0xFFFFFFFFL) > 0xFFFFFFFFL - MachineImage.FXSAVE_BYTES;
  }

  private static boolean countAbove16(MachineImage in, Insn insn) {
    long count = insn.kind[2] == Insn.IMM ? insn.imm : in.gpr(CpuRegisters.RCX);
    return (count & 31) > 16;
  }
}
