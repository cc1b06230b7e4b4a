package org.pluribus.kvm;

import java.util.HexFormat;
import org.pluribus.posix.HostMemory;

/**
 * Why a vCPU stopped, with the exit's data.
 *
 * <p>Each vCPU has one object of each kind, made beforehand, that reads the run area; {@link
 * VcpuFd#run()} returns the right one, so an exit allocates nothing. What it says holds until the
 * vCPU's next run. Answers (the data of a read) are written through it, into the run area, and take
 * effect at the next run. Only for the vCPU's thread.
 *
 * <pre>{@code
 * switch (vcpu.run()) {
 *   case VcpuExit.Io io when io.isIn() -> io.answer(0, bus.read(io.port(), io.size()));
 *   case VcpuExit.Mmio mmio when mmio.isWrite() -> bus.write(mmio.address(), mmio.data());
 *   case VcpuExit.Hlt _ -> waitForInterrupt();
 *   ...
 * }
 * }</pre>
 */
public abstract sealed class VcpuExit {
  private static final long LOW_32 = 0xFFFF_FFFFL;

  /** The run area's address. */
  final long run;

  private VcpuExit(long run) {
    this.run = run;
  }

  /** The kind's name; kinds with data show it too. */
  @Override
  public String toString() {
    return getClass().getSimpleName();
  }

  final int byteAt(int offset) {
    return HostMemory.getByte(run + offset) & 0xFF;
  }

  final int intAt(int offset) {
    return HostMemory.getInt(run + offset);
  }

  final long longAt(int offset) {
    return HostMemory.getLong(run + offset);
  }

  /** Reads 1, 2, 4 or 8 bytes, zero-extended. */
  private static long load(long address, int bytes) {
    return switch (bytes) {
      case 1 -> HostMemory.getByte(address) & 0xFFL;
      case 2 -> HostMemory.getShort(address) & 0xFFFFL;
      case 4 -> HostMemory.getInt(address) & LOW_32;
      default -> HostMemory.getLong(address);
    };
  }

  private static void store(long address, int bytes, long value) {
    switch (bytes) {
      case 1 -> HostMemory.putByte(address, (byte) value);
      case 2 -> HostMemory.putShort(address, (short) value);
      case 4 -> HostMemory.putInt(address, (int) value);
      default -> HostMemory.putLong(address, value);
    }
  }

  /** Port input or output; INS and OUTS come as one exit with a count. */
  public static final class Io extends VcpuExit {
    Io(long run) {
      super(run);
    }

    /** The guest reads: {@link #answer} every item. */
    public boolean isIn() {
      return byteAt(KvmAbi.RUN_IO_DIRECTION) == KvmAbi.KVM_EXIT_IO_IN;
    }

    public int port() {
      return HostMemory.getShort(run + KvmAbi.RUN_IO_PORT) & 0xFFFF;
    }

    /** Bytes per item: 1, 2 or 4. */
    public int size() {
      return byteAt(KvmAbi.RUN_IO_SIZE);
    }

    /** Items, one after another at {@link #dataAddress()}. */
    public int count() {
      return intAt(KvmAbi.RUN_IO_COUNT);
    }

    /** Where the items lie in this process. */
    public long dataAddress() {
      return run + longAt(KvmAbi.RUN_IO_DATA_OFFSET);
    }

    /** Item {@code index} that the guest wrote, zero-extended. */
    public int data(int index) {
      return (int) load(item(index), size());
    }

    /** Item {@code index} for the guest to read. */
    public void answer(int index, int value) {
      store(item(index), size(), value);
    }

    private long item(int index) {
      if (index < 0 || index >= count()) {
        throw new IndexOutOfBoundsException("item " + index + " of " + count());
      }
      return dataAddress() + (long) index * size();
    }

    @Override
    public String toString() {
      return "Io[%s port 0x%x, %d x %d bytes]"
          .formatted(isIn() ? "in" : "out", port(), count(), size());
    }
  }

  /** An access to guest-physical memory that no region holds. */
  public static final class Mmio extends VcpuExit {
    Mmio(long run) {
      super(run);
    }

    public boolean isWrite() {
      return byteAt(KvmAbi.RUN_MMIO_IS_WRITE) != 0;
    }

    /** Guest-physical address. */
    public long address() {
      return longAt(KvmAbi.RUN_MMIO_ADDRESS);
    }

    /** Bytes, 1 to 8; other than 1, 2, 4, 8 when an access crosses pages. */
    public int length() {
      return intAt(KvmAbi.RUN_MMIO_LENGTH);
    }

    /** What the guest wrote, zero-extended, lowest address in the lowest byte. */
    public long data() {
      int bytes = length();
      long all = longAt(KvmAbi.RUN_MMIO_DATA);
      return bytes >= Long.BYTES ? all : all & (1L << bytes * Byte.SIZE) - 1;
    }

    /** What the guest shall read; bytes above {@link #length()} are ignored. */
    public void answer(long value) {
      HostMemory.putLong(run + KvmAbi.RUN_MMIO_DATA, value);
    }

