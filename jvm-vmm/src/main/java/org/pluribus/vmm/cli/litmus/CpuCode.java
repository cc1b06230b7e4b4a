package org.pluribus.vmm.cli.litmus;

import java.io.ByteArrayOutputStream;
import java.util.List;

/**
 * Machine code of one CPU of a test: a routine that executes its operations once and returns.
 *
 * <p>As native/payloads/litmus.c calls it: RDI, RSI and RDX point to the variables, R8 to numbers
 * of turns to delay each operation, if it has delays. The test's registers come back in R9D, R10D,
 * R11D and R12D; RAX, RCX and R8 are lost. Nothing but the operations accesses shared memory.
 * Encodings: Intel SDM, volume 2.
 */
final class CpuCode {
  /** What MOD and R/M of ModRM say for the addresses RDI, RSI and RDX without displacement. */
  private static final int[] VARIABLES = {0b111, 0b110, 0b010};

  /** Low bits of R9, R10, R11, R12; the high one is in REX. */
  private static final int[] REGISTERS = {0b001, 0b010, 0b011, 0b100};

  private static final int LOCK = 0xF0;

  /** REX with R: the register in ModRM's REG is one of R8 to R15. */
  private static final int REX_R = 0x44;

  /** REX with B: the register in ModRM's R/M, or in the opcode, is one of R8 to R15. */
  private static final int REX_B = 0x41;

  private static final int RET = 0xC3;

  /** MOV ECX, [R8]; ADD R8, 4; then SUB ECX, 1 until that borrows. */
  private static final int[] DELAY = {
    REX_B, 0x8B, 0x08, 0x49, 0x83, 0xC0, 0x04, 0x83, 0xE9, 0x01, 0x73, 0xFB
  };

  private static final int[] MFENCE = {0x0F, 0xAE, 0xF0};

  private final ByteArrayOutputStream code = new ByteArrayOutputStream();

  private CpuCode() {}

  /** The routine; its operations one right behind the other, or each behind a delay. */
  static byte[] of(List<Operation> operations, boolean delays) {
    CpuCode code = new CpuCode();
    for (Operation operation : operations) {
      if (delays) {
        code.bytes(DELAY);
      }
      code.operation(operation);
    }
    code.bytes(RET);
    return code.code.toByteArray();
  }

  private void operation(Operation operation) {
    switch (operation) {
      case Operation.Fence() -> bytes(MFENCE);
      case Operation.Store(int variable, int value) -> {
        bytes(0xC7, VARIABLES[variable]);
        immediate(value);
      }
      case Operation.Load(int register, int variable) ->
          bytes(REX_R, 0x8B, modRm(register, variable));
      case Operation.Exchange(int register, int variable, int value) -> {
        load(register, value);
        bytes(REX_R, 0x87, modRm(register, variable));
      }
      case Operation.Add(int register, int variable, int value) -> {
        load(register, value);
        bytes(LOCK, REX_R, 0x0F, 0xC1, modRm(register, variable));
      }
      case Operation.CompareExchange(int register, int variable, int expected, int value) -> {
        bytes(0xB8); // MOV EAX, expected
        immediate(expected);
        bytes(0xB9); // MOV ECX, value
        immediate(value);
        bytes(LOCK, 0x0F, 0xB1, 0b001 << 3 | VARIABLES[variable]);
        bytes(REX_B, 0x89, 0b11 << 6 | REGISTERS[register]); // MOV register, EAX
      }
    }
  }

  /** MOV register, value. */
  private void load(int register, int value) {
    bytes(REX_B, 0xB8 | REGISTERS[register]);
    immediate(value);
  }

  private static int modRm(int register, int variable) {
    return REGISTERS[register] << 3 | VARIABLES[variable];
  }

  private void immediate(int value) {
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      code.write(value >>> shift);
    }
  }

  private void bytes(int... bytes) {
    for (int b : bytes) {
      code.write(b);
    }
  }
}
