package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * libunicorn 2 as oracle: runs a {@link MachineImage} in 64-bit mode at CPL 0 without paging.
 *
 * <p>Constants: unicorn/unicorn.h and unicorn/x86.h of Debian's libunicorn-dev 2.0.1. The x87 and
 * SSE state goes in and out by FXRSTOR64 and FXSAVE64 run inside the engine, since the register API
 * hides the tag word. One thread.
 */
final class Unicorn implements AutoCloseable {
  /** Pseudo-vector: a memory access outside the mapped pages; libunicorn tells no more. */
  static final int MEMORY_FAULT = 256;

  private static final int UC_ARCH_X86 = 4;
  private static final int UC_MODE_64 = 8;
  private static final int UC_PROT_ALL = 7;
  private static final int UC_HOOK_INTR = 1;
  private static final int UC_CTL_WRITE_CPU_MODEL = 0x44000007;
  private static final int UC_CPU_X86_NEHALEM = 15;
  private static final int UC_CTL_WRITE_TB_REMOVE_CACHE = 0x48000009;
  private static final int UC_ERR_OK = 0;
  private static final int UC_ERR_READ_UNMAPPED = 6;
  private static final int UC_ERR_WRITE_UNMAPPED = 7;
  private static final int UC_ERR_FETCH_UNMAPPED = 8;
  private static final int UC_ERR_INSN_INVALID = 10;
  private static final int UC_ERR_EXCEPTION = 21;
  private static final int INVALID_OPCODE = 6;

  /** UC_X86_REG_ numbers of RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15, then RIP, RFLAGS, bases. */
  private static final int[] REGISTERS = {
    35, 38, 40, 37, 44, 36, 43, 39, 106, 107, 108, 109, 110, 111, 112, 113, 41, 253, 250, 251
  };

  private static final int RIP = 16;
  private static final int RFLAGS = 17;
  private static final int FS_BASE = 18;
  private static final int GS_BASE = 19;

  /** UC_X86_REG_CR4 and CR0: SSE needs OSFXSR and OSXMMEXCPT, x87 errors CR0.NE. */
  private static final int UC_X86_REG_CR4 = 54;

  private static final int UC_X86_REG_CR0 = 50;
  private static final long CR4_OSFXSR_OSXMMEXCPT = 0x600;
  private static final long CR0_NE = 0x20;

  /** A page for FXRSTOR64 [RIP+x] at 0, FXSAVE64 [RIP+x] at 16, and their images. */
  private static final long STUB_ADDRESS = 0x5000_0000L;

  private static final int STUB_FXRSTOR_IMAGE = 0x200;
  private static final int STUB_FXSAVE_AT = 16;
  private static final int STUB_FXSAVE_IMAGE = 0x400;
  private static final int STUB_INSTRUCTION_BYTES = 8;
  private static final long PAGE_BYTES = 4096;

  private final Arena arena = Arena.ofConfined();
  private final UnicornLibrary library;
  private final MemorySegment engine;
  private final MemorySegment code;
  private final MemorySegment data;
  private final MemorySegment stub;
  private final MemorySegment values;
  private final MemorySegment registerNumbers;
  private final MemorySegment valuePointers;
  private int interrupt = MachineImage.NO_FAULT;
  private boolean worn;

  Unicorn(UnicornLibrary library) {
    this.library = library;
    engine = open();
    code = map(MachineImage.CODE_ADDRESS, PAGE_BYTES);
    data = map(MachineImage.DATA_ADDRESS, MachineImage.DATA_BYTES);
    stub = map(STUB_ADDRESS, PAGE_BYTES);
    // 0F AE /1 and /0 with REX.W and a RIP-relative operand (SDM volume 2, FXRSTOR64, FXSAVE64)
    putStub(0, 0x0D, STUB_FXRSTOR_IMAGE);
    putStub(STUB_FXSAVE_AT, 0x05, STUB_FXSAVE_IMAGE);
    values = arena.allocate(JAVA_LONG, REGISTERS.length);
    registerNumbers = arena.allocateFrom(JAVA_INT, REGISTERS);
    valuePointers = arena.allocate(ADDRESS, REGISTERS.length);
    for (int i = 0; i < REGISTERS.length; i++) {
      valuePointers.setAtIndex(ADDRESS, i, values.asSlice(8L * i, 8));
    }
    setBits(UC_X86_REG_CR4, CR4_OSFXSR_OSXMMEXCPT);
    setBits(UC_X86_REG_CR0, CR0_NE);
    hookInterrupts();
  }

