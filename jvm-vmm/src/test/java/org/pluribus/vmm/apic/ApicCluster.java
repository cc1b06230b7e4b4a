package org.pluribus.vmm.apic;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.pluribus.vmm.time.ManualClock;
import org.pluribus.vmm.time.TimerQueue;

/** Nodes with their APICs on one clock turned by hand; messages between nodes wait for settle. */
final class ApicCluster {

  final ManualClock clock = new ManualClock();
  final TimerQueue timers = new TimerQueue(clock);
  final IpiRouter[] routers;
  final LocalApic[] apics;
  final AtomicInteger[] kicks;
  final IoApic ioApic;
  final List<Integer> eois = new ArrayList<>();
  private final Queue<Runnable> wire = new ArrayDeque<>();

  ApicCluster(int nodes, int apicsPerNode) {
    this(nodes, apicsPerNode, ExtIntSource.NONE);
  }

  /** APIC ids count through the nodes; APIC 0 is the boot processor, the IOAPIC is on node 0. */
  ApicCluster(int nodes, int apicsPerNode, ExtIntSource pic) {
    int[] nodeOf = IntStream.range(0, nodes * apicsPerNode).map(i -> i / apicsPerNode).toArray();
    routers = new IpiRouter[nodes];
    for (int n = 0; n < nodes; n++) {
      routers[n] = new IpiRouter(n, nodes, nodeOf, 0, new Wire());
    }
    ioApic = new IoApic(0, routers[0]);
    apics = new LocalApic[nodeOf.length];
    kicks = new AtomicInteger[nodeOf.length];
    for (int i = 0; i < apics.length; i++) {
      AtomicInteger count = new AtomicInteger();
      kicks[i] = count;
      apics[i] =
          new LocalApic(
              i,
              i == 0,
              timers,
              routers[nodeOf[i]],
              i == 0 ? pic : ExtIntSource.NONE,
              count::incrementAndGet);
    }
  }

  /** Enables every APIC by software, as a kernel does. */
  ApicCluster enableAll() {
    for (int i = 0; i < apics.length; i++) {
      write(i, ApicRegister.SPURIOUS, 0x1FF);
    }
    return this;
  }

  ApicCluster toX2apic() {
    for (LocalApic apic : apics) {
      apic.readMsr(ApicRegister.MSR_APIC_BASE);
      if (!apic.writeMsr(ApicRegister.MSR_APIC_BASE, apic.msrValue() | ApicRegister.BASE_X2APIC)) {
        throw new AssertionError("APIC " + apic.id() + " refused x2APIC mode");
      }
    }
    return this;
  }

  void write(int apic, int register, int value) {
    apics[apic].write(register, 4, value & 0xFFFF_FFFFL);
  }

  int read(int apic, int register) {
    return (int) apics[apic].read(register, 4);
  }

  /** Writes both halves of the ICR as an xAPIC driver does. */
  void sendIpi(int from, int destination, int low) {
    write(from, ApicRegister.ICR_HIGH, destination << 24);
    write(from, ApicRegister.ICR_LOW, low);
  }

  long msr(int apic, int msr) {
    if (!apics[apic].readMsr(msr)) {
      throw new AssertionError("#GP on MSR 0x" + Integer.toHexString(msr));
    }
    return apics[apic].msrValue();
  }

  /** Moves time on and lets the timers fire. */
  void advance(long nanos) {
    clock.advance(nanos);
    timers.runDue();
  }

  /** Delivers what is between nodes, and what that sets off. */
  void settle() {
    for (Runnable message = wire.poll(); message != null; message = wire.poll()) {
      message.run();
    }
  }

  int messagesUnderWay() {
    return wire.size();
  }

  /** The ids of the APICs that would take exactly this vector now. */
  List<Integer> holders(int vector) {
    return IntStream.range(0, apics.length)
        .filter(i -> apics[i].pendingVector() == vector)
        .boxed()
        .toList();
  }

  static List<Integer> ids(int... ids) {
    return Arrays.stream(ids).boxed().toList();
  }

  private final class Wire implements RemoteInterrupts {
    @Override
    public void sendIpi(int node, long message) {
      wire.add(() -> routers[node].receive(message));
    }

    @Override
    public void sendEoi(int node, int vector) {
      eois.add(vector);
      wire.add(() -> routers[node].receiveEoi(vector));
    }
  }
}
