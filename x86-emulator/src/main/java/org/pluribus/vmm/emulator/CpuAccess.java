package org.pluribus.vmm.emulator;

/**
 * What a VMM does to a CPU that isn't running, besides reading and writing its public registers:
 * MSRs, what follows from registers that were set, and events that are under way. vCPU thread, or
 * another one while that is not in {@link Cpu#run}.
 */
public final class CpuAccess {
  private CpuAccess() {}

  /**
   * An MSR as RDMSR reads it; not one of the environment's (APIC, TSC deadline).
   *
   * @param msr what ECX holds
   * @throws GuestFault #GP when there is no such MSR
   */
  public static long msr(Cpu cpu, int msr) {
    return cpu.msrs.read(cpu, msr);
  }

  /**
   * Sets an MSR as WRMSR does; not EFER, whose changes WRMSR checks against the present mode.
   *
   * @throws GuestFault #GP for a value the MSR does not take
   */
  public static void setMsr(Cpu cpu, int msr, long value) {
    cpu.msrs.write(cpu, msr, value);
  }

  /**
   * Registers, segments or modes were set from outside: derives the privilege level, widths, bases
   * and breakpoints from them, and forgets all that was cached under the old ones.
   */
  public static void registersSet(Cpu cpu) {
    cpu.nextRip = cpu.rip;
    cpu.cpl = cpu.protectedMode() ? cpu.segSelector[CpuRegisters.CS] & 3 : 0;
    cpu.dead = false;
    cpu.breakBlock = false;
    cpu.trapSuppressed = false;
    cpu.watchHits = 0;
    Segments.refresh(cpu);
    cpu.accessModeChanged();
    Debug.armed(cpu);
    cpu.flushTlb();
    cpu.raiseAttention(Cpu.ATTENTION_SAFEPOINT | Cpu.ATTENTION_INTERRUPT);
  }

  /**
   * Enters the handler of an external interrupt that the APIC has given away already. It may raise
   * whatever delivering raises, up to a triple fault.
   */
  public static void deliverInterrupt(Cpu cpu, int vector) {
    Exceptions.deliverInterrupt(cpu, vector);
  }

  /**
   * Enters the handler of an exception that was raised but not delivered.
   *
   * @param errorCode what is pushed, or {@link GuestFault#NO_ERROR_CODE}
   */
  public static void deliverException(Cpu cpu, int vector, int errorCode) {
    Exceptions.deliverFault(cpu, vector, errorCode);
  }
}