    @Override
    public String toString() {
      return "Mmio[%s 0x%x, %d bytes]".formatted(isWrite() ? "write" : "read", address(), length());
    }
  }

  /** What RDMSR and WRMSR exits share; they come if {@link KvmCap#X86_USER_SPACE_MSR} is on. */
  public abstract static sealed class MsrExit extends VcpuExit {
    private MsrExit(long run) {
      super(run);
    }

    /** ECX: which register. */
    public int index() {
      return intAt(KvmAbi.RUN_MSR_INDEX);
    }

    /** Why it exited: one of the MSR_EXIT_ bits of {@link VmFd}. */
    public int reason() {
      return intAt(KvmAbi.RUN_MSR_REASON);
    }

    /** The guest shall take #GP(0) instead. */
    public void fail() {
      HostMemory.putByte(run + KvmAbi.RUN_MSR_ERROR, (byte) 1);
    }

    final void succeed() {
      HostMemory.putByte(run + KvmAbi.RUN_MSR_ERROR, (byte) 0);
    }
  }

  /** RDMSR that the VMM shall answer. */
  public static final class Rdmsr extends MsrExit {
    Rdmsr(long run) {
      super(run);
    }

    /** EDX:EAX for the guest. */
    public void answer(long value) {
      HostMemory.putLong(run + KvmAbi.RUN_MSR_DATA, value);
      succeed();
    }

    @Override
    public String toString() {
      return "Rdmsr[0x%x, reason %d]".formatted(index(), reason());
    }
  }

  /** WRMSR that the VMM shall carry out. */
  public static final class Wrmsr extends MsrExit {
    Wrmsr(long run) {
      super(run);
    }

    /** EDX:EAX. */
    public long data() {
      return longAt(KvmAbi.RUN_MSR_DATA);
    }

    /** The write is done. */
    public void accept() {
      succeed();
    }

    @Override
    public String toString() {
      return "Wrmsr[0x%x = 0x%x, reason %d]".formatted(index(), data(), reason());
    }
  }

  /** The guest halted; only without in-kernel APIC. */
  public static final class Hlt extends VcpuExit {
    Hlt(long run) {
      super(run);
    }
  }

  /** An interrupt can be injected now; asked for by {@link KvmRun#requestInterruptWindow}. */
  public static final class InterruptWindowOpen extends VcpuExit {
    InterruptWindowOpen(long run) {
      super(run);
    }
  }

  /** The guest lowered CR8; {@link KvmRun#cr8()} tells. */
  public static final class SetTpr extends VcpuExit {
    SetTpr(long run) {
      super(run);
    }
  }

  /** Triple fault, or another state that only a reset leaves. */
  public static final class Shutdown extends VcpuExit {
    Shutdown(long run) {
      super(run);
    }
  }

  /** The VM asks to be reset, shut down or the like. */
  public static final class SystemEvent extends VcpuExit {
    SystemEvent(long run) {
      super(run);
    }

    /** KVM_SYSTEM_EVENT_ value: 1 shutdown, 2 reset, 3 crash... */
    public int type() {
      return intAt(KvmAbi.RUN_EVENT_TYPE);
    }

    /** How many words {@link #data} has, at most 16. */
    public int dataCount() {
      return Math.min(intAt(KvmAbi.RUN_EVENT_NDATA), MAX_DATA);
    }

    public long data(int index) {
      return longAt(KvmAbi.RUN_EVENT_DATA + Long.BYTES * checkData(index));
    }

    @Override
    public String toString() {
      return "SystemEvent[type %d]".formatted(type());
    }
  }

  /** Hardware refused the guest's state. */
  public static final class FailEntry extends VcpuExit {
    FailEntry(long run) {
      super(run);
    }

    /** Reason in the hardware's terms (VMX: SDM volume 3, appendix C). */
    public long hardwareReason() {
      return longAt(KvmAbi.RUN_FAIL_REASON);
    }

    /** The host CPU. */
    public int cpu() {
      return intAt(KvmAbi.RUN_FAIL_CPU);
    }

    @Override
    public String toString() {
      return "FailEntry[0x%x on CPU %d]".formatted(hardwareReason(), cpu());
    }
  }

  private static final int MAX_DATA = 16;

  private static int checkData(int index) {
    if (index < 0 || index >= MAX_DATA) {
      throw new IndexOutOfBoundsException("word " + index + " of at most " + MAX_DATA);
    }
    return index;
  }

  /** KVM gave up, mostly on an instruction that its emulator lacks. */
  public static final class InternalError extends VcpuExit {
    private static final int MAX_INSTRUCTION_BYTES = 15;

    InternalError(long run) {
      super(run);
    }

    /** KVM_INTERNAL_ERROR_ value; 1 is emulation. */
    public int suberror() {
      return intAt(KvmAbi.RUN_INTERNAL_SUBERROR);
    }

    /** KVM's emulator met an instruction it lacks. */
    public boolean isEmulation() {
      return suberror() == KvmAbi.KVM_INTERNAL_ERROR_EMULATION;
    }

