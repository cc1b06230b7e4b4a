package org.pluribus.vmm.apic;

import org.pluribus.vmm.bus.BusDevice;
import org.pluribus.vmm.bus.InterruptLine;

/**
 * The PC's pair of 8259A interrupt controllers (Intel 8259A data sheet), the slave on the master's
 * input {@value #CASCADE}, with the edge/level control registers that EISA added.
 *
 * <p>Any thread may call. INTR leads to LINT0 of the boot processor's local APIC, which
 * acknowledges from its own thread.
 */
public final class Pic8259 implements ExtIntSource {

  /** The master's input where the slave's INTR is. */
  public static final int CASCADE = 2;

  /**
   * Inputs of which the pair's edge/level control can be set: 0, 1, 2, 8 and 13 are always edge.
   */
  private static final int MASTER_ELCR_MASK = 0xF8;

  private static final int SLAVE_ELCR_MASK = 0xDE;

  /** A chip answers with this input if what it interrupted for has gone. */
  private static final int SPURIOUS_INPUT = 7;

  private final Pic8259Chip master = new Pic8259Chip(MASTER_ELCR_MASK);
  private final Pic8259Chip slave = new Pic8259Chip(SLAVE_ELCR_MASK);
  private InterruptLine output = InterruptLine.UNCONNECTED;
  private volatile boolean intr;

  /** Connects INTR: to {@link LocalApic#lint} 0 of the boot processor. */
  public synchronized void connectIntr(InterruptLine line) {
    output = line;
    line.set(intr);
  }

  /** Drives an input: 0 to 7 of the master, 8 to 15 of the slave. */
  public synchronized void setIrq(int irq, boolean level) {
    (irq < 8 ? master : slave).setInput(irq & 7, level);
    update();
  }

  @Override
  public boolean intr() {
    return intr;
  }

  @Override
  public synchronized int acknowledgeInterrupt() {
    int vector;
    int input = master.pendingInput();
    if (input < 0) {
      vector = master.vector(SPURIOUS_INPUT);
    } else {
      master.acknowledge(input);
      vector = input == CASCADE ? acknowledgeSlave() : master.vector(input);
    }
    // INTR drops during the cycle, so what is still pending makes a new edge.
    drive(false);
    update();
    return vector;
  }

  private int acknowledgeSlave() {
    int input = slave.pendingInput();
    if (input < 0) {
      return slave.vector(SPURIOUS_INPUT);
    }
    slave.acknowledge(input);
    return slave.vector(input);
  }

  /** The master's two ports (0x20, 0x21). */
  public BusDevice masterPorts() {
    return new Ports(master);
  }

  /** The slave's two ports (0xA0, 0xA1). */
  public BusDevice slavePorts() {
    return new Ports(slave);
  }

  /** The two edge/level control registers (0x4D0, 0x4D1). */
  public BusDevice edgeLevelPorts() {
    return new BusDevice() {
      @Override
      public long read(long offset, int size) {
        synchronized (Pic8259.this) {
          return chip(offset).edgeLevel();
        }
      }

      @Override
      public void write(long offset, int size, long value) {
        synchronized (Pic8259.this) {
          chip(offset).setEdgeLevel((int) value & 0xFF);
          update();
        }
      }

      private Pic8259Chip chip(long offset) {
        return offset == 0 ? master : slave;
      }
    };
  }

  private void update() {
    master.setInput(CASCADE, slave.pendingInput() >= 0);
    drive(master.pendingInput() >= 0);
  }

  private void drive(boolean level) {
    if (intr != level) {
      intr = level;
      output.set(level);
    }
  }

  private final class Ports implements BusDevice {

    private final Pic8259Chip chip;

    Ports(Pic8259Chip chip) {
      this.chip = chip;
    }

    @Override
    public long read(long offset, int size) {
      synchronized (Pic8259.this) {
        int value = offset == 0 ? chip.readStatus() : chip.readMask();
        update();
        return value;
      }
    }

    @Override
    public void write(long offset, int size, long value) {
      synchronized (Pic8259.this) {
        if (offset == 0) {
          chip.writeCommand((int) value & 0xFF);
        } else {
          chip.writeData((int) value & 0xFF);
        }
        update();
      }
    }
  }
}
