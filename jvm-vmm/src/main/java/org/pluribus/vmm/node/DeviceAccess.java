package org.pluribus.vmm.node;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.Channel;
import org.pluribus.vmm.bus.Bus;

/**
 * How vCPUs reach devices: on the node that has them, directly; from elsewhere, by a request on the
 * interrupt lane and the wait for its reply.
 *
 * <p>The devices are driven by one thread at a time, under this object's lock. Whoever holds it
 * never waits for another node.
 */
final class DeviceAccess {
  /** Reads where no device answers. */
  private static final long FLOATING = -1L;

  /** The node that has the devices. */
  static final int DEVICE_NODE = 0;

  private static final int VCPU_SHIFT = 48;

  /** Sleep of a waiting vCPU whose node has a duty thread, should its wake-up be missed. */
  private static final long PARK_NANOS = 1_000_000;

  private final PluribusNode node;
  private final @Nullable Bus ports;
  private final @Nullable Bus mmio;

  /** By vCPU number: id of the request under way, 0 for none. */
  private final AtomicLongArray waiting;

  /** By vCPU number: who waits. Written before the request goes. */
  private final @Nullable Thread[] waiters;

  private final long[] results;
  private final long[] sequence;

  /**
   * @param ports the port bus, or null when the devices are on another node
   */
  DeviceAccess(PluribusNode node, int vcpuCount, @Nullable Bus ports, @Nullable Bus mmio) {
    this.node = node;
    this.ports = ports;
    this.mmio = mmio;
    waiting = new AtomicLongArray(vcpuCount);
    results = new long[vcpuCount];
    waiters = new Thread[vcpuCount];
    sequence = new long[vcpuCount];
  }

  boolean isLocal() {
    return ports != null;
  }

  /** Accesses a device of this node. Any thread. */
  synchronized long local(boolean isMmio, boolean write, long address, int size, long value) {
    Bus bus = isMmio ? mmio : ports;
    if (bus == null) {
      return FLOATING;
    }
    if (write) {
      bus.write(address, size, value);
      return 0;
    }
    return bus.read(address, size);
  }

  /**
   * Accesses a device of the device node and waits for the answer. The vCPU's thread, quiet.
   *
   * @throws VcpuStopped when the machine stops first
   */
  long remote(int vcpu, boolean isMmio, boolean write, long address, int size, long value) {
    long id = (long) vcpu << VCPU_SHIFT | ++sequence[vcpu] & (1L << VCPU_SHIFT) - 1;
    waiters[vcpu] = Thread.currentThread();
    waiting.set(vcpu, id);
    BusRequest request = new BusRequest().set(id, isMmio, write, address, size, value);
    node.token().take();
    try {
      node.transport().channel(DEVICE_NODE).sendBusRequest(request);
      node.duty();
    } finally {
      node.token().release();
    }
    while (waiting.get(vcpu) == id) {
      if (node.stopping()) {
        throw VcpuStopped.INSTANCE;
      }
      if (node.hasDutyThread()) {
        LockSupport.parkNanos(this, PARK_NANOS);
      } else if (node.tryDuty() == 0) {
        Thread.yield();
      }
    }
    return results[vcpu];
  }

  /** A peer's request. Token holder. */
  void onRequest(int from, BusRequest r) {
    Channel back = node.transport().channel(from);
    if (ports == null) {
      back.sendBusReply(r.id, 0, BusStatus.NO_DEVICE);
      return;
    }
    long v = local(r.mmio, r.write, r.address, r.size, r.value);
    back.sendBusReply(r.id, r.write ? 0 : v, BusStatus.DONE);
  }

  /** The reply to one of our requests; one that nobody waits for is dropped. Token holder. */
  void onReply(long id, long value, BusStatus status) {
    int vcpu = (int) (id >>> VCPU_SHIFT);
    if (vcpu < waiting.length() && waiting.get(vcpu) == id) {
      results[vcpu] = status == BusStatus.DONE ? value : FLOATING;
      waiting.set(vcpu, 0);
      LockSupport.unpark(waiters[vcpu]);
    }
  }
}
