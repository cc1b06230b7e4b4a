package org.pluribus.vmm.node;

import org.pluribus.kvm.KvmRun;
import org.pluribus.kvm.Msrs;
import org.pluribus.kvm.Regs;
import org.pluribus.kvm.Sregs;
import org.pluribus.kvm.VcpuExit;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.vmm.apic.LocalApic;
import org.pluribus.vmm.emulator.CpuModel;
import org.pluribus.vmm.emulator.CpuidTable;
import org.pluribus.vmm.loader.EntryState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A vCPU that the processor itself executes, through KVM. Interrupt controllers, timers and devices
 * are ours: what concerns them leaves the guest as an exit. Page faults do not come here: the
 * vCPU's thread waits for the page in the kernel, and {@link KvmVm}'s fault thread serves it.
 *
 * <p>Nothing is allocated between two exits.
 */
final class KvmVcpu implements VcpuBackend, VcpuFaults.Vcpu {
  private static final Logger LOG = LoggerFactory.getLogger(KvmVcpu.class);

  /** What CPUID leaf 1 gives in EAX. */
  private static final int SIGNATURE_LEAF = 1;

  private final VcpuThread vcpu;
  private final KvmVm vm;
  private final VcpuFd fd;
  private final KvmRun area;
  private final int signature;
  private final KvmMsrs msrs;
  private long tscOffset;
  private boolean tscSet;

  /** The next exit shall look whether the guest spins. */
  private volatile boolean look;

  private final SpinCheck spins;

  /** Exits after which the guest needs no page for a while. Written by the vCPU's thread only. */
  private volatile long pauses;

  private final KvmState state;

  /** HLT has exited and no interrupt has come since. */
  private boolean halted;

  /**
   * @param xsaveBytes size of the VM's XSAVE areas
   */
  KvmVcpu(VcpuThread vcpu, KvmVm vm, VcpuFd fd, CpuidTable cpuid, int xsaveBytes) {
    this.vcpu = vcpu;
    this.vm = vm;
    this.fd = fd;
    area = fd.runArea();
    signature = cpuid.eax(SIGNATURE_LEAF, 0);
    msrs = new KvmMsrs(cpuid);
    fd.setCpuid(KvmCpuid.entries(cpuid));
    showCapabilities(cpuid.model());
    state = new KvmState(fd, msrs, xsaveBytes);
    spins = new SpinCheck(fd, vm.layout(), vcpu.node());
    KvmReset.init(fd, vcpu.index() == 0, signature);
  }

  /**
   * KVM would show what this host has, which another node's may lack. An in-order model's are made
   * up: KVM that knows the register shows its own then.
   */
  private void showCapabilities(CpuModel model) {
    if (model.hasArchCapabilities() && !model.equals(CpuModel.IN_ORDER)) {
      Msrs list = Msrs.of(KvmMsrs.ARCH_CAPABILITIES);
      list.value(0, model.archCapabilities());
      if (fd.setMsrs(list) != 1) {
        throw new UnfitHostException(
            "this host's KVM does not let us set IA32_ARCH_CAPABILITIES; use Linux 5.16 or newer");
      }
    }
  }

  @Override
  public void enter(EntryState state) {
    KvmReset.enter(fd, state);
  }

  @Override
  public void init() {
    completeExit();
    halted = false;
    KvmReset.init(fd, vcpu.index() == 0, signature);
  }

  /**
   * What the last exit began is finished by the next run only; registers are right after that. One
   * instruction may exit several times.
   */
  private void completeExit() {
    for (VcpuExit exit = endRun(); !(exit instanceof VcpuExit.Interrupted); exit = endRun()) {
      handle(exit);
    }
  }

  private VcpuExit endRun() {
    area.immediateExit(true);
    return fd.run();
  }

  @Override
  public VcpuState capture() {
    completeExit();
    return state.capture(halted);
  }

  @Override
  public void restore(VcpuState from) {
    completeExit();
    state.restore(from);
    halted = from.activity().halted();
    completeExit(); // the run area shows the new flags from here on
  }

  @Override
  public void sipi(int page) {
    KvmReset.sipi(fd, page);
  }

  @Override
  public void quiet() {
    // The kernel takes pages away from a vCPU by itself, wherever it is.
  }

  @Override
  public void resume() {
    // See quiet().
  }

  @Override
  public void kick() {
    fd.kick();
  }

  @Override
  public long instructions() {
    return 0;
  }

  @Override
  public String describe() {
    return "under KVM after "
        + pauses
        + " waits (HLT, devices), the last exit with reason "
        + area.exitReason();
  }

  @Override
  public void close() {
    fd.close();
  }

  // ---- the loop

