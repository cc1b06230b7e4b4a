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
  private static final Map<String, String> NOT_NATIVE = new HashMap<>();
  private static final Map<String, String> NOT_UNICORN = new HashMap<>();

  static {
    put(NEITHER, "the value depends on time, chance or the model", "RDTSC RDTSCP RDRAND RDSEED");
    put(NEITHER, "the value depends on the model", "CPUID XGETBV RDPID RDPMC");
    put(NEITHER, "would call the host's kernel", "SYSCALL SYSENTER");
    put(NEITHER, "traps to the debugger's vectors", "INT3 INT1 ICEBP");
    put(NEITHER, "the host kernel emulates it (UMIP)", "SGDT SIDT SLDT STR SMSW");
    put(NEITHER, "sees the host kernel's GDT", "LAR LSL VERR VERW");
    put(
        NEITHER,
        "the save area depends on the model's XCR0",
        "XSAVE XRSTOR XSAVEOPT XSAVEC XSAVES");
    put(NEITHER, "changes the TLS base under the harness", "WRFSBASE RDFSBASE");
    put(NEITHER, "changes the TLS base under the harness, or holds its trap off", "LFS LSS");
    put(NEITHER, "depends on the model or the hypervisor", "MONITOR MWAIT VMCALL VMMCALL");
    put(
        NOT_UNICORN,
        "privileged, and libunicorn runs at CPL 0",
        "CLI STI HLT IN OUT INS OUTS INSB INSW INSD OUTSB OUTSW OUTSD CLTS LMSW LGDT LIDT LLDT LTR"
            + " INVLPG INVD WBINVD RDMSR WRMSR SWAPGS SYSRET SYSEXIT POPF POPFD POPFQ PUSHF IRET"
            + " IRETD IRETQ CLAC STAC XSETBV INVPCID RSM");
    put(NOT_UNICORN, "loads segments, and libunicorn has no GDT here", "CALLF JMPF RETF INT INTO");
  }

  /** MOV and POP to SS (SDM volume 3, section 6.8.3) and FS. */
  private static final Set<String> NATIVE_SEGMENT_LOADS = Set.of("8E/2", "8E/4", "17", "0FA1");

  private static final Set<String> SEGMENTS = Set.of("ES", "CS", "SS", "DS", "FS", "GS");

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
    String reason = NEITHER.get(row.mnemonic);
    if (reason == null && NATIVE_SEGMENT_LOADS.contains(row.opcodeText)) {
      return "loads SS, which holds the trap off, or FS, the harness's TLS base";
    }
    return reason != null ? reason : NOT_NATIVE.get(row.mnemonic);
  }

  /** Why libunicorn cannot judge a row in any form, or null. */
  static @Nullable String unicornReason(OpcodeRow row) {
    String reason = NEITHER.get(row.mnemonic);
    if (reason == null && row.operands.stream().anyMatch(OracleLimits::isSegment)) {
      return "libunicorn has no GDT here";
    }
    return reason != null ? reason : NOT_UNICORN.get(row.mnemonic);
  }

  /** Single encodings of a judged row that must not be run. */
  static boolean skip(MachineImage in, Insn insn) {
    return switch (insn.row.mnemonic) {
      case "INT" -> (insn.imm & 0xFF) <= 4 || (insn.imm & 0xFF) == 0x80; // system call, debugger
      // The result is undefined (SDM volume 2, SHLD, SHRD).
      case "SHLD", "SHRD" -> insn.size[0] == 2 && countAbove16(in, insn);
      default -> false;
    };
  }

  private static boolean countAbove16(MachineImage in, Insn insn) {
    long count = insn.kind[2] == Insn.IMM ? insn.imm : in.gpr(CpuRegisters.RCX);
    return (count & 31) > 16;
  }
}