    /** How many words {@link #data} has, at most 16. */
    public int dataCount() {
      return Math.min(intAt(KvmAbi.RUN_INTERNAL_NDATA), MAX_DATA);
    }

    public long data(int index) {
      return longAt(KvmAbi.RUN_INTERNAL_DATA + Long.BYTES * checkData(index));
    }

    /** The failed instruction's bytes; empty if the kernel did not tell. Allocates. */
    public byte[] instruction() {
      boolean told =
          isEmulation()
              && dataCount() > 0
              && (longAt(KvmAbi.RUN_EMULATION_FLAGS)
                      & KvmAbi.KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)
                  != 0;
      int size = told ? Math.min(byteAt(KvmAbi.RUN_EMULATION_SIZE), MAX_INSTRUCTION_BYTES) : 0;
      byte[] bytes = new byte[size];
      for (int i = 0; i < size; i++) {
        bytes[i] = (byte) byteAt(KvmAbi.RUN_EMULATION_BYTES + i);
      }
      return bytes;
    }

    @Override
    public String toString() {
      return "InternalError[suberror %d, instruction %s]"
          .formatted(suberror(), HexFormat.of().formatHex(instruction()));
    }
  }

  /** A breakpoint or single step; asked for by {@link VcpuFd#setGuestDebug}. */
  public static final class Debug extends VcpuExit {
    Debug(long run) {
      super(run);
    }

    /** 1 for #DB, 3 for #BP. */
    public int exception() {
      return intAt(KvmAbi.RUN_DEBUG_EXCEPTION);
    }

    /** Linear address of the instruction. */
    public long pc() {
      return longAt(KvmAbi.RUN_DEBUG_PC);
    }

    public long dr6() {
      return longAt(KvmAbi.RUN_DEBUG_DR6);
    }

    public long dr7() {
      return longAt(KvmAbi.RUN_DEBUG_DR7);
    }

    @Override
    public String toString() {
      return "Debug[exception %d at 0x%x, DR6 0x%x]".formatted(exception(), pc(), dr6());
    }
  }

  /** The guest touched memory that the host could not give it (Linux 6.8 and later). */
  public static final class MemoryFault extends VcpuExit {
    MemoryFault(long run) {
      super(run);
    }

    /** KVM_MEMORY_EXIT_FLAG_ bits. */
    public long flags() {
      return longAt(KvmAbi.RUN_FAULT_FLAGS);
    }

    /** Guest-physical address. */
    public long address() {
      return longAt(KvmAbi.RUN_FAULT_ADDRESS);
    }

    /** Bytes. */
    public long size() {
      return longAt(KvmAbi.RUN_FAULT_SIZE);
    }

    @Override
    public String toString() {
      return "MemoryFault[0x%x, %d bytes, flags 0x%x]".formatted(address(), size(), flags());
    }
  }

  /** A hypercall that KVM leaves to user space. */
  public static final class Hypercall extends VcpuExit {
    private static final int ARGUMENTS = 6;

    Hypercall(long run) {
      super(run);
    }

    public long number() {
      return longAt(KvmAbi.RUN_HYPERCALL_NUMBER);
    }

    /** Argument 0 to 5. */
    public long argument(int index) {
      if (index < 0 || index >= ARGUMENTS) {
        throw new IndexOutOfBoundsException("argument " + index + " of 6");
      }
      return longAt(KvmAbi.RUN_HYPERCALL_ARGS + Long.BYTES * index);
    }

    /** RAX for the guest. */
    public void answer(long value) {
      HostMemory.putLong(run + KvmAbi.RUN_HYPERCALL_RET, value);
    }

    @Override
    public String toString() {
      return "Hypercall[%d]".formatted(number());
    }
  }

  /** The guest locked the bus; asked for by {@link KvmCap#X86_BUS_LOCK_EXIT}. */
  public static final class BusLock extends VcpuExit {
    BusLock(long run) {
      super(run);
    }
  }

  /** The guest blocked events for long; asked for by {@link KvmCap#X86_NOTIFY_VMEXIT}. */
  public static final class Notify extends VcpuExit {
    Notify(long run) {
      super(run);
    }

    /** Bit 0: the vCPU's state is lost. */
    public int flags() {
      return intAt(KvmAbi.RUN_NOTIFY_FLAGS);
    }

    @Override
    public String toString() {
      return "Notify[flags %d]".formatted(flags());
    }
  }

  /** A kick or another signal ended the run; the guest did nothing of note. */
  public static final class Interrupted extends VcpuExit {
    Interrupted(long run) {
      super(run);
    }
  }

  /** An exit that this package does not know. */
  public static final class Unknown extends VcpuExit {
    Unknown(long run) {
      super(run);
    }

    /** The KVM_EXIT_ number. */
    public int reason() {
      return intAt(KvmAbi.RUN_EXIT_REASON);
    }

    /** Reason in the hardware's terms, if {@link #reason()} is 0. */
    public long hardwareReason() {
      return longAt(KvmAbi.RUN_HARDWARE_REASON);
    }

    @Override
    public String toString() {
      return "Unknown[exit %d, hardware 0x%x]".formatted(reason(), hardwareReason());
    }
  }
}
