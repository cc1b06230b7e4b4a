package org.pluribus.vmm.apic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.pluribus.vmm.bus.BusDevice;
import org.pluribus.vmm.time.TimerQueue;

/**
 * One vCPU's local APIC, in xAPIC or x2APIC mode.
 *
 * <p>Registers, MSRs, priorities and the timer belong to the vCPU's thread. Other threads may call
 * {@link #accept}, {@link #lint}, {@link #matches} and the methods said to be for any thread: they
 * change only words that are updated atomically, never wait, and {@linkplain VcpuSignal#kick kick}
 * the vCPU when there is something new to see.
 *
 * <p>The timer's bus clock runs at {@link #TIMER_HZ} before the divider, which is what CPUID leaf
 * 0x15 should give as crystal frequency.
 *
 * <p>The vCPU's loop, before entering the guest: {@link #takeInit} and {@link #takeSipi}; {@link
 * #takeNmi}; then, if interrupts are enabled, {@link #extIntPending} or {@link #pendingVector}.
 */
public final class LocalApic implements BusDevice {

  /** Frequency of the timer's clock before the divider: counts are nanoseconds. */
  public static final long TIMER_HZ = 1_000_000_000L;

  /** Bytes of the xAPIC register page. */
  public static final int PAGE_SIZE = 0x1000;

  /** LINT0: the wire from the 8259 pair. */
  public static final int LINT0 = 0;

  /** LINT1: the NMI wire. */
  public static final int LINT1 = 1;

  // What other threads have for the vCPU, in the word "events".
  private static final int EVENT_TIMER = 1;
  private static final int EVENT_LINT0 = 1 << 1;
  private static final int EVENT_LINT1 = 1 << 2;
  private static final int EVENT_ERROR = 1 << 3;

  /** The events that are turned into vectors by the LVT. */
  private static final int LVT_EVENTS = EVENT_TIMER | EVENT_LINT0 | EVENT_LINT1 | EVENT_ERROR;

  private static final int EVENT_NMI = 1 << 4;
  private static final int EVENT_INIT = 1 << 5;
  private static final int EVENT_SIPI = 1 << 6;
  private static final int SIPI_VECTOR_SHIFT = 8;
  private static final int SIPI_VECTOR = 0xFF << SIPI_VECTOR_SHIFT;

