package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

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

  private static final String LIBRARY = "libunicorn.so.2";

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

  private static final @Nullable SymbolLookup LOOKUP = lookup();

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment engine;
  private final MemorySegment code;
  private final MemorySegment data;
  private final MemorySegment stub;
  private final MemorySegment values;
  private final MemorySegment registerNumbers;
  private final MemorySegment valuePointers;
  private final MethodHandle registersWrite;
  private final MethodHandle registersRead;
  private final MethodHandle start;
  private final MethodHandle stop;
  private final MethodHandle removeCache;
  private int interrupt = MachineImage.NO_FAULT;

  private static @Nullable SymbolLookup lookup() {
    try {
      return SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Why there is no libunicorn, or null if there is. */
  static @Nullable String unavailable() {
    return LOOKUP == null ? LIBRARY + " is not installed (apt-get install libunicorn2)" : null;
  }

  Unicorn() {
    registersWrite = bind("uc_reg_write_batch", ADDRESS, ADDRESS, ADDRESS, JAVA_INT);
    registersRead = bind("uc_reg_read_batch", ADDRESS, ADDRESS, ADDRESS, JAVA_INT);
    start = bind("uc_emu_start", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    stop = bind("uc_emu_stop", ADDRESS);
    removeCache = control(JAVA_LONG, JAVA_LONG);
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

  private void putStub(int at, int modRm, int image) {
    int displacement = image - at - STUB_INSTRUCTION_BYTES;
    byte[] bytes = {
      0x48, 0x0F, (byte) 0xAE, (byte) modRm, (byte) displacement, (byte) (displacement >> 8), 0, 0
    };
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, stub, at, bytes.length);
  }

  private static MemorySegment symbol(String name) {
    if (LOOKUP == null) {
      throw new IllegalStateException(unavailable());
    }
    return LOOKUP.findOrThrow(name);
  }

  private static MethodHandle bind(String name, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(symbol(name), FunctionDescriptor.of(JAVA_INT, arguments));
  }

  private static MethodHandle control(MemoryLayout... variadic) {
    FunctionDescriptor type =
        FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT).appendArgumentLayouts(variadic);
    return Linker.nativeLinker()
        .downcallHandle(symbol("uc_ctl"), type, Linker.Option.firstVariadicArg(2));
  }

  private static void check(String call, int error) {
    if (error != UC_ERR_OK) {
      throw new IllegalStateException(call + " failed with uc_err " + error);
    }
  }

  private MemorySegment open() {
    MemorySegment result = arena.allocate(ADDRESS);
    try {
      check(
          "uc_open",
          (int)
              bind("uc_open", JAVA_INT, JAVA_INT, ADDRESS)
                  .invokeExact(UC_ARCH_X86, UC_MODE_64, result));
      MemorySegment handle = result.get(ADDRESS, 0);
      check(
          "uc_ctl_set_cpu_model",
          (int) control(JAVA_INT).invokeExact(handle, UC_CTL_WRITE_CPU_MODEL, UC_CPU_X86_NEHALEM));
      return handle;
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  private MemorySegment map(long address, long bytes) {
    MemorySegment memory = arena.allocate(bytes, PAGE_BYTES);
    try {
      check(
          "uc_mem_map_ptr",
          (int)
              bind("uc_mem_map_ptr", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS)
                  .invokeExact(engine, address, bytes, UC_PROT_ALL, memory));
      return memory;
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  private void setBits(int register, long bits) {
    MemorySegment value = arena.allocate(JAVA_LONG);
    try {
      check(
          "uc_reg_read",
          (int)
              bind("uc_reg_read", ADDRESS, JAVA_INT, ADDRESS).invokeExact(engine, register, value));
      value.set(JAVA_LONG, 0, value.get(JAVA_LONG, 0) | bits);
      check(
          "uc_reg_write",
          (int)
              bind("uc_reg_write", ADDRESS, JAVA_INT, ADDRESS)
                  .invokeExact(engine, register, value));
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  private void hookInterrupts() {
    try {
      MethodHandle callback =
          MethodHandles.lookup()
              .bind(
                  this,
                  "onInterrupt",
                  MethodType.methodType(
                      void.class, MemorySegment.class, int.class, MemorySegment.class));
      MemorySegment pointer =
          Linker.nativeLinker()
              .upcallStub(callback, FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, ADDRESS), arena);
      MethodHandle add =
          Linker.nativeLinker()
              .downcallHandle(
                  symbol("uc_hook_add"),
                  FunctionDescriptor.of(
                      JAVA_INT, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG),
                  Linker.Option.firstVariadicArg(7));
      MemorySegment hook = arena.allocate(JAVA_LONG);
      check(
          "uc_hook_add",
          (int) add.invokeExact(engine, hook, UC_HOOK_INTR, pointer, MemorySegment.NULL, 1L, 0L));
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /** Called by libunicorn, on our thread, inside uc_emu_start. */
  @SuppressWarnings("unused")
  private void onInterrupt(MemorySegment uc, int number, MemorySegment user) {
    interrupt = number;
    try {
      int ignored = (int) stop.invokeExact(uc);
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /**
   * Runs one instruction.
   *
   * @param in state, code and data
   * @param withFpu whether to bring x87 and SSE state in and out (else the result copies the input)
   * @param result receives the state; its vector is the exception, {@link #MEMORY_FAULT} or none.
   *     After a fault only the vector means anything.
   */
  void run(MachineImage in, boolean withFpu, MachineImage result) {
    result.copyFrom(in);
    result.vector(MachineImage.NO_FAULT);
    data.copyFrom(in.data());
    MemorySegment.copy(in.code(), 0, code, 0, MachineImage.CODE_BYTES);
    if (withFpu) {
      MemorySegment.copy(in.fxsave(), 0, stub, STUB_FXRSTOR_IMAGE, MachineImage.FXSAVE_BYTES);
      checkStub(execute(STUB_ADDRESS, STUB_ADDRESS + STUB_INSTRUCTION_BYTES, 1));
    }
    load(in);
    int vector = step(in);
    if (vector != MachineImage.NO_FAULT) {
      result.vector(vector);
      return;
    }
    save(result);
    result.data().copyFrom(data);
    if (withFpu) {
      long at = STUB_ADDRESS + STUB_FXSAVE_AT;
      checkStub(execute(at, at + STUB_INSTRUCTION_BYTES, 1));
      MemorySegment.copy(stub, STUB_FXSAVE_IMAGE, result.fxsave(), 0, MachineImage.FXSAVE_BYTES);
    }
  }

  private int step(MachineImage in) {
    try {
      check(
          "uc_ctl_remove_cache",
          (int)
              removeCache.invokeExact(
                  engine,
                  UC_CTL_WRITE_TB_REMOVE_CACHE,
                  MachineImage.CODE_ADDRESS,
                  MachineImage.CODE_ADDRESS + MachineImage.CODE_BYTES));
    } catch (Throwable t) {
      throw rethrow(t);
    }
    long end = MachineImage.CODE_ADDRESS + in.length();
    return execute(MachineImage.CODE_ADDRESS, end, in.maxSteps());
  }

  private static void checkStub(int vector) {
    if (vector != MachineImage.NO_FAULT) {
      throw new IllegalStateException("FXRSTOR64 or FXSAVE64 in libunicorn: vector " + vector);
    }
  }

  private int execute(long from, long until, long count) {
    interrupt = MachineImage.NO_FAULT;
    int error;
    try {
      error = (int) start.invokeExact(engine, from, until, 0L, count);
    } catch (Throwable t) {
      throw rethrow(t);
    }
    if (interrupt != MachineImage.NO_FAULT) {
      return interrupt;
    }
    return switch (error) {
      case UC_ERR_OK -> MachineImage.NO_FAULT;
      case UC_ERR_INSN_INVALID -> INVALID_OPCODE;
      case UC_ERR_READ_UNMAPPED, UC_ERR_WRITE_UNMAPPED, UC_ERR_FETCH_UNMAPPED -> MEMORY_FAULT;
      case UC_ERR_EXCEPTION -> MEMORY_FAULT;
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
    transfer("uc_reg_write_batch", registersWrite);
  }

  private void save(MachineImage out) {
    transfer("uc_reg_read_batch", registersRead);
    for (int i = 0; i < 16; i++) {
      out.gpr(i, values.getAtIndex(JAVA_LONG, i));
    }
    out.rip(values.getAtIndex(JAVA_LONG, RIP));
    out.rflags(values.getAtIndex(JAVA_LONG, RFLAGS));
  }

  private void transfer(String call, MethodHandle handle) {
    try {
      check(
          call, (int) handle.invokeExact(engine, registerNumbers, valuePointers, REGISTERS.length));
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  private static RuntimeException rethrow(Throwable t) {
    if (t instanceof RuntimeException e) {
      throw e;
    }
    throw new AssertionError("a downcall threw", t);
  }

  @Override
  public void close() {
    try {
      check("uc_close", (int) bind("uc_close", ADDRESS).invokeExact(engine));
    } catch (Throwable t) {
      throw rethrow(t);
    }
    arena.close();
  }
}
