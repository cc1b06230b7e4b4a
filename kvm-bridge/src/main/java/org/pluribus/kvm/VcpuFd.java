package org.pluribus.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pluribus.posix.Descriptor;
import org.pluribus.posix.Errno;
import org.pluribus.posix.PosixException;
import org.pluribus.posix.ThreadKick;

/**
 * One virtual CPU. {@link #run()} executes guest code until something needs the VMM.
 *
 * <p>All methods belong to one thread at a time, the vCPU's thread, which must be a platform thread
 * (KVM is fastest if it stays the same). {@link #kick()} alone is for any thread. Nothing is
 * allocated by {@code run}, {@code kick}, {@code interrupt}, {@code nmi} and the get and set
 * methods that take a reusable object.
 *
 * <h2>Kicks are never lost</h2>
 *
 * Whoever has news for the vCPU publishes it first, then calls {@link #kick()}. The vCPU's thread
 * looks for news between {@code run} returning and calling it again. Then either it sees the news,
 * or the next (or present) run returns {@link VcpuExit.Interrupted} soon. A run may also return
 * Interrupted without news.
 */
public final class VcpuFd implements AutoCloseable {
  private static final int SCRATCH_BYTES = 128;

  private final int id;
  private final Descriptor vcpu;
  private final KvmRun run;
  private final VcpuExits exits;
  private final MemorySegment scratch = Arena.ofAuto().allocate(SCRATCH_BYTES, Long.BYTES);

  /** Whose kernel id {@link #threadId} is. */
  private @Nullable Thread thread;

  private volatile int threadId;

  /**
   * Whether the thread is in, or about to enter, KVM_RUN: only then a kick needs the signal. The
   * vCPU writes this, then the kernel reads immediate_exit; a kick writes immediate_exit, then
   * reads this; with a full fence between on both sides at least one sees the other.
   */
  private volatile boolean running;

  VcpuFd(int id, Descriptor vcpu, KvmRun run) {
    this.id = id;
    this.vcpu = vcpu;
    this.run = run;
    this.exits = new VcpuExits(run.address());
  }

  /** The number it was made with. */
  public int id() {
    return id;
  }

  /** The descriptor's number, -1 once closed. */
  public int fd() {
    return vcpu.fd();
  }

  /** The kernel's id of the thread that runs it; 0 before its first run. Any thread. */
  public int threadId() {
    return threadId;
  }

  /** The memory shared with the kernel. */
  public KvmRun runArea() {
    return run;
  }

  /**
   * Runs the guest until something needs the VMM. Completes the previous exit first: answers to
   * reads take effect even if the run then ends at once as {@link VcpuExit.Interrupted}.
   *
   * @return this vCPU's object of the exit's kind, valid until the next run
   * @throws PosixException what the kernel said other than EINTR: EFAULT for guest memory that is
   *     not mapped, EBADF after close, ENOEXEC...
   */
  public VcpuExit run() {
    if (Thread.currentThread() != thread) {
      adopt();
    }
    running = true;
    int answer = KvmIoctl.KVM_RUN.call(vcpu.fd(), 0);
    running = false;
    if (vcpu.isOpen()) {
      run.immediateExit(false);
      // What a kicker published before it set the flag is visible to whoever looks from here on.
      VarHandle.fullFence();
    }
    if (answer >= 0) {
      return exits.of(run.exitReason());
    }
    return exceptional(-answer);
  }

  private void adopt() {
    if (Thread.currentThread().isVirtual()) {
      throw new IllegalStateException(
          "vCPU %d needs a platform thread: a signal cannot find a virtual one".formatted(id));
    }
    threadId = ThreadKick.enlist();
    thread = Thread.currentThread();
  }

  private VcpuExit exceptional(int errno) {
    if (errno == Errno.EINTR.number() || errno == Errno.EAGAIN.number()) {
      return exits.interrupted();
    }
    if (vcpu.isOpen() && run.exitReason() == KvmAbi.KVM_EXIT_MEMORY_FAULT) {
      return exits.of(KvmAbi.KVM_EXIT_MEMORY_FAULT);
    }
    throw KvmIoctl.KVM_RUN.failure(errno, "vCPU " + id);
  }

  /**
   * Makes the present run, or the next one, return {@link VcpuExit.Interrupted}. For any thread;
   * see above. Does nothing on a closed vCPU.
   */
  public void kick() {
    // Excludes close() alone, which would unmap the flag under our hands.
    synchronized (vcpu) {
      if (!vcpu.isOpen()) {
        return;
      }
      VarHandle.fullFence();
      if (run.immediateExit()) {
        return; // kicked already: the flag is cleared before the thread looks for news
      }
      run.immediateExit(true);
      VarHandle.fullFence();
      if (running) {
        ThreadKick.send(threadId);
      }
    }
  }

