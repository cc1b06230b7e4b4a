package org.pluribus.vmm.emulator;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * A random 64-bit program: a loop over random instructions with branches, calls, faults and writes
 * to its own code in it. Ends by a jump to {@link #END}.
 */
final class RandomProgram {
  /** Where the program goes in the end; nothing is mapped there. */
  static final long END = PlainMachine.MMIO + CpuMemory.PAGE_SIZE;

  private static final int RBX = 3;
  private static final int LOOP_COUNTER = 15;

  /** Instructions of the integer rows that would not be the same twice or leave the program. */
  private static final Set<String> EXCLUDED =
      Set.of(
          "RDRAND", "POPF", "PAUSE", "UD0", "UD1", "UD2", "JMP", "CALL", "RET", "PUSHF", "ENTER",
          "FXRSTOR", "XRSTOR", "FXSAVE", "XSAVE", "LDMXCSR", "FLDENV", "FRSTOR", "FLDCW");

  private static final List<OpcodeRow> ROWS =
      OpcodeTable.standard().rows().stream().filter(RandomProgram::usable).toList();

  private final Random random;
  private final Decoder decoder = new Decoder(OpcodeTable.standard());
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Offsets at which instructions begin, and the 32-bit immediates that may be overwritten. */
  private final List<Integer> starts = new ArrayList<>();

  private final List<Integer> immediates = new ArrayList<>();

  /** Offsets of 32-bit displacements to patch. */
  private final List<Integer> branches = new ArrayList<>();

  private final List<Integer> overwrites = new ArrayList<>();
  byte[] bytes = new byte[0];

  RandomProgram(Random random, int insns, int iterations) {
    this.random = random;
    build(insns, iterations);
  }

  private static boolean usable(OpcodeRow r) {
    boolean vector = r.operands.stream().anyMatch(o -> "VWUPQN".indexOf(o.letter()) >= 0);
    boolean jump = r.operands.stream().anyMatch(o -> "JACDS".indexOf(o.letter()) >= 0);
    if (r.invalid64 || jump || EXCLUDED.contains(r.mnemonic)) {
      return false;
    }
    boolean system =
        r.endsBlock && r.operands.stream().noneMatch(o -> "XY".indexOf(o.letter()) >= 0);
    boolean privileged = r.map == 1 && (r.opcode < 0x0B || r.opcode >= 0x20 && r.opcode < 0x40);
    boolean fpu = r.map == 0 && r.opcode >= 0xD8 && r.opcode <= 0xDF;
    boolean ports = r.mnemonic.startsWith("INS") || r.mnemonic.startsWith("OUTS");
    return vector || !system && !privileged && !fpu && !ports;
  }

  private void build(int insns, int iterations) {
    start();
    movImmediate(LOOP_COUNTER, iterations);
    int top = start();
    movImmediate(CpuRegisters.RSP, PlainMachine.STACK);
    for (int n = 0; n < insns; n++) {
      switch (random.nextInt(12)) {
        case 0 -> conditionalJump();
        case 1 -> overwrite();
        case 2 -> callOver();
        case 3 -> {
          start();
          immediates.add(out.size() + 1);
          emit(0xB8 + random.nextInt(4)); // mov r32, imm32
          emit32(random.nextInt());
        }
        default -> instruction();
      }
    }
    start();
    emit(0x49, 0xFF, 0xCF); // dec r15
    start();
    emit(0x0F, 0x85);
    emit32(top - (out.size() + 4)); // jnz top
    int last = start();
    emit(0xE9);
    emit32((int) (END - (PlainMachine.CODE + out.size() + 4)));
    bytes = out.toByteArray();
    patch(top, last);
  }

  private void patch(int top, int last) {
    for (int at : branches) {
      List<Integer> later = starts.stream().filter(s -> s > at && s <= last).toList();
      int target = later.get(Math.min(random.nextInt(6), later.size() - 1));
      if (random.nextInt(12) == 0) {
        target = last; // out of the loop
      }
      put32(at, target - (at + 4));
    }
    for (int at : overwrites) {
      int to = immediates.isEmpty() ? at + 4 : immediates.get(random.nextInt(immediates.size()));
      put32(at, to - (at + 8)); // an imm32 follows the displacement
    }
  }

  private int start() {
    starts.add(out.size());
    return out.size();
  }

  /** Address of the instruction after the one at {@code rip}. */
  long after(long rip) {
    if (rip < PlainMachine.CODE || rip >= PlainMachine.CODE + bytes.length) {
      return END; // a wild return
    }
    Insn i = new Insn();
    int n = decoder.decode(bytes, (int) (rip - PlainMachine.CODE), bytes.length, 64, i);
    return n > 0 ? rip + n : END;
  }

  /** The instructions by address, for the report of a difference. */
  String listing() {
    StringBuilder b = new StringBuilder();
    for (long at = PlainMachine.CODE; at < PlainMachine.CODE + bytes.length; at = after(at)) {
      Insn i = new Insn();
      decoder.decode(bytes, (int) (at - PlainMachine.CODE), bytes.length, 64, i);
      b.append(String.format("%x %s size %d%n", at, i, i.size[0]));
    }
    return b.toString();
  }

  private void conditionalJump() {
    start();
    emit(0x0F, 0x80 + random.nextInt(16));
    branches.add(out.size());
    emit32(0);
  }

  /** A call whose return address is popped again by a RET that lands behind it. */
  private void callOver() {
    start();
    emit(0xE8);
    emit32(5);
    int back = start();
    emit(0xE9); // jmp over the RET
    emit32(1);
    start();
    emit(0xC3);
    start();
  }

  /** Overwrites the immediate of another instruction of the program, rarely. */
  private void overwrite() {
    if (random.nextInt(8) != 0) {
      instruction();
      return;
    }
    start();
    emit(0xC7, 0x05); // mov dword [rip + disp32], imm32
    overwrites.add(out.size());
    emit32(0);
    emit32(random.nextInt());
  }

  private void instruction() {
    while (true) {
      byte[] b = attempt(ROWS.get(random.nextInt(ROWS.size())));
      if (b != null) {
        start();
        out.writeBytes(b);
        return;
      }
    }
  }

  private byte @org.jspecify.annotations.Nullable [] attempt(OpcodeRow row) {
    byte[] b = new byte[32];
    int n = 0;
    boolean string = row.operands.stream().anyMatch(o -> "XY".indexOf(o.letter()) >= 0);
    if (row.prefix == OpcodeRow.PREFIX_66 || row.prefix >= 4 && random.nextInt(6) == 0) {
      b[n++] = 0x66;
    }
    if (row.prefix == OpcodeRow.PREFIX_F3) b[n++] = (byte) 0xF3;
    if (row.prefix == OpcodeRow.PREFIX_F2) b[n++] = (byte) 0xF2;
    if (random.nextInt(20) == 0) b[n++] = 0x67;
    boolean memory = row.hasModrm && row.exactModrm < 0 && random.nextBoolean();
    if (row.lockable && memory && random.nextInt(3) == 0) b[n++] = (byte) 0xF0;
    if (random.nextInt(3) != 0) b[n++] = (byte) (0x40 | random.nextInt(16));
    if (row.map > 0) b[n++] = 0x0F;
    if (row.map > 1) b[n++] = (byte) (row.map == 2 ? 0x38 : 0x3A);
    b[n++] = (byte) (row.opcode + (row.plus ? random.nextInt(8) : 0));
    boolean aimed = random.nextInt(10) != 0;
    if (row.hasModrm) {
      n = modrm(row, b, n, memory, aimed);
    }
    for (int k = 0; k < 8; k++) {
      b[n + k] = (byte) (random.nextInt(3) == 0 ? 1 : random.nextInt());
    }
    Insn i = new Insn();
    int length = decoder.decode(b, 0, b.length, 64, i);
    if (length < 0 || i.row != row || writesLoopCounter(i)) {
      return null;
    }
    if (string || memory && aimed && random.nextInt(8) != 0) {
      aim(string);
    }
    return java.util.Arrays.copyOf(b, length);
  }

  private int modrm(OpcodeRow row, byte[] b, int at, boolean memory, boolean aimed) {
    int n = at;
    if (row.exactModrm >= 0) {
      b[n++] = (byte) row.exactModrm;
      return n;
    }
    int reg = row.ext >= 0 ? row.ext : random.nextInt(8);
    int mod = memory ? random.nextInt(3) : 3;
    int rm = random.nextInt(8);
    if (memory && aimed) {
      boolean sib = random.nextInt(3) == 0;
      mod = 1 + random.nextInt(2);
      rm = sib ? 4 : RBX;
      b[n++] = (byte) (mod << 6 | reg << 3 | rm);
      if (sib) {
        b[n++] = (byte) (random.nextInt(4) << 6 | 1 << 3 | RBX); // rbx + rcx * scale
      }
      b[n++] = (byte) random.nextInt(128);
      if (mod == 2) {
        b[n++] = (byte) random.nextInt(16);
        n += 2;
      }
      return n;
    }
    b[n++] = (byte) (mod << 6 | reg << 3 | rm);
    return n;
  }

  private static boolean writesLoopCounter(Insn i) {
    for (int k = 0; k < 4; k++) {
      if (i.kind[k] == Insn.REG && i.reg[k] == LOOP_COUNTER) {
        return true;
      }
    }
    return false;
  }

  /** Points RBX into data and makes RCX a small index or count; RSI and RDI too for strings. */
  private void aim(boolean string) {
    long at = PlainMachine.DATA + 0x1000 + random.nextInt(0x2000);
    start();
    movImmediate(RBX, random.nextInt(40) == 0 ? PlainMachine.MMIO : at);
    start();
    emit(0x83, 0xE1, 0x0F); // and ecx, 15
    if (string) {
      start();
      movImmediate(CpuRegisters.RSI, at + random.nextInt(64));
      start();
      movImmediate(CpuRegisters.RDI, at + random.nextInt(64));
    }
    start();
  }

  private void movImmediate(int reg, long value) {
    emit(0x48 | reg >> 3, 0xB8 | reg & 7);
    for (int k = 0; k < 8; k++) {
      emit((int) (value >>> 8 * k));
    }
  }

  private void emit(int... v) {
    for (int x : v) {
      out.write(x);
    }
  }

  private void emit32(int v) {
    emit(v, v >> 8, v >> 16, v >> 24);
  }

  private void put32(int at, int v) {
    for (int k = 0; k < 4; k++) {
      bytes[at + k] = (byte) (v >> 8 * k);
    }
  }
}