  /** A libunicorn function bound to its arguments. */
  private interface Call {
    int invoke() throws Throwable;
  }

  private static int invoke(Call call) {
    try {
      return call.invoke();
    } catch (Throwable t) {
      throw new AssertionError("a downcall threw", t);
    }
  }

  private static void check(String what, Call call) {
    int error = invoke(call);
    if (error != UC_ERR_OK) {
      throw new IllegalStateException(what + " failed with uc_err " + error);
    }
  }

  private MemorySegment open() {
    MemorySegment result = arena.allocate(ADDRESS);
    check("uc_open", () -> (int) library.open.invokeExact(UC_ARCH_X86, UC_MODE_64, result));
    MemorySegment handle = result.get(ADDRESS, 0);
    check(
        "uc_ctl_set_cpu_model",
        () ->
            (int)
                library.setCpuModel.invokeExact(
                    handle, UC_CTL_WRITE_CPU_MODEL, UC_CPU_X86_NEHALEM));
    return handle;
  }

  private MemorySegment map(long address, long bytes) {
    MemorySegment memory = arena.allocate(bytes, PAGE_BYTES);
    check(
        "uc_mem_map_ptr",
        () -> (int) library.mapPointer.invokeExact(engine, address, bytes, UC_PROT_ALL, memory));
    return memory;
  }