  /**
   * Queues an external interrupt, taken at the next run whatever RFLAGS.IF says: call it only if
   * {@link KvmRun#readyForInterruptInjection()}. Not with an in-kernel interrupt controller.
   *
   * @param vector 0 to 255
   * @throws PosixException EEXIST if one is queued already, EINVAL, ENXIO
   */
  public void interrupt(int vector) {
    scratch.set(ValueLayout.JAVA_INT, 0, vector);
    KvmIoctl.KVM_INTERRUPT.checked(KvmIoctl.KVM_INTERRUPT.callShort(fd(), scratch.address()), fd());
  }

  /** Queues a non-maskable interrupt; KVM holds it back while another is handled. */
  public void nmi() {
    KvmIoctl.KVM_NMI.checked(KvmIoctl.KVM_NMI.callShort(fd(), 0), fd());
  }

  public void getRegs(Regs into) {
    struct(KvmIoctl.KVM_GET_REGS, into);
  }

  public void setRegs(Regs from) {
    struct(KvmIoctl.KVM_SET_REGS, from);
  }

  public void getSregs(Sregs into) {
    requireForm(into, false);
    struct(KvmIoctl.KVM_GET_SREGS, into);
  }

  /**
   * @throws PosixException EINVAL if the values contradict each other
   */
  public void setSregs(Sregs from) {
    requireForm(from, false);
    struct(KvmIoctl.KVM_SET_SREGS, from);
  }

  /** The second form, with PDPTRs; needs {@link KvmCap#SREGS2}. */
  public void getSregs2(Sregs into) {
    requireForm(into, true);
    struct(KvmIoctl.KVM_GET_SREGS2, into);
  }

  public void setSregs2(Sregs from) {
    requireForm(from, true);
    struct(KvmIoctl.KVM_SET_SREGS2, from);
  }

  private static void requireForm(Sregs sregs, boolean second) {
    if (sregs.isSecondForm() != second) {
      throw new IllegalArgumentException(
          second ? "Sregs.create2() makes the form for sregs2" : "Sregs.create() makes the form");
    }
  }

  public void getFpu(Fpu into) {
    struct(KvmIoctl.KVM_GET_FPU, into);
  }

  /**
   * Sets x87 and SSE state. A later {@link #getXsave} shows it only if XSTATE_BV had those parts
   * already (Linux writes the registers, not the header); {@link #setXsave} sets both.
   */
  public void setFpu(Fpu from) {
    struct(KvmIoctl.KVM_SET_FPU, from);
  }

  /** All extended state; {@code into} must have {@link VmFd#xsaveBytes()}. */
  public void getXsave(Xsave into) {
    boolean large = into.segment().byteSize() > KvmAbi.XSAVE_BYTES;
    struct(large ? KvmIoctl.KVM_GET_XSAVE2 : KvmIoctl.KVM_GET_XSAVE, into);
  }

  public void setXsave(Xsave from) {
    struct(KvmIoctl.KVM_SET_XSAVE, from);
  }

  public void getXcrs(Xcrs into) {
    struct(KvmIoctl.KVM_GET_XCRS, into);
  }

  public void setXcrs(Xcrs from) {
    struct(KvmIoctl.KVM_SET_XCRS, from);
  }

  public void getVcpuEvents(VcpuEvents into) {
    struct(KvmIoctl.KVM_GET_VCPU_EVENTS, into);
  }

  public void setVcpuEvents(VcpuEvents from) {
    struct(KvmIoctl.KVM_SET_VCPU_EVENTS, from);
  }

  public void getDebugRegs(DebugRegs into) {
    struct(KvmIoctl.KVM_GET_DEBUGREGS, into);
  }

  public void setDebugRegs(DebugRegs from) {
    struct(KvmIoctl.KVM_SET_DEBUGREGS, from);
  }

  /**
   * Reads the list's registers.
   *
   * @return how many were read; if fewer than {@link Msrs#count()}, the entry of that number is the
   *     first one KVM refused, and those after it are untouched
   */
  public int getMsrs(Msrs list) {
    return struct(KvmIoctl.KVM_GET_MSRS, list);
  }

  /**
   * Writes the list's registers.
   *
   * @return how many were written; if fewer than {@link Msrs#count()}, the entry of that number is
   *     the first one KVM refused, and those after it are untouched
   */
  public int setMsrs(Msrs list) {
    return struct(KvmIoctl.KVM_SET_MSRS, list);
  }

  /** What CPUID shall answer; before the first run. */
  public void setCpuid(List<CpuidEntry> entries) {
    struct(KvmIoctl.KVM_SET_CPUID2, new CpuidBuffer(entries));
  }

  /** What CPUID answers. */
  public List<CpuidEntry> cpuid() {
    CpuidBuffer buffer = new CpuidBuffer();
    struct(KvmIoctl.KVM_GET_CPUID2, buffer);
    return buffer.entries();
  }