  private static final VarHandle EVENTS;
  private static final VarHandle ERRORS;
  private static final VarHandle PRIORITY;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      EVENTS = lookup.findVarHandle(LocalApic.class, "events", int.class);
      ERRORS = lookup.findVarHandle(LocalApic.class, "errors", int.class);
      PRIORITY = lookup.findVarHandle(LocalApic.class, "priority", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final int id;
  private final boolean bsp;
  private final VcpuSignal signal;
  private final ExtIntSource extInt;
  private final IpiRouter router;
  private final ApicTimer timer;
  private final ApicAccess access;

  private final VectorSet irr = new VectorSet();
  private final VectorSet tmr = new VectorSet();
  private final VectorSet isr = new VectorSet();

  // Changed by any thread, atomically, through the VarHandles of their names.
  @SuppressWarnings("UnusedVariable")
  private volatile int events;

  @SuppressWarnings("UnusedVariable")
  private volatile int errors;

  /** The PPR, for others to arbitrate by. */
  @SuppressWarnings("UnusedVariable")
  private int priority;

  // Written by the vCPU's thread, read by others when they match destinations.
  private volatile long base;
  private volatile int spurious;
  private volatile int logicalId;
  private volatile int destinationFormat;

  // The vCPU's thread only.
  private final int[] lvt = new int[ApicRegister.LVT_ENTRIES];
  private int taskPriority;
  private int processorPriority;
  private int errorStatus;
  private boolean waitingForSipi;

  /**
   * An APIC as after power-on: xAPIC mode, software-disabled. The boot processor's LINT0 passes the
   * 8259's interrupts and its LINT1 NMIs, as firmware leaves them; the others wait for a SIPI.
   *
   * @param id the APIC id
   * @param bsp whether this is the boot processor
   * @param router where this node's interrupt messages go; the APIC attaches itself to it
   * @param extInt what is behind LINT0
   * @param signal wakes the vCPU
   */
  public LocalApic(
      int id,
      boolean bsp,
      TimerQueue timers,
      IpiRouter router,
      ExtIntSource extInt,
      VcpuSignal signal) {
    this.id = id;
    this.bsp = bsp;
    this.router = router;
    this.extInt = extInt;
    this.signal = signal;
    this.timer = new ApicTimer(timers, () -> raise(EVENT_TIMER));
    this.access = new ApicAccess(this, timer);
    this.base =
        ApicRegister.BASE_DEFAULT_ADDRESS
            | ApicRegister.BASE_ENABLED
            | (bsp ? ApicRegister.BASE_BSP : 0);
    reset();
    router.attach(this);
  }

  // ---------------------------------------------------------------- any thread

  /** The APIC id. Any thread. */
  public int id() {
    return id;
  }

  /**
   * Takes an interrupt from the bus. Any thread.
   *
   * @param deliveryMode {@link IpiMessage#FIXED} or another of its modes; SMI and EXTINT are
   *     ignored
   * @param vector the vector, or a SIPI's page number
   * @param levelTriggered whether the interrupt's EOI has to go back to the IOAPICs
   * @return false if the APIC is disabled or not interested: it wasn't delivered here
   */
  public boolean accept(int deliveryMode, int vector, boolean levelTriggered) {
    if ((base & ApicRegister.BASE_ENABLED) == 0) {
      return false;
    }
    switch (deliveryMode) {
      case IpiMessage.FIXED, IpiMessage.LOWEST_PRIORITY -> {
        return acceptVector(vector, levelTriggered);
      }
      case IpiMessage.NMI -> raise(EVENT_NMI);
      case IpiMessage.INIT -> {
        // A start-up request from before the INIT is void.
        EVENTS.getAndBitwiseAnd(this, ~(EVENT_SIPI | SIPI_VECTOR));
        raise(EVENT_INIT);
      }
      case IpiMessage.STARTUP -> startUp(vector);
      default -> {
        return false;
      }
    }
    return true;
  }

  /**
   * Drives a LINT pin. An edge counts if the LVT says fixed or NMI; ExtINT is the source's level.
   */
  public void lint(int pin, boolean level) {
    if (level) {
      raise(pin == LINT0 ? EVENT_LINT0 : EVENT_LINT1);
    }
  }

  /** Whether this APIC is among a message's destinations, shorthand aside. Any thread. */
  public boolean matches(long message) {
    return DestinationMatch.matches(
        message, id, logicalId, destinationFormat, (base & ApicRegister.BASE_X2APIC) != 0);
  }

  /** Whether fixed interrupts are accepted: enabled by hardware and by software. Any thread. */
  boolean acceptsVectors() {
    return (base & ApicRegister.BASE_ENABLED) != 0 && softwareEnabled();
  }

  /** The priority to arbitrate by; perhaps a moment old. Any thread. */
  int arbitrationPriority() {
    return (int) PRIORITY.getOpaque(this);
  }

  private boolean acceptVector(int vector, boolean levelTriggered) {
    if (!acceptsVectors()) {
      return false;
    }
    if (vector < ApicRegister.FIRST_LEGAL_VECTOR) {
      error(ApicRegister.ERROR_RECEIVE_ILLEGAL_VECTOR);
      return true;
    }
    // The trigger mode must be in place before the vector can be taken.
    if (tmr.contains(vector) != levelTriggered) {
      if (levelTriggered) {
        tmr.add(vector);
      } else {
        tmr.remove(vector);
      }
    }
    if (irr.add(vector)) {
      signal.kick();
    }
    return true;
  }

  private void startUp(int vector) {
    int seen;
    do {
      seen = (int) EVENTS.getVolatile(this);
      if ((seen & EVENT_SIPI) != 0) {
        return;
      }
    } while (!EVENTS.compareAndSet(this, seen, seen | EVENT_SIPI | vector << SIPI_VECTOR_SHIFT));
    signal.kick();
  }

  private void raise(int event) {
    EVENTS.getAndBitwiseOr(this, event);
    signal.kick();
  }

  /** Notes an error for the ESR. */
  void error(int bits) {
    ERRORS.getAndBitwiseOr(this, bits);
    raise(EVENT_ERROR);
  }

  // ---------------------------------------------------------------- the vCPU asks

  /** The vector the vCPU would take now if its IF is set, or -1. The vCPU's thread. */
  public int pendingVector() {
    handleEvents();
    int vector = irr.highest();
    return vector >> 4 > processorPriority >> 4 ? vector : -1;
  }

  /**
   * The vCPU takes an interrupt: the highest vector goes from requested to in service.
   *
   * @return the vector; the spurious vector if nothing is pending any more
   */
  public int acknowledge() {
    int vector = pendingVector();
    if (vector < 0) {
      return spurious & 0xFF;
    }
    irr.remove(vector);
    isr.add(vector);
    updatePriority();
    return vector;
  }

  /** Whether the 8259 pair has an interrupt for this vCPU, which takes it before any vector. */
  public boolean extIntPending() {
    return extInt.intr() && passesExtInt();
  }

  /** The vCPU takes the 8259 pair's interrupt. */
  public int acknowledgeExtInt() {
    return extInt.acknowledgeInterrupt();
  }

  /** Whether an NMI waits. */
  public boolean nmiPending() {
    handleEvents();
    return ((int) EVENTS.getVolatile(this) & EVENT_NMI) != 0;
  }

  /** Takes the NMI that waits, if any. */
  public boolean takeNmi() {
    return nmiPending() && take(EVENT_NMI);
  }

  /**
   * Takes an INIT, if one came: the APIC is reset as by INIT, and the vCPU has to reset itself. All
   * but the boot processor then wait for a SIPI; the boot processor starts at its reset vector.
   */
  public boolean takeInit() {
    handleEvents();
    if (((int) EVENTS.getVolatile(this) & EVENT_INIT) == 0 || !take(EVENT_INIT)) {
      return false;
    }
    reset();
    return true;
  }

  /** Whether the vCPU must not execute until {@link #takeSipi} gives a start address. */
  public boolean waitingForSipi() {
    return waitingForSipi;
  }

  /**
   * Takes a SIPI if the vCPU waits for one; drops it if it doesn't.
   *
   * @return the page number of the start address (CS = vector << 8, IP = 0), or -1
   */
  public int takeSipi() {
    if (((int) EVENTS.getVolatile(this) & EVENT_SIPI) == 0) {
      return -1;
    }
    int seen = (int) EVENTS.getAndBitwiseAnd(this, ~(EVENT_SIPI | SIPI_VECTOR));
    if (!waitingForSipi || (seen & EVENT_SIPI) == 0) {
      return -1;
    }
    waitingForSipi = false;
    take(EVENT_NMI); // NMIs are not kept for a processor that waits for a SIPI.
    return (seen & SIPI_VECTOR) >> SIPI_VECTOR_SHIFT;
  }

  /** Whether a HLTed vCPU has a reason to look again, interrupts being enabled or not. */
  public boolean wakeupPending(boolean interruptsEnabled) {
    handleEvents();
    boolean beyondMasking =
        ((int) EVENTS.getVolatile(this) & (EVENT_NMI | EVENT_INIT | EVENT_SIPI)) != 0;
    return beyondMasking || interruptsEnabled && (extIntPending() || pendingVector() >= 0);
  }

  /** CR8: bits 4 to 7 of the task priority. */
  public int cr8() {
    return taskPriority >> 4;
  }

  /** Sets CR8 (0 to 15) and with it the task priority. */
  public void setCr8(int value) {
    setTaskPriority((value & 0xF) << 4);
  }

  /** What this vCPU's TSC is ahead of the machine's; TSC deadlines are in the vCPU's. */
  public void setTscOffset(long ticks) {
    timer.setTscOffset(ticks);
    expireTimer();
  }

  /** Where the register page is now in guest-physical memory, or -1 if not in xAPIC mode. */
  public long mmioBase() {
    long now = base;
    boolean xapic =
        (now & (ApicRegister.BASE_ENABLED | ApicRegister.BASE_X2APIC)) == ApicRegister.BASE_ENABLED;
    return xapic ? now & ApicRegister.BASE_ADDRESS : -1;
  }

  /** Whether {@link #readMsr} and {@link #writeMsr} are the place for this MSR. */
  public static boolean ownsMsr(int msr) {
    return msr >= ApicRegister.X2APIC_MSR_FIRST && msr <= ApicRegister.X2APIC_MSR_LAST
        || msr == ApicRegister.MSR_APIC_BASE
        || msr == ApicRegister.MSR_TSC_DEADLINE;
  }

  /**
   * Reads an MSR for which {@link #ownsMsr} holds.
   *
   * @return true if {@link #msrValue} has the value, false if the guest gets #GP(0)
   */
  public boolean readMsr(int msr) {
    return access.readMsr(msr);
  }

  /** What the last successful {@link #readMsr} read. */
  public long msrValue() {
    return access.msrValue();
  }

  /**
   * Writes an MSR for which {@link #ownsMsr} holds.
   *
   * @return false if the guest gets #GP(0) and nothing was written
   */
  public boolean writeMsr(int msr, long value) {
    return access.writeMsr(msr, value);
  }

  /**
   * {@inheritDoc}
   *
   * <p>The vCPU's own thread only.
   */
  @Override
  public long read(long offset, int size) {
    return access.readMmio(offset, size);
  }

  /**
   * {@inheritDoc}
   *
   * <p>The vCPU's own thread only.
   */
  @Override
  public void write(long offset, int size, long value) {
    access.writeMmio(offset, size, value);
  }

  // ---------------------------------------------------------------- state, for ApicAccess

  VectorSet irr() {
    return irr;
  }

  VectorSet tmr() {
    return tmr;
  }

  VectorSet isr() {
    return isr;
  }

  int taskPriority() {
    return taskPriority;
  }

  void setTaskPriority(int value) {
    taskPriority = value;
    updatePriority();
  }

  int processorPriority() {
    return processorPriority;
  }

  int logicalId() {
    return logicalId;
  }

  void setLogicalId(int value) {
    logicalId = value;
  }

  int destinationFormat() {
    return destinationFormat;
  }

  void setDestinationFormat(int value) {
    destinationFormat = value;
  }

  int spurious() {
    return spurious;
  }

  /** Writes the SVR; an APIC that software disables masks its LVT. */
  void setSpurious(int value) {
    spurious = value;
    if (!softwareEnabled()) {
      for (int i = 0; i < lvt.length; i++) {
        lvt[i] |= ApicRegister.LVT_MASKED;
      }
    }
  }

  int lvt(int offset) {
    return lvt[ApicRegister.lvtIndex(offset)];
  }

  void setLvt(int offset, int value) {
    int masked = softwareEnabled() ? 0 : ApicRegister.LVT_MASKED;
    lvt[ApicRegister.lvtIndex(offset)] = value & ApicRegister.lvtWritable(offset) | masked;
    if (offset == ApicRegister.LVT_TIMER) {
      timer.setMode(value);
    }
  }

  int errorStatus() {
    return errorStatus;
  }

  /** A write to the ESR shows the errors noted since the last write. */
  void latchErrors() {
    errorStatus = (int) ERRORS.getAndSet(this, 0);
  }

  long base() {
    return base;
  }

  /** Sets IA32_APIC_BASE, the transition being legal. */
  void setBase(long value) {
    long before = base;
    base = value & ~ApicRegister.BASE_BSP | (bsp ? ApicRegister.BASE_BSP : 0);
    boolean x2apic = (value & ApicRegister.BASE_X2APIC) != 0;
    if ((value & ApicRegister.BASE_ENABLED) == 0) {
      resetRegisters();
    } else if (x2apic && (before & ApicRegister.BASE_X2APIC) == 0) {
      logicalId = DestinationMatch.x2apicLogicalId(id);
    }
  }

  /** End of interrupt: the highest vector in service is done. */
  void endOfInterrupt() {
    int vector = isr.highest();
    if (vector < 0) {
      return;
    }
    isr.remove(vector);
    updatePriority();
    if (tmr.contains(vector) && (spurious & ApicRegister.SPURIOUS_SUPPRESS_EOI) == 0) {
      router.endOfInterrupt(vector);
    }
  }

  /** A write to the ICR, in x2APIC layout. */
  void sendIpi(long icr) {
    int mode = IpiMessage.deliveryMode(icr);
    int vector = IpiMessage.vector(icr);
    boolean vectored = mode == IpiMessage.FIXED || mode == IpiMessage.LOWEST_PRIORITY;
    if (vectored && vector < ApicRegister.FIRST_LEGAL_VECTOR) {
      error(ApicRegister.ERROR_SEND_ILLEGAL_VECTOR);
    } else if (!IpiMessage.initDeassert(icr)) {
      router.sendFrom(this, IpiMessage.edge(icr));
    }
  }

  /** Delivers what the timer owes, if it has run out. */
  void expireTimer() {
    if (timer.expire()) {
      deliver(ApicRegister.LVT_TIMER);
    }
  }

  // ---------------------------------------------------------------- inside

  private boolean softwareEnabled() {
    return (spurious & ApicRegister.SPURIOUS_ENABLED) != 0;
  }

  private boolean passesExtInt() {
    if ((base & ApicRegister.BASE_ENABLED) == 0) {
      return true;
    }
    int lint0 = lvt(ApicRegister.LVT_LINT0);
    return (lint0 & ApicRegister.LVT_MASKED) == 0 && lvtMode(lint0) == IpiMessage.EXTINT;
  }

  private static int lvtMode(int entry) {
    return entry >> ApicRegister.LVT_MODE_SHIFT & 7;
  }

  private boolean take(int event) {
    return ((int) EVENTS.getAndBitwiseAnd(this, ~event) & event) != 0;
  }

  private void handleEvents() {
    if (((int) EVENTS.getVolatile(this) & LVT_EVENTS) == 0) {
      return;
    }
    int found = (int) EVENTS.getAndBitwiseAnd(this, ~LVT_EVENTS);
    if ((found & EVENT_TIMER) != 0) {
      expireTimer();
    }
    if ((found & EVENT_LINT0) != 0) {
      deliver(ApicRegister.LVT_LINT0);
    }
    if ((found & EVENT_LINT1) != 0) {
      deliver(ApicRegister.LVT_LINT1);
    }
    if ((found & EVENT_ERROR) != 0) {
      deliver(ApicRegister.LVT_ERROR);
    }
  }

  /** Turns an event into what its LVT entry says. */
  private void deliver(int lvtOffset) {
    int entry = lvt(lvtOffset);
    if ((entry & ApicRegister.LVT_MASKED) != 0) {
      return;
    }
    boolean fixedOnly = lvtOffset == ApicRegister.LVT_TIMER || lvtOffset == ApicRegister.LVT_ERROR;
    int mode = fixedOnly ? IpiMessage.FIXED : lvtMode(entry);
    int vector = entry & 0xFF;
    if (lvtOffset == ApicRegister.LVT_ERROR && vector < ApicRegister.FIRST_LEGAL_VECTOR) {
      return; // An error about the error vector would come round for ever.
    }
    if (mode == IpiMessage.FIXED || mode == IpiMessage.NMI || mode == IpiMessage.INIT) {
      accept(mode, vector, false);
    }
  }

  /**
   * PPR = the higher class of task priority and vector in service (SDM 3A, "Task and Processor").
   */
  private void updatePriority() {
    int inService = Math.max(isr.highest(), 0);
    processorPriority = taskPriority >> 4 >= inService >> 4 ? taskPriority : inService & 0xF0;
    PRIORITY.setOpaque(this, processorPriority);
  }

  /** The state after INIT, which keeps id, base address and mode. */
  private void reset() {
    resetRegisters();
    EVENTS.getAndBitwiseAnd(this, ~(LVT_EVENTS | EVENT_NMI));
    waitingForSipi = !bsp;
  }

  private void resetRegisters() {
    irr.clear();
    isr.clear();
    tmr.clear();
    spurious = ApicRegister.SPURIOUS_RESET;
    boolean x2apic = (base & ApicRegister.BASE_X2APIC) != 0;
    logicalId = x2apic ? DestinationMatch.x2apicLogicalId(id) : 0;
    destinationFormat = ApicRegister.DFR_FLAT;
    taskPriority = 0;
    errorStatus = 0;
    ERRORS.setVolatile(this, 0);
    timer.reset();
    access.reset();
    for (int i = 0; i < lvt.length; i++) {
      lvt[i] = ApicRegister.LVT_MASKED;
    }
    if (bsp) {
      lvt[ApicRegister.lvtIndex(ApicRegister.LVT_LINT0)] =
          IpiMessage.EXTINT << ApicRegister.LVT_MODE_SHIFT;
      lvt[ApicRegister.lvtIndex(ApicRegister.LVT_LINT1)] =
          IpiMessage.NMI << ApicRegister.LVT_MODE_SHIFT;
    }
    updatePriority();
  }
}
