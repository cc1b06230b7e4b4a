package org.pluribus.vmm.emulator;

import java.lang.invoke.VarHandle;
import org.pluribus.posix.HostAtomics;
import org.pluribus.posix.HostMemory;

/**
 * Read-modify-write of a memory operand, with and without LOCK.
 *
 * <p>The operation is a number and not an object: {@link #compute} is one switch, which a
 * compare-and-exchange loop may run several times. Each update returns the value that was there;
 * the caller derives result and flags from it, after the last access that can fault.
 */
final class MemoryUpdate {
  static final int ADD = 0;
  static final int SUB = 1;

  /** {@code old + b + aux}. */
  static final int ADC = 2;

  /** {@code old - b - aux}. */
  static final int SBB = 3;

  static final int AND = 4;
  static final int OR = 5;
  static final int XOR = 6;

  /** {@code -old}. */
  static final int NEG = 7;

  /** {@code ~old}. */
  static final int NOT = 8;

  /** {@code b}. */
  static final int SET = 9;

  /** {@code b} if the old value equals {@code aux}, else the old value. */
  static final int SET_IF_EQUAL = 10;

  private MemoryUpdate() {}

  /** The new value; only its low {@code size} bytes count. {@code old} is zero-extended. */
  static long compute(int op, long old, long b, long aux) {
    return switch (op) {
      case ADD -> old + b;
      case SUB -> old - b;
      case ADC -> old + b + aux;
      case SBB -> old - b - aux;
      case AND -> old & b;
      case OR -> old | b;
      case XOR -> old ^ b;
      case NEG -> -old;
      case NOT -> ~old;
      case SET -> b;
      default -> old == aux ? b : old;
    };
  }

  /** Updates operand 0 of {@code i}, which is in memory; locked when the prefix is there. */
  static long operand(Cpu c, Insn i, int op, long b, long aux) {
    int size = i.size[0];
    return at(c, c.address(i, size, true), size, i.lock, op, b, aux);
  }

  /**
   * Updates {@code size} (1, 2, 4 or 8) bytes at linear address {@code la}.
   *
   * @return the old value, zero-extended
   * @throws GuestFault before anything was written
   */
  static long at(Cpu c, long la, int size, boolean lock, int op, long b, long aux) {
    long host = c.hostForWrite(la, size);
    if (host == 0) {
      return SplitLock.update(c, la, size, lock, op, b, aux);
    }
    if (lock) {
      return locked(host, size, op, b, aux);
    }
    long old = RawAccess.get(host, size);
    long v = compute(op, old, b, aux);
    VarHandle.releaseFence();
    RawAccess.put(host, size, v);
    return old;
  }

  /** Lock-free: an attempt fails only because another CPU's update succeeded. */
  private static long locked(long host, int size, int op, long b, long aux) {
    boolean aligned = (host & size - 1) == 0;
    long old = RawAccess.get(host, size);
    while (true) {
      long v = compute(op, old, b, aux);
      long found = aligned ? exchange(host, size, old, v) : exchangeUnaligned(host, size, old, v);
      if (found == old) {
        return old;
      }
      old = found;
    }
  }

  private static long exchange(long host, int size, long old, long v) {
    return switch (size) {
      case 1 -> HostMemory.compareExchangeByte(host, (byte) old, (byte) v) & 0xFFL;
      case 2 -> HostMemory.compareExchangeShort(host, (short) old, (short) v) & 0xFFFFL;
      case 4 -> HostMemory.compareExchangeInt(host, (int) old, (int) v) & 0xFFFFFFFFL;
      default -> HostMemory.compareExchangeLong(host, old, v);
    };
  }

  private static long exchangeUnaligned(long host, int size, long old, long v) {
    return switch (size) {
      case 2 -> HostAtomics.compareExchange2Unaligned(host, (short) old, (short) v) & 0xFFFFL;
      case 4 -> HostAtomics.compareExchange4Unaligned(host, (int) old, (int) v) & 0xFFFFFFFFL;
      default -> HostAtomics.compareExchange8Unaligned(host, old, v);
    };
  }
}
