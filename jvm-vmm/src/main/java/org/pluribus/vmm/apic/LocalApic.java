package org.pluribus.vmm.apic;

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
 * <p>The timer's bus clock runs at the TSC's frequency before the divider, which is what CPUID leaf
 * 0x15 gives as crystal frequency.
 *
 * <p>The vCPU's loop, before entering the guest: {@link #takeInit} and {@link #takeSipi}; {@link
 * #takeNmi}; then, if interrupts are enabled, {@link #extIntPending} or {@link #pendingVector}.
 */
public final class LocalApic implements BusDevice {

  /** LINT0: the wire from the 8259 pair. */
  public static final int LINT0 = 0;

  /** LINT1: the NMI wire. */
  public static final int LINT1 = 1;

  private final ApicAddress address;
  private final ExtIntSource extInt;
  private final IpiRouter router;
  private final ApicTimer timer;
  private final ApicAccess access;

  private final ApicInbox inbox;
  private final LocalVectorTable lvt = new LocalVectorTable();
  private final VectorSet inService = new VectorSet();

  // Written by the vCPU's thread, read by others.
  private volatile int spurious;
  private volatile boolean waitingForSipi;
  private volatile int processorPriority;

  // The vCPU's thread only.
  private int taskPriority;
  private int errorStatus;

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
    this.address = new ApicAddress(id, bsp);
    this.router = router;
    this.extInt = extInt;
    this.inbox = new ApicInbox(signal);
    this.timer = new ApicTimer(timers, () -> inbox.raise(ApicInbox.TIMER));
    this.access = new ApicAccess(this, timer);
    waitingForSipi = !bsp;
    resetRegisters();
    router.attach(this);
  }

  // ---------------------------------------------------------------- any thread

  /** The APIC id. Any thread. */
  public int id() {
    return address.id();
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
    if (!address.isEnabled()) {
      return false;
    }
    switch (deliveryMode) {
      case IpiMessage.FIXED, IpiMessage.LOWEST_PRIORITY -> {
        return takeRequest(vector, levelTriggered);
      }
      case IpiMessage.NMI -> inbox.raise(ApicInbox.NMI);
      case IpiMessage.INIT -> inbox.init();
      case IpiMessage.STARTUP -> {
        // In this order: takeInit begins to wait before it takes the INIT out.
        if (inbox.has(ApicInbox.INIT) || waitingForSipi) {
          inbox.startUp(vector);
        }
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean takeRequest(int vector, boolean levelTriggered) {
    if (!softwareEnabled()) {
      return false;
    }
    if (vector < ApicRegister.FIRST_LEGAL_VECTOR) {
      inbox.error(ApicRegister.ERROR_RECEIVE_ILLEGAL_VECTOR);
    } else {
      inbox.request(vector, levelTriggered);
    }
    return true;
  }

  /**
   * Drives a LINT pin. An edge counts if the LVT says fixed or NMI; ExtINT is the source's level.
   */
  public void lint(int pin, boolean level) {
    if (level) {
      inbox.raise(pin == LINT0 ? ApicInbox.LINT0 : ApicInbox.LINT1);
    }
  }

  /** Whether this APIC is among a message's destinations, shorthand aside. Any thread. */
  public boolean matches(long message) {
    return address.matches(message);
  }

  /** Whether fixed interrupts are accepted: enabled by hardware and by software. Any thread. */
  boolean acceptsVectors() {
    return address.isEnabled() && softwareEnabled();
  }

  /** The priority to arbitrate by; perhaps a moment old. Any thread. */
  int arbitrationPriority() {
    return processorPriority;
  }

  // ---------------------------------------------------------------- the vCPU asks

  /** The vector the vCPU would take now if its IF is set, or -1. The vCPU's thread. */
  public int pendingVector() {
    handleEvents();
    int vector = inbox.requested().highest();
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
    inbox.requested().remove(vector);
    inService.add(vector);
    updatePriority();
    return vector;
  }

  /** Whether the 8259 pair has an interrupt for this vCPU, which takes it before any vector. */
  public boolean extIntPending() {
    return extInt.intr() && (!address.isEnabled() || lvt.passesExtInt());
  }

  /** The vCPU takes the 8259 pair's interrupt. */
  public int acknowledgeExtInt() {
    return extInt.acknowledgeInterrupt();
  }

  /** Whether the vCPU would take an interrupt of either kind now if its IF is set. */
  public boolean interruptPending() {
    return extIntPending() || pendingVector() >= 0;
  }

  /** Takes an interrupt of either kind: its vector, or -1 if there is none any more. */
  public int acknowledgeInterrupt() {
    if (extIntPending()) {
      return acknowledgeExtInt();
    }
    return pendingVector() >= 0 ? acknowledge() : -1;
  }

  /** Whether an NMI waits. */
  public boolean nmiPending() {
    handleEvents();
    return inbox.has(ApicInbox.NMI);
  }

  /** Takes the NMI that waits, if any. */
  public boolean takeNmi() {
    return nmiPending() && inbox.take(ApicInbox.NMI) != 0;
  }

  /**
   * Takes an INIT, if one came: the APIC is reset as by INIT, and the vCPU has to reset itself. All
   * but the boot processor then wait for a SIPI; the boot processor starts at its reset vector.
   */
  public boolean takeInit() {
    handleEvents();
    if (!inbox.has(ApicInbox.INIT)) {
      return false;
    }
    waitingForSipi = !address.isBsp();
    inbox.take(ApicInbox.INIT);
    resetRegisters();
    inbox.take(ApicInbox.NMI);
    return true;
  }

  /** Whether the vCPU must not execute until {@link #takeSipi} gives a start address. */
  public boolean waitingForSipi() {
    return waitingForSipi;
  }

  /**
   * Takes a SIPI if the vCPU waits for one; and the INIT before it, if that was not taken yet.
   *
   * @return the page number of the start address (CS = vector << 8, IP = 0), or -1
   */
  public int takeSipi() {
    if (!waitingForSipi) {
      return -1;
    }
    takeInit();
    int page = inbox.takeStartUp();
    if (page >= 0) {
      waitingForSipi = false;
      inbox.take(ApicInbox.NMI); // NMIs are not kept for a processor that waits for a SIPI.
    }
    return page;
  }

  /** Whether a HLTed vCPU has a reason to look again, interrupts being enabled or not. */
  public boolean wakeupPending(boolean interruptsEnabled) {
    handleEvents();
    return inbox.has(ApicInbox.NMI | ApicInbox.INIT) || interruptsEnabled && interruptPending();
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
    return address.mmioBase();
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

  ApicInbox inbox() {
    return inbox;
  }

  ApicAddress address() {
    return address;
  }

  VectorSet inService() {
    return inService;
  }

  int taskPriority() {
    return taskPriority;
  }

  void setTaskPriority(int value) {
    taskPriority = value;
    updatePriority();
    kickIfPending();
  }

  int processorPriority() {
    return processorPriority;
  }

  int spurious() {
    return spurious;
  }

  /** Writes the SVR; an APIC that software disables masks its LVT. */
  void setSpurious(int value) {
    spurious = value;
    if (!softwareEnabled()) {
      lvt.maskAll();
    }
  }

  int lvt(int offset) {
    return lvt.get(offset);
  }

  void setLvt(int offset, int value) {
    lvt.set(offset, value, softwareEnabled());
    if (offset == ApicRegister.LVT_TIMER) {
      timer.setMode(value);
    }
  }

  int errorStatus() {
    return errorStatus;
  }

  /** A write to the ESR shows the errors noted since the last write. */
  void latchErrors() {
    errorStatus = inbox.takeErrors();
  }

  /**
   * Sets IA32_APIC_BASE, the transition being legal. An APIC that is disabled forgets its state.
   */
  void setBase(long value) {
    address.setBase(value);
    if (!address.isEnabled()) {
      resetRegisters();
    }
  }

  /** End of interrupt: the highest vector in service is done. */
  void endOfInterrupt() {
    int vector = inService.highest();
    if (vector < 0) {
      return;
    }
    inService.remove(vector);
    updatePriority();
    kickIfPending();
    if (inbox.levelTriggered().contains(vector)
        && (spurious & ApicRegister.SPURIOUS_SUPPRESS_EOI) == 0) {
      router.endOfInterrupt(vector);
    }
  }

  /** A write to the ICR, in x2APIC layout. */
  void sendIpi(long icr) {
    int mode = IpiMessage.deliveryMode(icr);
    int vector = IpiMessage.vector(icr);
    boolean vectored = mode == IpiMessage.FIXED || mode == IpiMessage.LOWEST_PRIORITY;
    if (vectored && vector < ApicRegister.FIRST_LEGAL_VECTOR) {
      inbox.error(ApicRegister.ERROR_SEND_ILLEGAL_VECTOR);
    } else if (!IpiMessage.initDeassert(icr)) {
      router.sendFrom(this, IpiMessage.edge(icr));
    }
  }

  /** Delivers what the timer owes, if it has run out. */
  void expireTimer() {
    if (timer.expire()) {
      lvt.deliver(ApicRegister.LVT_TIMER, this);
    }
  }

  // ---------------------------------------------------------------- inside

  private boolean softwareEnabled() {
    return (spurious & ApicRegister.SPURIOUS_ENABLED) != 0;
  }

  /** A lower PPR may let through what was requested long ago. */
  private void kickIfPending() {
    if (pendingVector() >= 0) {
      inbox.kick();
    }
  }

  private void handleEvents() {
    int found = inbox.take(ApicInbox.LVT_EVENTS);
    if (found == 0) {
      return;
    }
    if ((found & ApicInbox.TIMER) != 0) {
      expireTimer();
    }
    if ((found & ApicInbox.LINT0) != 0) {
      lvt.deliver(ApicRegister.LVT_LINT0, this);
    }
    if ((found & ApicInbox.LINT1) != 0) {
      lvt.deliver(ApicRegister.LVT_LINT1, this);
    }
    if ((found & ApicInbox.ERROR) != 0) {
      lvt.deliver(ApicRegister.LVT_ERROR, this);
    }
  }

  /**
   * PPR = the higher class of task priority and vector in service (SDM 3A, "Task and Processor").
   */
  private void updatePriority() {
    int top = Math.max(inService.highest(), 0);
    processorPriority = taskPriority >> 4 >= top >> 4 ? taskPriority : top & 0xF0;
  }

  /** The state after power-on and INIT; id, base address and mode are not part of it. */
  private void resetRegisters() {
    inbox.reset();
    inService.clear();
    spurious = ApicRegister.SPURIOUS_RESET;
    address.reset();
    taskPriority = 0;
    errorStatus = 0;
    timer.reset();
    access.reset();
    lvt.reset(address.isBsp());
    updatePriority();
  }
}
