package org.pluribus.transport;

/**
 * An interrupt on its way between local APICs, as a reusable holder. The fields are those of the
 * interrupt command register (Intel SDM vol. 3, "Issuing Interprocessor Interrupts", ICR layout).
 * Not thread-safe.
 */
public final class IpiMessage {
  /** Largest value of {@link #deliveryMode}. */
  public static final int MAX_DELIVERY_MODE = 7;

  /** Largest value of {@link #shorthand}. */
  public static final int MAX_SHORTHAND = 3;

  /** Largest value of {@link #hops}. */
  public static final int MAX_HOPS = 0xFFF;

  /** Largest vector. */
  public static final int MAX_VECTOR = 255;

  /** APIC id, or logical destination if {@link #logical}; all 32 bits count. */
  public int destination;

  /** Destination mode: false physical, true logical. */
  public boolean logical;

  /** 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT, 6 start-up, 7 ExtINT (I/O APIC only). */
  public int deliveryMode;

  /** Vector, or start page of a start-up IPI. */
  public int vector;

  /** Level: false de-assert, true assert. */
  public boolean assertLevel;

  /** Trigger mode: false edge, true level. */
  public boolean levelTriggered;

  /** 0 none, 1 self, 2 all including self, 3 all excluding self. */
  public int shorthand;

  /** Nodes that were offered this lowest-priority interrupt already. */
  public int hops;

  /** Sets every field. */
  @SuppressWarnings("TooManyParameters")
  public IpiMessage set(
      int destination,
      boolean logical,
      int deliveryMode,
      int vector,
      boolean assertLevel,
      boolean levelTriggered,
      int shorthand,
      int hops) {
    this.destination = destination;
    this.logical = logical;
    this.deliveryMode = deliveryMode;
    this.vector = vector;
    this.assertLevel = assertLevel;
    this.levelTriggered = levelTriggered;
    this.shorthand = shorthand;
    this.hops = hops;
    return this;
  }

  @Override
  public String toString() {
    return "IPI vector "
        + vector
        + " mode "
        + deliveryMode
        + (logical ? " logical " : " physical ")
        + Integer.toHexString(destination)
        + (assertLevel ? " assert" : " de-assert")
        + (levelTriggered ? " level" : " edge")
        + " shorthand "
        + shorthand
        + " hops "
        + hops;
  }
}
