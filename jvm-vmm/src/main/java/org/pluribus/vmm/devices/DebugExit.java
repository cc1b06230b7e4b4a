package org.pluribus.vmm.devices;

import org.pluribus.vmm.bus.BusDevice;

/**
 * QEMU's isa-debug-exit: a test kernel writes v and the machine ends with exit code (v << 1) | 1.
 */
public final class DebugExit implements BusDevice {

  private final MachineControl machine;

  public DebugExit(MachineControl machine) {
    this.machine = machine;
  }

  @Override
  public long read(long offset, int size) {
    return 0;
  }

  @Override
  public void write(long offset, int size, long value) {
    machine.debugExit((int) value << 1 | 1);
  }
}
