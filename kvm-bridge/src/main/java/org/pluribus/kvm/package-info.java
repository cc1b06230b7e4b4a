/**
 * Virtual machines with the kernel's KVM: {@code /dev/kvm} through the Foreign Function and Memory
 * API, one method per ioctl.
 *
 * <p>Three objects, as in the kernel: {@link org.pluribus.kvm.Kvm} is the host, {@link
 * org.pluribus.kvm.VmFd} a machine (guest-physical memory), {@link org.pluribus.kvm.VcpuFd} one CPU
 * of it. A whole machine monitor for a guest that writes to a port and halts:
 *
 * <pre>{@code
 * try (Kvm kvm = Kvm.open();
 *     VmFd vm = kvm.createVm();
 *     Mapping ram = Mapping.anonymous(1 << 20, PROT_READ | PROT_WRITE)) {
 *   vm.setUserMemoryRegion(0, 0, ram);           // slot 0, guest-physical address 0
 *   ram.segment().asSlice(0x1000).copyFrom(code);
 *   try (VcpuFd vcpu = vm.createVcpu(0)) {
 *     vcpu.setCpuid(kvm.supportedCpuid());
 *     Sregs sregs = Sregs.create();
 *     vcpu.getSregs(sregs);                      // the state after reset: real mode
 *     sregs.cs().set(0, 0, 0xFFFF, 0x9B);
 *     vcpu.setSregs(sregs);
 *     Regs regs = new Regs();
 *     regs.rip(0x1000);
 *     regs.rflags(2);                            // bit 1 is always set
 *     vcpu.setRegs(regs);
 *     for (;;) {
 *       switch (vcpu.run()) {
 *         case VcpuExit.Io io when !io.isIn() -> System.out.write(io.data(0));
 *         case VcpuExit.Hlt _ -> { return; }
 *         case VcpuExit other -> throw new IllegalStateException(other.toString());
 *       }
 *     }
 *   }
 * }
 * }</pre>
 *
 * <h2>The run loop</h2>
 *
 * <p>{@link org.pluribus.kvm.VcpuFd#run()} enters the guest and comes back with a {@link
 * org.pluribus.kvm.VcpuExit}. Exits are frequent, so nothing is allocated: each vCPU has one object
 * of each kind, which reads the {@linkplain org.pluribus.kvm.KvmRun run area} that the kernel
 * shares with us. What a guest reads (a port, MMIO, an MSR) is answered through the same object and
 * takes effect when the vCPU runs again.
 *
 * <p>A vCPU belongs to one platform thread. Other threads have {@link
 * org.pluribus.kvm.VcpuFd#kick()}: publish the news, then kick. The flag {@code immediate_exit} and
 * a {@linkplain org.pluribus.posix.ThreadKick signal} together make sure that no kick is lost.
 *
 * <h2>Interrupts without an in-kernel APIC</h2>
 *
 * <p>The local APIC is the caller's. To deliver a vector: if {@link
 * org.pluribus.kvm.KvmRun#readyForInterruptInjection()} says so, call {@link
 * org.pluribus.kvm.VcpuFd#interrupt}; else set {@link
 * org.pluribus.kvm.KvmRun#requestInterruptWindow(boolean)} and run until {@link
 * org.pluribus.kvm.VcpuExit.InterruptWindowOpen}. HLT exits; x2APIC registers exit as MSRs once
 * {@link org.pluribus.kvm.KvmCap#X86_USER_SPACE_MSR} is enabled; CR8 lies in the run area.
 *
 * <h2>State</h2>
 *
 * <p>{@link org.pluribus.kvm.Regs}, {@link org.pluribus.kvm.Sregs} and their like are native
 * structs with accessors: make one, reuse it. {@link org.pluribus.kvm.CpuidEntry} is a plain value.
 *
 * <h2>Failures</h2>
 *
 * <p>Every refusal of the kernel is a {@link org.pluribus.posix.PosixException} that names the
 * ioctl, the errno and the cure. Sizes, offsets and request numbers stand in one table, which a
 * test compares with the C headers.
 */
@NullMarked
package org.pluribus.kvm;

import org.jspecify.annotations.NullMarked;
