package org.pluribus.vmm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.pluribus.posix.HostMemory;

/**
 * One emulated x86-64 CPU: its loop, operand access and stack.
 *
 * <p>{@link #run} executes guest code on the calling thread, the vCPU's, until the environment says
 * stop. Between blocks it looks at one field, {@link #attention}, which other threads set.
 */
public final class Cpu extends RegionMemory {
  /** Attention: an interrupt or NMI may be deliverable. */
  public static final int ATTENTION_INTERRUPT = 1;

  /** Attention: the environment wants its {@link CpuEnvironment#safepoint}. */
  public static final int ATTENTION_SAFEPOINT = 2;

  /** Attention: this CPU has written into a code page. */
  static final int ATTENTION_CODE_WRITTEN = 4;

  private static final VarHandle ATTENTION;
  private static final VarHandle WAITS;

  static {
    try {
      ATTENTION = MethodHandles.lookup().findVarHandle(Cpu.class, "attention", int.class);
      WAITS = MethodHandles.lookup().findVarHandle(Cpu.class, "waits", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** log2 of a block's typical length, by which the fuel of compiled code is reckoned. */
  private static final int INSTRUCTIONS_PER_BLOCK_SHIFT = 3;

  /** Number of the vCPU in the machine. */
  public final int id;

  /** Compiles hot blocks; set by the owner before {@link #run}, null to only interpret. */
  @Nullable BlockCompiler compiler;

  /** What waits to be looked at between blocks; set from any thread. */
  int attention;

  /** Interrupts are held off for one instruction (after STI, MOV SS, POP SS). */
  public boolean interruptShadow;

  /** The instruction just executed holds off the single-step trap (MOV SS, INT n, SYSCALL). */
  boolean trapSuppressed;

  /** An NMI is being handled: the next one waits for IRET. */
  public boolean nmiBlocked;

  /** What CPUID tells. */
  public final CpuidTable cpuid;

  /** Model-specific registers that nothing but RDMSR and WRMSR looks at. */
  final Msrs msrs = new Msrs();

  /** Scratch for pushing to a stack that is not yet the current one. */
  final PendingStack pendingStack = new PendingStack();

  /** HLT was executed: wait for an interrupt. */
  public boolean halted;

  /**
   * Blocks left until the CPU calls {@link CpuEnvironment#safepoint} by itself, so that its thread
   * polls the network now and then. Compiled code counts down too.
   */
  int fuel;

  /**
   * Arithmetic flags that one region of compiled code left to the next ({@link LazyFlags}); {@link
   * LazyFlags#NONE} whenever anything else runs.
   */
  int flagKind;

  long flagA;
  long flagB;

  private int pollBlocks = 1 << 16;

  private long waits;

  /** Instructions executed. */
  public long instructions;

  /** Result of {@link CpuEnvironment#readMsr}. */
  public long msrValue;

  /** The CPU has stopped for good (triple fault). */
  boolean dead;

  private final BlockDecoder blockDecoder;

  /** A CPU that is alone in its machine. */
  public Cpu(int id, CpuEnvironment env, CodeCache codeCache) {
    this(id, env, codeCache, new CpuidTable(CpuidConfig.uniprocessor()));
  }

  /**
   * @param cpuid what CPUID tells: its place among the machine's CPUs, and the TSC's frequency
   */
  public Cpu(int id, CpuEnvironment env, CodeCache codeCache, CpuidTable cpuid) {
    super(env, codeCache);
    this.id = id;
    this.cpuid = cpuid;
    blockDecoder = new BlockDecoder(this, codeCache);
    CpuReset.reset(this);
  }

  public CpuEnvironment environment() {
    return env;
  }

  /** It executes what software does that waits for somebody: PAUSE, HLT. */
  void countWait() {
    WAITS.setOpaque(this, waits + 1);
  }

  /** How many PAUSEs and HLTs it has executed. Any thread; another than its own may see less. */
  public long waits() {
    return (long) WAITS.getOpaque(this);
  }

  /** Sets how many blocks run between two calls of {@link CpuEnvironment#safepoint}. */
  public void pollBlocks(int blocks) {
    pollBlocks = blocks;
  }

  /**
   * Has hot code compiled from now on. To be called before {@link #run}; the compiler is shared by
   * the CPUs of a node.
   */
  public void compileWith(RegionCompiler shared) {
    compiler = shared;
  }

  /** Whether EFLAGS.IF is set. */
  public boolean interruptsEnabled() {
    return (flagsSystem & FLAG_IF) != 0;
  }

  /** Asks for attention. Any thread; the CPU sees it at its next block boundary or in HLT. */
  public void raiseAttention(int bits) {
    ATTENTION.getAndBitwiseOr(this, bits);
  }

  /** Runs guest code until the environment or a triple fault stops it. vCPU thread. */
  public void run() {
    while (!dead) {
      try {
        if ((attention != 0 || --fuel < 0) && !serveAttention()) {
          return;
        }
        if (halted) {
          if (!env.halt(this)) {
            return;
          }
          // Whatever woke us is looked at next; HLT ends only by an interrupt delivered.
          raiseAttention(ATTENTION_INTERRUPT);
          continue;
        }
        if (interruptShadow || (flagsSystem & FLAG_TF) != 0 || (dr[7] & 0xFF) != 0) {
          stepSpecially();
        } else {
          runBlocks();
        }
      } catch (GuestFault f) {
        Exceptions.deliverFault(this, f.vector, f.errorCode);
      }
    }
  }

  /** Executes exactly one instruction, delivering what it raises. For tests and single-stepping. */
  public void step() {
    try {
      executeOne();
    } catch (GuestFault f) {
      Exceptions.deliverFault(this, f.vector, f.errorCode);
    }
  }

  /**
   * Executes exactly one instruction without delivering a fault.
   *
   * @throws GuestFault what the instruction raised
   */
  public void executeOne() {
    Block b = currentBlock();
    Insn i = b.insns[0];
    nextRip = rip + i.length & ripMask();
    i.handler.exec(this, i);
    rip = nextRip;
    breakBlock = false;
    instructions++;
  }

  /** Runs compiled blocks for as long as they follow each other, or interprets one block. */
  void runBlocks() {
    Block b = currentBlock();
    CompiledCode c = b.compiled;
    if (c != null) {
      runCompiled(c);
      return;
    }
    BlockCompiler bc = compiler;
    if (bc != null && ++b.heat >= bc.threshold()) {
      bc.offer(this, b);
    }
    interpret(b);
  }

  private void runCompiled(CompiledCode first) {
    CompiledCode c = first;
    try {
      while (c != null) {
        long before = instructions;
        boolean goOn = c.run(this);
        fuel -= (int) (instructions - before >> INSTRUCTIONS_PER_BLOCK_SHIFT) + 1;
        if (!goOn || attention != 0 || fuel < 0) {
          break;
        }
        c = currentBlock().compiled;
      }
    } finally {
      LazyFlags.settle(this);
    }
  }

  void interpret(Block b) {
    long mask = ripMask();
    int done = 0;
    try {
      for (Insn i : b.insns) {
        nextRip = rip + i.length & mask;
        i.handler.exec(this, i);
        rip = nextRip;
        done++;
        if (breakBlock) {
          breakBlock = false;
          break;
        }
      }
    } finally {
      instructions += done;
    }
  }

  /** RIP wraps at 4 GiB outside 64-bit code. */
  private long ripMask() {
    return codeBits == 64 ? -1L : 0xFFFFFFFFL;
  }

  /** Single-stepping, breakpoints and the shadow after STI: one instruction at a time. */
  private void stepSpecially() {
    boolean trap = (flagsSystem & FLAG_TF) != 0;
    interruptShadow = false;
    trapSuppressed = false;
    if (Debug.atInstructionBreakpoint(this)) {
      return;
    }
    executeOne();
    Debug.afterInstruction(this, trap);
  }

  /** The block at CS:RIP, decoded when it is not yet known. */
  Block currentBlock() {
    long la = codeBits == 64 ? rip : segBase[CS] + rip & 0xFFFFFFFFL;
    int slot = (int) (la >>> 12) & ITLB_MASK;
    long tag = la & PAGE_MASK | (cpl == 3 ? 1 : 0);
    if (fetchTag[slot] == tag) {
      CodePage p = fetchPage[slot];
      Block b = p.find(CodePage.widthIndex(codeBits), (int) la & 0xFFF);
      if (b != null && b.crossingBytes == null && !p.stale) {
        return b;
      }
    }
    return blockDecoder.block(la, tag, slot);
  }

  private boolean serveAttention() {
    int a = (int) ATTENTION.getAndSet(this, 0);
    codeWriter.end();
    boolean poll = (a & ATTENTION_SAFEPOINT) != 0 || fuel < 0;
    if (poll) {
      fuel = pollBlocks;
    }
    if (poll && !env.safepoint(this)) {
      raiseAttention(ATTENTION_INTERRUPT);
      return false;
    }
    if (interruptShadow) {
      raiseAttention(ATTENTION_INTERRUPT); // the next boundary
      return true;
    }
    if (!nmiBlocked && env.takeNmi(this)) {
      halted = false;
      nmiBlocked = true;
      Exceptions.deliverInterrupt(this, GuestFault.NMI);
    } else if ((flagsSystem & FLAG_IF) != 0 && env.interruptPending(this)) {
      int vector = env.acknowledgeInterrupt(this);
      if (vector >= 0) {
        halted = false;
        Exceptions.deliverInterrupt(this, vector);
      }
      raiseAttention(ATTENTION_INTERRUPT); // there may be another
    }
    return true;
  }

  /** Called by whatever set EFLAGS.IF: a pending interrupt may be deliverable now. */
  public void interruptsMayBeEnabled() {
    if ((flagsSystem & FLAG_IF) != 0 && env.interruptPending(this)) {
      raiseAttention(ATTENTION_INTERRUPT);
    }
  }

  // ---- operands ----

  /** Reads operand {@code n}: a register, memory or immediate, zero-extended from its size. */
  public long read(Insn i, int n) {
    return switch (i.kind[n]) {
      case Insn.REG -> readGpr(i.reg[n], i.size[n]);
      case Insn.MEM -> load(address(i, i.size[n], false), i.size[n]);
      case Insn.IMM -> i.imm;
      case Insn.SREG -> segSelector[i.reg[n]];
      default -> throw new IllegalStateException("operand " + n + " of " + i);
    };
  }

  /** Writes operand {@code n}, a register or memory. */
  public void write(Insn i, int n, long v) {
    if (i.kind[n] == Insn.REG) {
      writeGpr(i.reg[n], i.size[n], v);
    } else {
      store(address(i, i.size[n], true), i.size[n], v);
    }
  }

  // ---- stack ----

  private long stackMask() {
    return stackBits == 64 ? -1L : stackBits == 32 ? 0xFFFFFFFFL : 0xFFFF;
  }

  /** Linear address of {@code size} bytes at stack offset {@code sp}. */
  public long stackAddress(long sp, int size, boolean write) {
    return linear(SS, sp & stackMask(), size, write);
  }

  /** The stack pointer moved by {@code delta}, wrapped to the stack's width. */
  public long movedSp(long delta) {
    long mask = stackMask();
    return (gpr[RSP] & ~mask) | (gpr[RSP] + delta & mask);
  }

  /** Pushes {@code size} bytes; RSP changes only when the store succeeded. */
  public void push(long v, int size) {
    long sp = movedSp(-size);
    store(stackAddress(sp, size, true), size, v);
    gpr[RSP] = sp;
  }

  /** Reads the top of the stack without popping. */
  public long peek(int size) {
    return load(stackAddress(gpr[RSP], size, false), size);
  }

  /** Pops {@code size} bytes. */
  public long pop(int size) {
    long v = peek(size);
    gpr[RSP] = movedSp(size);
    return v;
  }

  /** Raises #UD for bytes the table does not know, and tells the environment. */
  GuestFault unknown(byte[] bytes, int length) {
    env.unknownInstruction(this, rip, bytes, length);
    return ud();
  }

  /** Stops this CPU for good after a triple fault. */
  void shutDown() {
    dead = true;
    env.tripleFault(this);
  }

  /** Reads code bytes at a host address into {@code to}; used by the block decoder. */
  static void copyCode(long host, byte[] to, int at, int count) {
    for (int k = 0; k < count; k++) {
      to[at + k] = HostMemory.getByte(host + k);
    }
  }
}
