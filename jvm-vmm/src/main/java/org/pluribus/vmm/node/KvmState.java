package org.pluribus.vmm.node;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.pluribus.kvm.DebugRegs;
import org.pluribus.kvm.Msrs;
import org.pluribus.kvm.Regs;
import org.pluribus.kvm.Sregs;
import org.pluribus.kvm.VcpuEvents;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.kvm.Xcrs;
import org.pluribus.kvm.Xsave;
import org.pluribus.vmm.node.VcpuState.Activity;
import org.pluribus.vmm.node.VcpuState.Control;
import org.pluribus.vmm.node.VcpuState.Event;
import org.pluribus.vmm.node.VcpuState.Fpu;
import org.pluribus.vmm.node.VcpuState.Segment;
import org.pluribus.vmm.node.VcpuState.Table;

/**
 * The registers that KVM keeps of a vCPU as a {@link VcpuState}, and back. Whoever calls has
 * completed the last exit, and the vCPU is outside KVM_RUN. One vCPU's; not synchronised.
 */
final class KvmState {
  // The legacy region and header of an XSAVE area (SDM volume 1, 13.4.1 and 13.4.2).
  private static final long FCW = 0;
  private static final long FSW = 2;
  private static final long FTW = 4;
  private static final long FOP = 6;
  private static final long FIP = 8;
  private static final long FDP = 16;
  private static final long MXCSR = 24;
  private static final long ST0 = 32;
  private static final long XMM0 = 160;
  private static final long XSTATE_BV = 512;
  private static final long ST_BYTES = 16;

  /** XSTATE_BV: x87 and SSE; all else is in its initial configuration. */
  private static final long X87_AND_SSE = 3;

  private final VcpuFd fd;
  private final KvmMsrs msrs;
  private final Xsave xsave;
  private final Regs regs = new Regs();
  private final Sregs sregs = Sregs.create();
  private final DebugRegs debug = new DebugRegs();
  private final VcpuEvents events = new VcpuEvents();
  private final Xcrs xcrs = new Xcrs();
  private final Msrs one = new Msrs(1);

  /**
   * @param msrs what the guest sees of MSRs that KVM lacks
   * @param xsaveBytes size of the VM's XSAVE areas
   */
  KvmState(VcpuFd fd, KvmMsrs msrs, int xsaveBytes) {
    this.fd = fd;
    this.msrs = msrs;
    xsave = new Xsave(xsaveBytes);
  }

  // ---- from KVM

  VcpuState capture(boolean halted) {
    // First: this moves a pending exception's payload to CR2 or DR6 (KVM api.rst, 4.31).
    fd.getVcpuEvents(events);
    fd.getRegs(regs);
    fd.getSregs(sregs);
    fd.getDebugRegs(debug);
    fd.getXcrs(xcrs);
    List<Long> general = new ArrayList<>();
    for (int r = 0; r < VcpuState.GENERAL_REGISTERS; r++) {
      general.add(regs.general(r));
    }
    List<Segment> segments = new ArrayList<>();
    for (org.pluribus.kvm.Segment s : segments()) {
      int access = s.unusable() != 0 ? 0 : s.access();
      segments.add(Segment.of(s.selector(), s.base(), s.limit(), access));
    }
    return new VcpuState(
        general,
        regs.rip(),
        regs.rflags(),
        segments,
        new Table(sregs.gdtBase(), sregs.gdtLimit()),
        new Table(sregs.idtBase(), sregs.idtLimit()),
        new Control(sregs.cr0(), sregs.cr2(), sregs.cr3(), sregs.cr4(), xcrs.xcr0()),
        List.of(debug.db(0), debug.db(1), debug.db(2), debug.db(3), debug.dr6(), debug.dr7()),
        getMsrs(),
        fpu(),
        new Activity(
            halted,
            events.interruptShadow() != 0,
            events.nmiMasked() != 0,
            events.nmiPending() != 0 || events.nmiInjected() != 0,
            event()));
  }

  /** In the order of {@link VcpuState#segments}. */
  private org.pluribus.kvm.Segment[] segments() {
    return new org.pluribus.kvm.Segment[] {
      sregs.es(),
      sregs.cs(),
      sregs.ss(),
      sregs.ds(),
      sregs.fs(),
      sregs.gs(),
      sregs.ldt(),
      sregs.tr()
    };
  }

  private @Nullable Event event() {
    if (events.exceptionInjected() != 0 || events.exceptionPending() != 0) {
      int code = events.exceptionHasError() != 0 ? events.exceptionError() : Event.NO_ERROR_CODE;
      return new Event(events.exceptionVector(), true, code);
    }
    // RIP is still at an INT n that was interrupted: it will be executed again.
    if (events.interruptInjected() != 0 && events.interruptSoft() == 0) {
      return new Event(events.interruptVector(), false, Event.NO_ERROR_CODE);
    }
    return null;
  }

  private SortedMap<Integer, Long> getMsrs() {
    SortedMap<Integer, Long> values = new TreeMap<>();
    for (int msr : VcpuMsrs.ALL) {
      one.set(0, msr, 0);
      if (msr == VcpuMsrs.EFER) {
        values.put(msr, sregs.efer());
      } else if (fd.getMsrs(one) == 1) {
        values.put(msr, one.value(0));
      } else {
        values.put(msr, msrs.has(msr) ? msrs.get(msr) : 0);
      }
    }
    return values;
  }

