package org.pluribus.vmm.apic;

import org.pluribus.vmm.bus.InterruptLine;

/**
 * The board's interrupt wiring: which wire leads to which pin of the 8259 pair and of the IOAPIC.
 *
 * <p>ISA IRQ n leads to input n of the 8259 pair and to the IOAPIC pin of the same number, but IRQ
 * 0 (the 8254's) to pin {@value #TIMER_GSI}, because input 2 is where the slave 8259 hangs. ACPI's
 * MADT tells the guest so with an interrupt source override. Pins from {@value #ISA_IRQS} on have
 * no counterpart on the 8259s.
 *
 * <p>Several devices may share a wire: it is asserted while any of them asserts it. Any thread.
 */
public final class InterruptLines {

  /** Number of ISA interrupts. */
  public static final int ISA_IRQS = 16;

  /** The IOAPIC pin (GSI) of ISA IRQ 0. */
  public static final int TIMER_GSI = 2;

  private final Pic8259 pic;
  private final IoApic ioApic;
  private final Wire[] wires = new Wire[IoApic.PINS];

  /** Wires up a board; the devices are connected later. */
  public InterruptLines(Pic8259 pic, IoApic ioApic) {
    this.pic = pic;
    this.ioApic = ioApic;
    for (int gsi = 0; gsi < wires.length; gsi++) {
      wires[gsi] = new Wire(gsi);
    }
  }

  /**
   * Connects a device to an ISA interrupt. Each call is another device on the wire.
   *
   * @param irq 0 to 15 but not 2, which is the cascade
   */
  public InterruptLine isa(int irq) {
    if (irq < 0 || irq >= ISA_IRQS || irq == Pic8259.CASCADE) {
      throw new IllegalArgumentException("there is no ISA IRQ " + irq + " for a device");
    }
    return gsi(irq == 0 ? TIMER_GSI : irq);
  }

  /** Connects a device to a global system interrupt, 0 to 23: a pin of the IOAPIC. */
  public InterruptLine gsi(int gsi) {
    if (gsi < 0 || gsi >= wires.length) {
      throw new IllegalArgumentException(
          "GSI %d: the IOAPIC has pins 0 to %d".formatted(gsi, wires.length - 1));
    }
    return new Source(wires[gsi]);
  }

  /** One wire with all that hangs on it. */
  private final class Wire {

    private static final int NO_IRQ = -1;

    private final int gsi;
    private final int irq;
    private int asserting;

    Wire(int gsi) {
      this.gsi = gsi;
      if (gsi == TIMER_GSI) {
        irq = 0;
      } else {
        irq = gsi > 0 && gsi < ISA_IRQS ? gsi : NO_IRQ;
      }
    }

    synchronized void change(boolean up) {
      int before = asserting;
      asserting += up ? 1 : -1;
      if (before == 0 || asserting == 0) {
        if (irq != NO_IRQ) {
          pic.setIrq(irq, up);
        }
        ioApic.setPin(gsi, up);
      }
    }
  }

  /** One device's end of a wire. */
  private static final class Source implements InterruptLine {

    private final Wire wire;
    private boolean level;

    Source(Wire wire) {
      this.wire = wire;
    }

    @Override
    public synchronized void set(boolean newLevel) {
      if (level != newLevel) {
        level = newLevel;
        wire.change(newLevel);
      }
    }
  }
}