  private int struct(KvmIoctl request, Struct struct) {
    int answer = request.call(fd(), struct.address());
    Reference.reachabilityFence(struct);
    return request.checked(answer, fd());
  }

  /** Whether it runs, is halted or waits for a start. Without in-kernel APIC always runnable. */
  public MpState mpState() {
    KvmIoctl.KVM_GET_MP_STATE.require(fd(), scratch.address());
    return MpState.of(scratch.get(ValueLayout.JAVA_INT, 0));
  }

  public void setMpState(MpState state) {
    scratch.set(ValueLayout.JAVA_INT, 0, state.number());
    KvmIoctl.KVM_SET_MP_STATE.require(fd(), scratch.address());
  }

  /** Guest TSC frequency, kHz. */
  public int tscKhz() {
    return KvmIoctl.KVM_GET_TSC_KHZ.require(fd(), 0);
  }

  /** Sets it; must be the host's unless {@link KvmCap#TSC_CONTROL}. */
  public void setTscKhz(int kilohertz) {
    KvmIoctl.KVM_SET_TSC_KHZ.require(fd(), kilohertz);
  }

  /** Whether {@link #tscOffset()} can be had here (Linux 5.16 and later). */
  public boolean hasTscOffset() {
    return KvmIoctl.KVM_HAS_DEVICE_ATTR.call(fd(), tscAttribute()) >= 0;
  }

  /** Guest TSC minus (scaled) host TSC, ticks. */
  public long tscOffset() {
    KvmIoctl.KVM_GET_DEVICE_ATTR.require(fd(), tscAttribute());
    return scratch.get(ValueLayout.JAVA_LONG, KvmAbi.DEVICE_ATTR_BYTES);
  }

  /**
   * Sets guest TSC minus (scaled) host TSC, ticks. Software KVM takes the call and ignores it: read
   * the offset back.
   */
  public void setTscOffset(long ticks) {
    long attribute = tscAttribute();
    scratch.set(ValueLayout.JAVA_LONG, KvmAbi.DEVICE_ATTR_BYTES, ticks);
    KvmIoctl.KVM_SET_DEVICE_ATTR.require(fd(), attribute);
  }

  /** The device attribute "TSC offset" in the scratch memory, its value right behind it. */
  private long tscAttribute() {
    long address = scratch.address();
    scratch.fill((byte) 0);
    scratch.set(ValueLayout.JAVA_INT, KvmAbi.DEVICE_ATTR_GROUP, KvmAbi.KVM_VCPU_TSC_CTRL);
    scratch.set(ValueLayout.JAVA_LONG, KvmAbi.DEVICE_ATTR_ATTR, KvmAbi.KVM_VCPU_TSC_OFFSET);
    scratch.set(ValueLayout.JAVA_LONG, KvmAbi.DEVICE_ATTR_ADDR, address + KvmAbi.DEVICE_ATTR_BYTES);
    return address;
  }

  /**
   * Debugs the guest from outside: {@link VcpuExit.Debug} at breakpoints or after each instruction.
   *
   * @param control {@link GuestDebug} bits; 0 ends it
   * @param debugRegisters DR0 to DR7 for hardware breakpoints, at most 8; may be empty
   */
  public void setGuestDebug(int control, long... debugRegisters) {
    scratch.fill((byte) 0);
    scratch.set(ValueLayout.JAVA_INT, KvmAbi.GUEST_DEBUG_CONTROL, control);
    for (int i = 0; i < debugRegisters.length; i++) {
      if (i >= GuestDebug.REGISTERS) {
        throw new IllegalArgumentException(debugRegisters.length + " debug registers: at most 8");
      }
      scratch.set(ValueLayout.JAVA_LONG, KvmAbi.GUEST_DEBUG_REGISTERS + 8L * i, debugRegisters[i]);
    }
    KvmIoctl.KVM_SET_GUEST_DEBUG.require(fd(), scratch.address());
  }

  /**
   * The guest-physical address behind a linear one, by the vCPU's present page tables.
   *
   * @return the address, or -1 if none is mapped
   */
  public long translate(long linear) {
    scratch.fill((byte) 0);
    scratch.set(ValueLayout.JAVA_LONG, KvmAbi.TRANSLATION_LINEAR, linear);
    KvmIoctl.KVM_TRANSLATE.require(fd(), scratch.address());
    boolean valid = scratch.get(ValueLayout.JAVA_BYTE, KvmAbi.TRANSLATION_VALID) != 0;
    return valid ? scratch.get(ValueLayout.JAVA_LONG, KvmAbi.TRANSLATION_PHYSICAL) : -1;
  }

  /** Closes the vCPU. Its thread must be outside {@link #run()} and not come back. */
  @Override
  public void close() {
    synchronized (vcpu) {
      if (vcpu.isOpen()) {
        vcpu.close();
        run.unmap();
      }
    }
  }
}
