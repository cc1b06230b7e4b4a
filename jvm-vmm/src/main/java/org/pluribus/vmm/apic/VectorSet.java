package org.pluribus.vmm.apic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** A set of the 256 interrupt vectors (an IRR, ISR or TMR). Each change is atomic. */
final class VectorSet {

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int WORDS = 4;

  private final long[] words = new long[WORDS];

  /** Adds a vector; true if it was not there. A full fence. */
  boolean add(int vector) {
    long bit = 1L << vector;
    return ((long) WORD.getAndBitwiseOr(words, vector >> 6, bit) & bit) == 0;
  }

  /** Takes a vector out; true if it was there. A full fence. */
  boolean remove(int vector) {
    long bit = 1L << vector;
    return ((long) WORD.getAndBitwiseAnd(words, vector >> 6, ~bit) & bit) != 0;
  }

  boolean contains(int vector) {
    return ((long) WORD.getAcquire(words, vector >> 6) & 1L << vector) != 0;
  }

  /** The highest vector, or -1. */
  int highest() {
    for (int i = WORDS - 1; i >= 0; i--) {
      long word = (long) WORD.getAcquire(words, i);
      if (word != 0) {
        return (i << 6) + 63 - Long.numberOfLeadingZeros(word);
      }
    }
    return -1;
  }

  void clear() {
    for (int i = 0; i < WORDS; i++) {
      WORD.setVolatile(words, i, 0L);
    }
  }

  /** Vectors {@code 32 * index} to {@code 32 * index + 31}, as the APIC's registers show them. */
  int register(int index) {
    return (int) ((long) WORD.getAcquire(words, index >> 1) >>> 32 * (index & 1));
  }
}
