package org.pluribus.vmm.apic;

import java.util.Arrays;
import org.pluribus.vmm.bus.BusDevice;

/**
 * An IOAPIC with {@link #PINS} pins, version 0x20 (Intel 82093AA data sheet; the EOI register from
 * the ICH family's data sheets).
 *
 * <p>Its registers are at {@link org.pluribus.vmm.memory.AddressMap#IOAPIC_BASE}. Pins are told
 * whether they are asserted; a pin's polarity is kept for the guest to read but not applied, as
 * devices here have no active-low wires. A pin in ExtINT mode delivers nothing: the 8259 pair is
 * wired to LINT0.
 *
 * <p>Any thread may call. The lock is held while a message is handed to the {@link IpiRouter},
 * which never waits, so that messages leave in the order of the pins' changes.
 */
public final class IoApic implements BusDevice {

  /** Number of pins: 16 of ISA, 8 more for PCI. */
  public static final int PINS = 24;

  private static final int WINDOW_SELECT = 0x00;
  private static final int WINDOW_DATA = 0x10;
  private static final int WINDOW_EOI = 0x40;

  private static final int INDEX_ID = 0;
  private static final int INDEX_VERSION = 1;
  private static final int INDEX_ARBITRATION = 2;
  private static final int INDEX_REDIRECTION = 0x10;

  /** Version 0x20: has an EOI register. */
  private static final int VERSION = (PINS - 1) << 16 | 0x20;

  private static final int ID_MASK = 0x0F00_0000;

  private static final long ENTRY_VECTOR = 0xFF;
  private static final long ENTRY_LOGICAL = 1L << 11;
  private static final long ENTRY_REMOTE_IRR = 1L << 14;
  private static final long ENTRY_LEVEL = 1L << 15;
  private static final long ENTRY_MASKED = 1L << 16;
  private static final long ENTRY_READ_ONLY = 1L << 12 | ENTRY_REMOTE_IRR;
  private static final long ENTRY_WRITABLE = 0xFF00_0000_0001_AFFFL;

  private final IpiRouter router;
  private final long[] entries = new long[PINS];
  private int asserted;
  private int selected;
  private int id;

  /** An IOAPIC as after reset, all pins masked; it attaches itself to the router. */
  public IoApic(int id, IpiRouter router) {
    this.router = router;
    this.id = id << 24 & ID_MASK;
    Arrays.fill(entries, ENTRY_MASKED);
    router.attach(this);
  }

  /** Asserts or releases a pin. */
  public synchronized void setPin(int pin, boolean level) {
    int bit = 1 << pin;
    boolean before = (asserted & bit) != 0;
    asserted = level ? asserted | bit : asserted & ~bit;
    if (level && !before) {
      boolean edge = (entries[pin] & ENTRY_LEVEL) == 0;
      if (edge && (entries[pin] & ENTRY_MASKED) == 0) {
        deliver(pin);
      } else {
        deliverLevel(pin);
      }
    }
  }

  /** A vCPU has finished with a level-triggered vector; pins still asserted fire again. */
  public synchronized void endOfInterrupt(int vector) {
    for (int pin = 0; pin < PINS; pin++) {
      long entry = entries[pin];
      if ((entry & ENTRY_REMOTE_IRR) != 0 && (entry & ENTRY_VECTOR) == vector) {
        entries[pin] = entry & ~ENTRY_REMOTE_IRR;
        deliverLevel(pin);
      }
    }
  }

  @Override
  public synchronized long read(long offset, int size) {
    long register = (int) offset & ~3;
    if (register == WINDOW_SELECT) {
      return selected;
    }
    return register == WINDOW_DATA ? readIndex(selected) & 0xFFFF_FFFFL : 0;
  }

  @Override
  public synchronized void write(long offset, int size, long value) {
    switch ((int) offset) {
      case WINDOW_SELECT -> selected = (int) value & 0xFF;
      case WINDOW_DATA -> writeIndex(selected, (int) value);
      case WINDOW_EOI -> endOfInterrupt((int) value & 0xFF);
      default -> {}
    }
  }

  private int readIndex(int index) {
    return switch (index) {
      case INDEX_ID, INDEX_ARBITRATION -> id;
      case INDEX_VERSION -> VERSION;
      default -> {
        int pin = (index - INDEX_REDIRECTION) >> 1;
        if (index < INDEX_REDIRECTION || pin >= PINS) {
          yield 0;
        }
        yield (int) ((index & 1) == 0 ? entries[pin] : entries[pin] >>> 32);
      }
    };
  }

  private void writeIndex(int index, int value) {
    int pin = (index - INDEX_REDIRECTION) >> 1;
    if (index == INDEX_ID) {
      id = value & ID_MASK;
    } else if (index >= INDEX_REDIRECTION && pin < PINS) {
      long entry = entries[pin];
      long written =
          (index & 1) == 0
              ? entry & 0xFFFF_FFFF_0000_0000L | value & 0xFFFF_FFFFL
              : entry & 0xFFFF_FFFFL | (long) value << 32;
      writeEntry(pin, written & ENTRY_WRITABLE | entry & ENTRY_READ_ONLY);
    }
  }

  /** Making an entry edge-triggered clears its remote IRR: Linux gets a stuck pin going by that. */
  private void writeEntry(int pin, long entry) {
    boolean level = (entry & ENTRY_LEVEL) != 0;
    entries[pin] = level ? entry : entry & ~ENTRY_REMOTE_IRR;
    deliverLevel(pin);
  }

  /** Sends a level-triggered pin's message if it is asserted and none is under way. */
  private void deliverLevel(int pin) {
    long entry = entries[pin];
    boolean ready = (entry & (ENTRY_LEVEL | ENTRY_MASKED | ENTRY_REMOTE_IRR)) == ENTRY_LEVEL;
    if (ready && (asserted & 1 << pin) != 0) {
      deliver(pin);
    }
  }

  private void deliver(int pin) {
    long entry = entries[pin];
    int mode = (int) (entry >>> 8) & 7;
    if (mode == IpiMessage.EXTINT) {
      return;
    }
    boolean vectored = mode == IpiMessage.FIXED || mode == IpiMessage.LOWEST_PRIORITY;
    boolean level = vectored && (entry & ENTRY_LEVEL) != 0;
    if (level) {
      // Before sending: the EOI may come while the message is still being handed over.
      entries[pin] = entry | ENTRY_REMOTE_IRR;
    }
    router.send(
        IpiMessage.of(
            mode,
            (int) (entry & ENTRY_VECTOR),
            (entry & ENTRY_LOGICAL) != 0,
            IpiMessage.widen((int) (entry >>> 56)),
            level));
  }
}
