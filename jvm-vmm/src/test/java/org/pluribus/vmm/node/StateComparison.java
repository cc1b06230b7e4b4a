package org.pluribus.vmm.node;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.node.VcpuState.Fpu;
import org.pluribus.vmm.node.VcpuState.Segment;

/** Compares two states register by register. */
final class StateComparison {
  private static final String[] GENERAL = {
    "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13",
    "R14", "R15"
  };
  private static final String[] SEGMENTS = {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"};
  private static final String[] DEBUG = {"DR0", "DR1", "DR2", "DR3", "DR6", "DR7"};

  private StateComparison() {}

  /**
   * The registers in which two states differ, with both values; empty if they do not. What differs
   * between models of processors isn't compared: opcode, instruction and data pointer of the last
   * x87 instruction. AMD's keep them only while an exception is pending, Intel's newer ones keep
   * some only then (SDM volume 1, 8.1.8; AMD APM volume 2, 11.4.4.3). Nor is RF, which says that
   * the next instruction was begun already, and which the emulator forgets while there are no
   * breakpoints.
   */
  static String differences(VcpuState expected, VcpuState actual) {
    Map<String, String> a = registers(expected);
    Map<String, String> b = registers(actual);
    return a.keySet().stream()
        .filter(name -> !Objects.equals(a.get(name), b.get(name)))
        .map(name -> "%s: expected %s, got %s".formatted(name, a.get(name), b.get(name)))
        .collect(Collectors.joining("; "));
  }

  private static Map<String, String> registers(VcpuState s) {
    Map<String, String> all = new LinkedHashMap<>();
    for (int i = 0; i < GENERAL.length; i++) {
      all.put(GENERAL[i], hex(s.general().get(i)));
    }
    all.put("RIP", hex(s.rip()));
    all.put("RFLAGS", hex(s.rflags() & ~CpuRegisters.FLAG_RF));
    for (int i = 0; i < SEGMENTS.length; i++) {
      Segment g = s.segments().get(i);
      all.put(
          SEGMENTS[i],
          "%x base %x limit %x access %x".formatted(g.selector(), g.base(), g.limit(), g.access()));
    }
    all.put("GDTR", s.gdt().toString());
    all.put("IDTR", s.idt().toString());
    all.put("CR0", hex(s.control().cr0()));
    all.put("CR2", hex(s.control().cr2()));
    all.put("CR3", hex(s.control().cr3()));
    all.put("CR4", hex(s.control().cr4()));
    all.put("XCR0", hex(s.control().xcr0()));
    for (int i = 0; i < DEBUG.length; i++) {
      all.put(DEBUG[i], hex(s.debug().get(i)));
    }
    s.msrs().forEach((msr, value) -> all.put("MSR " + Integer.toHexString(msr), hex(value)));
    fpu(s.fpu(), all);
    all.put("activity", s.activity().toString());
    return all;
  }

  private static void fpu(Fpu f, Map<String, String> all) {
    all.put("FCW", hex(f.control()));
    all.put("FSW", hex(f.status()));
    all.put("FTW", hex(f.tags()));
    for (int i = 0; i < Fpu.STACK; i++) {
      all.put("ST" + i, "%04x %016x".formatted(f.signExponents().get(i), f.significands().get(i)));
    }
    all.put("MXCSR", hex(f.mxcsr()));
    for (int i = 0; i < Fpu.XMM_WORDS; i += 2) {
      all.put("XMM" + i / 2, "%016x %016x".formatted(f.xmm().get(i + 1), f.xmm().get(i)));
    }
  }

  private static String hex(long value) {
    return Long.toHexString(value);
  }
}