  @Override
  public void run() {
    while (!vcpu.node().stopping() && !vcpu.takeInit()) {
      if (halted) {
        if (!vcpu.halt(area.ifFlag())) {
          return;
        }
        halted = false;
      }
      prepare();
      VcpuExit exit = fd.run();
      if (look) {
        look = false;
        if (exit instanceof VcpuExit.Interrupted && spins.now()) {
          countPause();
        }
      }
      LocalApic apic = vcpu.apic();
      if (area.cr8() != apic.cr8()) {
        apic.setCr8((int) area.cr8());
      }
      handle(exit);
    }
  }

  /** Hands over what waits for the guest: NMI, interrupt, time. */
  private void prepare() {
    LocalApic apic = vcpu.apic();
    if (apic.takeNmi()) {
      fd.nmi();
    }
    boolean pending = apic.interruptPending();
    if (pending && area.readyForInterruptInjection() && area.ifFlag()) {
      int vector = apic.acknowledgeInterrupt();
      if (vector >= 0) {
        fd.interrupt(vector);
      }
      pending = apic.interruptPending();
    }
    area.requestInterruptWindow(pending);
    area.cr8(apic.cr8());
    if (!tscSet || tscOffset != vm.tscOffset()) {
      tscSet = true;
      tscOffset = vm.tscOffset();
      fd.setTscOffset(tscOffset);
      // A KVM without hardware virtualisation may leave the guest the host's counter as it is.
      long given = fd.tscOffset();
      vm.givenTscOffset(given);
      apic.setTscOffset(given - tscOffset);
    }
  }

  @Override
  public int threadId() {
    return fd.threadId();
  }

  /**
   * Changes whenever the guest has completed an instruction and waits: for an interrupt or a
   * device, or was {@linkplain #lookWhetherItSpins seen} to spin. Other exits do not count: it goes
   * on at once with the pages it has. Any thread.
   */
  @Override
  public long pauses() {
    return pauses;
  }

  @Override
  public void lookWhetherItSpins() {
    look = true;
    fd.kick();
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
  private void countPause() {
    pauses++;
  }

  private void handle(VcpuExit exit) {
    switch (exit) {
      case VcpuExit.Io io -> {
        countPause();
        port(io);
      }
      case VcpuExit.Mmio mmio -> {
        countPause();
        mmio(mmio);
      }
      case VcpuExit.Rdmsr read -> readMsr(read);
      case VcpuExit.Wrmsr write -> writeMsr(write);
      case VcpuExit.Hlt halt -> {
        countPause();
        halted = true;
      }
      case VcpuExit.Interrupted kicked -> {}
      case VcpuExit.InterruptWindowOpen open -> {}
      case VcpuExit.SetTpr lowered -> {}
      case VcpuExit.Shutdown shutdown -> {
        LOG.warn("vCPU {} shut down {}", vcpu.index(), registers());
        vcpu.tripleFault();
        throw VcpuStopped.INSTANCE;
      }
      case VcpuExit.InternalError error ->
          throw new IllegalStateException(
              error
                  + ": this host's KVM cannot execute what the guest does here; run it with --vmi"
                  + " emulator");
      default -> throw new IllegalStateException("KVM gave up: " + exit);
    }
  }

  /** Where the guest is, in a line. The vCPU's thread, outside the guest. */
  private String registers() {
    Regs regs = new Regs();
    fd.getRegs(regs);
    Sregs sregs = Sregs.create();
    fd.getSregs(sregs);
    return String.format(
        "at %x:%x, RSP %x, CR0 %x, CR2 %x, CR3 %x, CR4 %x, EFER %x",
        sregs.cs().selector(),
        regs.rip(),
        regs.rsp(),
        sregs.cr0(),
        sregs.cr2(),
        sregs.cr3(),
        sregs.cr4(),
        sregs.efer());
  }

  private void port(VcpuExit.Io io) {
    for (int i = 0; i < io.count(); i++) {
      if (io.isIn()) {
        io.answer(i, (int) vcpu.portRead(io.port(), io.size()));
      } else {
        vcpu.portWrite(io.port(), io.size(), io.data(i) & 0xFFFF_FFFFL);
      }
    }
  }

  private void mmio(VcpuExit.Mmio mmio) {
    if (mmio.isWrite()) {
      vcpu.mmioWrite(mmio.address(), mmio.length(), mmio.data());
    } else {
      mmio.answer(vcpu.mmioRead(mmio.address(), mmio.length()));
    }
  }

  private void readMsr(VcpuExit.Rdmsr read) {
    int msr = read.index();
    if (LocalApic.ownsMsr(msr)) {
      if (vcpu.apic().readMsr(msr)) {
        read.answer(vcpu.apic().msrValue());
      } else {
        read.fail();
      }
    } else if (msrs.has(msr)) {
      read.answer(msrs.get(msr));
    } else {
      read.fail();
    }
  }

  private void writeMsr(VcpuExit.Wrmsr write) {
    int msr = write.index();
    boolean taken =
        LocalApic.ownsMsr(msr)
            ? vcpu.apic().writeMsr(msr, write.data())
            : msrs.set(msr, write.data());
    if (taken) {
      write.accept();
    } else {
      write.fail();
    }
  }
}