  private Fpu fpu() {
    fd.getXsave(xsave);
    MemorySegment area = xsave.segment();
    List<Long> significands = new ArrayList<>();
    List<Integer> signExponents = new ArrayList<>();
    for (int i = 0; i < Fpu.STACK; i++) {
      significands.add(area.get(JAVA_LONG, ST0 + ST_BYTES * i));
      signExponents.add(area.get(JAVA_SHORT, ST0 + ST_BYTES * i + Long.BYTES) & 0xFFFF);
    }
    List<Long> xmm = new ArrayList<>();
    for (int i = 0; i < Fpu.XMM_WORDS; i++) {
      xmm.add(area.get(JAVA_LONG, XMM0 + Long.BYTES * i));
    }
    return new Fpu(
        area.get(JAVA_SHORT, FCW) & 0xFFFF,
        area.get(JAVA_SHORT, FSW) & 0xFFFF,
        area.get(JAVA_BYTE, FTW) & 0xFF,
        area.get(JAVA_SHORT, FOP) & 0xFFFF,
        area.get(JAVA_LONG, FIP),
        area.get(JAVA_LONG, FDP),
        significands,
        signExponents,
        area.get(JAVA_INT, MXCSR),
        xmm);
  }

  // ---- to KVM

  /**
   * Sets everything but {@link Activity#halted}, which is the caller's.
   *
   * @throws org.pluribus.posix.PosixException when KVM finds values that contradict each other
   */
  void restore(VcpuState s) {
    fd.getSregs(sregs); // the APIC's base stays
    sregs.cr0(s.control().cr0());
    sregs.cr2(s.control().cr2());
    sregs.cr3(s.control().cr3());
    sregs.cr4(s.control().cr4());
    sregs.efer(s.msrs().getOrDefault(VcpuMsrs.EFER, 0L));
    sregs.gdt(s.gdt().base(), s.gdt().limit());
    sregs.idt(s.idt().base(), s.idt().limit());
    org.pluribus.kvm.Segment[] into = segments();
    for (int r = 0; r < into.length; r++) {
      Segment from = s.segments().get(r);
      into[r].set(from.selector(), from.base(), from.limit(), from.access());
      into[r].unusable(from.usable() ? 0 : 1);
    }
    fd.setSregs(sregs);
    for (int r = 0; r < VcpuState.GENERAL_REGISTERS; r++) {
      regs.general(r, s.general().get(r));
    }
    regs.rip(s.rip());
    regs.rflags(s.rflags());
    fd.setRegs(regs);
    xcrs.xcr0(s.control().xcr0());
    fd.setXcrs(xcrs);
    setFpu(s.fpu());
    s.msrs().forEach(this::setMsr);
    for (int i = 0; i < 4; i++) {
      debug.db(i, s.debug().get(i));
    }
    debug.dr6(s.debug().get(4));
    debug.dr7(s.debug().get(5));
    fd.setDebugRegs(debug);
    setActivity(s.activity());
  }

  private void setMsr(int msr, long value) {
    if (msr == VcpuMsrs.EFER) {
      return;
    }
    one.set(0, msr, value);
    if (fd.setMsrs(one) != 1 && !msrs.set(msr, value) && value != 0) {
      throw new IllegalStateException(
          "this host's KVM does not take %x for MSR %x".formatted(value, msr));
    }
  }

  private void setFpu(Fpu f) {
    MemorySegment area = xsave.segment();
    area.fill((byte) 0);
    area.set(JAVA_SHORT, FCW, (short) f.control());
    area.set(JAVA_SHORT, FSW, (short) f.status());
    area.set(JAVA_BYTE, FTW, (byte) f.tags());
    area.set(JAVA_SHORT, FOP, (short) f.opcode());
    area.set(JAVA_LONG, FIP, f.instructionPointer());
    area.set(JAVA_LONG, FDP, f.dataPointer());
    for (int i = 0; i < Fpu.STACK; i++) {
      area.set(JAVA_LONG, ST0 + ST_BYTES * i, f.significands().get(i));
      area.set(JAVA_SHORT, ST0 + ST_BYTES * i + Long.BYTES, f.signExponents().get(i).shortValue());
    }
    area.set(JAVA_INT, MXCSR, f.mxcsr());
    for (int i = 0; i < Fpu.XMM_WORDS; i++) {
      area.set(JAVA_LONG, XMM0 + Long.BYTES * i, f.xmm().get(i));
    }
    area.set(JAVA_LONG, XSTATE_BV, X87_AND_SSE);
    fd.setXsave(xsave);
  }

  private void setActivity(Activity a) {
    fd.getVcpuEvents(events); // system management mode stays as it is
    events.exceptionInjected(0);
    events.exceptionPending(0);
    events.interruptInjected(0);
    events.interruptSoft(0);
    Event event = a.event();
    if (event != null && event.exception()) {
      setException(event.vector(), event.errorCode());
    } else if (event != null) {
      events.interruptInjected(1);
      events.interruptVector(event.vector());
    }
    events.interruptShadow(a.interruptShadow() ? 1 : 0);
    events.nmiInjected(0);
    events.nmiPending(a.nmiPending() ? 1 : 0);
    events.nmiMasked(a.nmiBlocked() ? 1 : 0);
    events.flags(VcpuEvents.VALID_NMI_PENDING | VcpuEvents.VALID_SHADOW);
    fd.setVcpuEvents(events);
  }

  private void setException(int vector, int errorCode) {
    boolean error = errorCode != Event.NO_ERROR_CODE;
    events.exceptionInjected(1);
    events.exceptionVector(vector);
    events.exceptionHasError(error ? 1 : 0);
    events.exceptionError(error ? errorCode : 0);
  }
}
