package org.pluribus.vmm.emulator;

/**
 * An exception raised in the guest (SDM volume 3, chapter 6), on its way from the handler that
 * found it to the CPU's loop, which delivers it through the guest's IDT.
 *
 * <p>Each CPU has exactly one, without a stack trace: raising a fault allocates nothing.
 */
public final class GuestFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public static final int DE = 0;
  public static final int DB = 1;
  public static final int NMI = 2;
  public static final int BP = 3;
  public static final int OF = 4;
  public static final int BR = 5;
  public static final int UD = 6;
  public static final int NM = 7;
  public static final int DF = 8;
  public static final int TS = 10;
  public static final int NP = 11;
  public static final int SS = 12;
  public static final int GP = 13;
  public static final int PF = 14;
  public static final int MF = 16;
  public static final int AC = 17;
  public static final int MC = 18;
  public static final int XM = 19;

  /** {@link #errorCode} of exceptions that push none. */
  public static final int NO_ERROR_CODE = -1;

  /** Vector, 0 to 31. */
  public int vector;

  /** Error code pushed on the handler's stack, or {@link #NO_ERROR_CODE}. */
  public int errorCode;

  GuestFault() {
    super(null, null, false, false);
  }

  @Override
  public String getMessage() {
    return "guest exception " + vector + " error code " + errorCode;
  }
}
