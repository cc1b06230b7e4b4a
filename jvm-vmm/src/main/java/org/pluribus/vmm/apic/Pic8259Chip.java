package org.pluribus.vmm.apic;

/**
 * One 8259A in 8086 mode: initialisation words ICW1 to ICW4, operation words OCW1 to OCW3, fully
 * nested and rotating priorities, automatic EOI, special mask, polling. Guarded by {@link Pic8259}.
 */
final class Pic8259Chip {

  private static final int ICW1 = 0x10;
  private static final int ICW1_NEEDS_ICW4 = 0x01;
  private static final int ICW1_SINGLE = 0x02;
  private static final int ICW4_AUTO_EOI = 0x02;
  private static final int ICW4_SPECIAL_FULLY_NESTED = 0x10;

  private static final int OCW3 = 0x08;
  private static final int OCW3_POLL = 0x04;
  private static final int OCW3_READ = 0x02;
  private static final int OCW3_READ_ISR = 0x01;
  private static final int OCW3_SET_SPECIAL_MASK = 0x40;
  private static final int OCW3_SPECIAL_MASK = 0x20;

  /** Answer to a poll: an interrupt was pending. */
  private static final int POLL_INTERRUPT = 0x80;

  /** What the next write to the data port is. */
  private enum Expecting {
    MASK,
    ICW2,
    ICW3,
    ICW4
  }

  private final int edgeLevelMask;

  private int levels;
  private int requests;
  private int inService;
  private int mask;
  private int vectorBase;
  private int edgeLevel;

  /** The input that has the lowest priority. */
  private int lowest = 7;

  private boolean autoEoi;
  private boolean rotateOnAutoEoi;
  private boolean specialMask;
  private boolean specialFullyNested;
  private boolean readInService;
  private boolean poll;
  private boolean single;
  private boolean needsIcw4;
  private Expecting expecting = Expecting.MASK;

  Pic8259Chip(int edgeLevelMask) {
    this.edgeLevelMask = edgeLevelMask;
  }

  /** An edge is remembered after the input has gone low again, a level is not. */
  void setInput(int input, boolean level) {
    int bit = 1 << input;
    boolean levelTriggered = (edgeLevel & bit) != 0;
    if (level && (levelTriggered || (levels & bit) == 0)) {
      requests |= bit;
    } else if (!level && levelTriggered) {
      requests &= ~bit;
    }
    levels = level ? levels | bit : levels & ~bit;
  }

  /** The input this chip interrupts for, or -1. */
  int pendingInput() {
    int candidate = highest(requests & ~mask);
    if (candidate < 0) {
      return -1;
    }
    int blocking = specialMask ? inService & ~mask : inService;
    if (specialFullyNested) {
      // A slave may interrupt again while an interrupt of its own is in service.
      blocking &= ~(1 << Pic8259.CASCADE);
    }
    int current = highest(blocking);
    return current < 0 || rank(candidate) < rank(current) ? candidate : -1;
  }

  void acknowledge(int input) {
    int bit = 1 << input;
    if (!autoEoi) {
      inService |= bit;
    } else if (rotateOnAutoEoi) {
      lowest = input;
    }
    if ((edgeLevel & bit) == 0) {
      requests &= ~bit;
    }
  }

  int vector(int input) {
    return vectorBase | input;
  }

  int edgeLevel() {
    return edgeLevel;
  }

  void setEdgeLevel(int value) {
    edgeLevel = value & edgeLevelMask;
    requests = requests & ~edgeLevel | levels & edgeLevel;
  }

  int readStatus() {
    if (poll) {
      return answerPoll();
    }
    return readInService ? inService : requests;
  }

  int readMask() {
    return poll ? answerPoll() : mask;
  }

  private int answerPoll() {
    poll = false;
    int input = pendingInput();
    if (input < 0) {
      return 0;
    }
    acknowledge(input);
    return POLL_INTERRUPT | input;
  }

  void writeCommand(int value) {
    if ((value & ICW1) != 0) {
      initialise(value);
    } else if ((value & OCW3) != 0) {
      if ((value & OCW3_POLL) != 0) {
        poll = true;
      }
      if ((value & OCW3_READ) != 0) {
        readInService = (value & OCW3_READ_ISR) != 0;
      }
      if ((value & OCW3_SET_SPECIAL_MASK) != 0) {
        specialMask = (value & OCW3_SPECIAL_MASK) != 0;
      }
    } else {
      writeOcw2(value >> 5, value & 7);
    }
  }

  private void initialise(int icw1) {
    requests = levels & edgeLevel;
    inService = 0;
    mask = 0;
    lowest = 7;
    autoEoi = false;
    rotateOnAutoEoi = false;
    specialMask = false;
    specialFullyNested = false;
    readInService = false;
    poll = false;
    single = (icw1 & ICW1_SINGLE) != 0;
    needsIcw4 = (icw1 & ICW1_NEEDS_ICW4) != 0;
    expecting = Expecting.ICW2;
  }

  /** Bits of the operation: 4 = rotate, 2 = specific, 1 = end of interrupt. */
  private void writeOcw2(int operation, int input) {
    switch (operation) {
      case 0, 4 -> rotateOnAutoEoi = operation == 4;
      case 1, 5 -> {
        int done = highest(specialMask ? inService & ~mask : inService);
        if (done >= 0) {
          endOfInterrupt(done, operation == 5);
        }
      }
      case 3, 7 -> endOfInterrupt(input, operation == 7);
      case 6 -> lowest = input;
      default -> {}
    }
  }

  private void endOfInterrupt(int input, boolean rotate) {
    inService &= ~(1 << input);
    if (rotate) {
      lowest = input;
    }
  }

  void writeData(int value) {
    switch (expecting) {
      case MASK -> mask = value;
      case ICW2 -> {
        vectorBase = value & 0xF8;
        expecting = single ? afterIcw3() : Expecting.ICW3;
      }
      case ICW3 -> expecting = afterIcw3();
      case ICW4 -> {
        autoEoi = (value & ICW4_AUTO_EOI) != 0;
        specialFullyNested = (value & ICW4_SPECIAL_FULLY_NESTED) != 0;
        expecting = Expecting.MASK;
      }
    }
  }

  private Expecting afterIcw3() {
    return needsIcw4 ? Expecting.ICW4 : Expecting.MASK;
  }

  /** 0 for the input of highest priority, 7 for the lowest. */
  private int rank(int input) {
    return input - lowest - 1 & 7;
  }

  private int highest(int inputs) {
    for (int rank = 0; rank < 8; rank++) {
      int input = lowest + 1 + rank & 7;
      if ((inputs & 1 << input) != 0) {
        return input;
      }
    }
    return -1;
  }
}