  private void putStub(int at, int modRm, int image) {
    int displacement = image - at - STUB_INSTRUCTION_BYTES;
    byte[] bytes = {
      0x48, 0x0F, (byte) 0xAE, (byte) modRm, (byte) displacement, (byte) (displacement >> 8), 0, 0
    };
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, stub, at, bytes.length);
  }

  private void setBits(int register, long bits) {
    MemorySegment value = arena.allocate(JAVA_LONG);
    check("uc_reg_read", () -> (int) library.registerRead.invokeExact(engine, register, value));
    value.set(JAVA_LONG, 0, value.get(JAVA_LONG, 0) | bits);
    check("uc_reg_write", () -> (int) library.registerWrite.invokeExact(engine, register, value));
  }

  private void hookInterrupts() {
    MethodType type =
        MethodType.methodType(void.class, MemorySegment.class, int.class, MemorySegment.class);
    MethodHandle callback;
    try {
      callback = MethodHandles.lookup().bind(this, "onInterrupt", type);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
    MemorySegment pointer =
        Linker.nativeLinker()
            .upcallStub(callback, FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, ADDRESS), arena);
    MemorySegment hook = arena.allocate(JAVA_LONG);
    MemorySegment none = MemorySegment.NULL;
    check(
        "uc_hook_add",
        () -> (int) library.addHook.invokeExact(engine, hook, UC_HOOK_INTR, pointer, none, 1L, 0L));
  }

  /** Called by libunicorn, on our thread, inside uc_emu_start. */
  @SuppressWarnings("unused")
  private void onInterrupt(MemorySegment uc, int number, MemorySegment user) {
    interrupt = number;
    check("uc_emu_stop", () -> (int) library.stop.invokeExact(uc));
  }

  /**
   * Whether an exception was raised: it stays "being handled" in the engine, and the next one would
   * count as a double fault. Take a new engine then.
   */
  boolean worn() {
    return worn;
  }

  /**
   * Runs one instruction.
   *
   * @param in state, code and data; x87 and SSE state go in and out only if it uses them
   * @param result receives the state; its vector is the exception, {@link #MEMORY_FAULT} or none.
   *     After a fault only the vector means anything.
   */
  void run(MachineImage in, MachineImage result) {
    result.copyFrom(in);
    result.vector(MachineImage.NO_FAULT);
    data.copyFrom(in.data());
    MemorySegment.copy(in.code(), 0, code, 0, MachineImage.CODE_BYTES);
    if (in.usesFpu()) {
      MemorySegment.copy(in.fxsave(), 0, stub, STUB_FXRSTOR_IMAGE, MachineImage.FXSAVE_BYTES);
      checkStub(execute(STUB_ADDRESS, STUB_ADDRESS + STUB_INSTRUCTION_BYTES, 1));
    }
    load(in);
    int vector = step(in);
    if (vector != MachineImage.NO_FAULT) {
      worn |= interrupt != MachineImage.NO_FAULT;
      result.vector(vector);
      return;
    }
    save(result);
    result.data().copyFrom(data);
    if (in.usesFpu()) {
      long at = STUB_ADDRESS + STUB_FXSAVE_AT;
      checkStub(execute(at, at + STUB_INSTRUCTION_BYTES, 1));
      MemorySegment.copy(stub, STUB_FXSAVE_IMAGE, result.fxsave(), 0, MachineImage.FXSAVE_BYTES);
    }
  }

  private int step(MachineImage in) {
    long from = MachineImage.CODE_ADDRESS;
    check(
        "uc_ctl_remove_cache",
        () ->
            (int)
                library.removeCache.invokeExact(
                    engine, UC_CTL_WRITE_TB_REMOVE_CACHE, from, from + MachineImage.CODE_BYTES));
    return execute(from, from + in.length(), in.maxSteps());
  }

  private static void checkStub(int vector) {
    if (vector != MachineImage.NO_FAULT) {
      throw new IllegalStateException("FXRSTOR64 or FXSAVE64 in libunicorn: vector " + vector);
    }
  }

  private int execute(long from, long until, long count) {
    interrupt = MachineImage.NO_FAULT;
    int error = invoke(() -> (int) library.start.invokeExact(engine, from, until, 0L, count));
    if (interrupt != MachineImage.NO_FAULT) {
      return interrupt;
    }
    return switch (error) {
      // A branch to an unmapped page was done; fetching there would be the next instruction.
      case UC_ERR_OK, UC_ERR_FETCH_UNMAPPED -> MachineImage.NO_FAULT;
      case UC_ERR_INSN_INVALID -> INVALID_OPCODE;
      case UC_ERR_READ_UNMAPPED, UC_ERR_WRITE_UNMAPPED, UC_ERR_EXCEPTION -> MEMORY_FAULT;
      default -> throw new IllegalStateException("uc_emu_start: uc_err " + error);
    };
  }

  private void load(MachineImage in) {
    for (int i = 0; i < 16; i++) {
      values.setAtIndex(JAVA_LONG, i, in.gpr(i));
    }
    values.setAtIndex(JAVA_LONG, RIP, in.rip());
    values.setAtIndex(JAVA_LONG, RFLAGS, in.rflags());
    values.setAtIndex(JAVA_LONG, FS_BASE, in.fsBase());
    values.setAtIndex(JAVA_LONG, GS_BASE, in.gsBase());
    transfer("uc_reg_write_batch", library.registersWrite);
  }

  private void save(MachineImage out) {
    transfer("uc_reg_read_batch", library.registersRead);
    for (int i = 0; i < 16; i++) {
      out.gpr(i, values.getAtIndex(JAVA_LONG, i));
    }
    out.rip(values.getAtIndex(JAVA_LONG, RIP));
    out.rflags(values.getAtIndex(JAVA_LONG, RFLAGS));
  }

  private void transfer(String what, MethodHandle handle) {
    check(
        what,
        () -> (int) handle.invokeExact(engine, registerNumbers, valuePointers, REGISTERS.length));
  }

  @Override
  public void close() {
    check("uc_close", () -> (int) library.close.invokeExact(engine));
    arena.close();
  }
}
