package org.pluribus.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Native memory laid out as a C struct. x86-64 only, so the machine's byte order is the struct's.
 *
 * <p>A struct of its own is freed when nothing refers to it any more; whoever passes its address to
 * the kernel keeps a reference until the call is back.
 */
abstract sealed class Struct
    permits Regs, Sregs, Segment, Fpu, Xsave, Msrs, VcpuEvents, DebugRegs, Xcrs, CpuidBuffer {
  private final MemorySegment bytes;

  /** Zeroed memory of its own. */
  Struct(long size) {
    this.bytes = Arena.ofAuto().allocate(size, Long.BYTES);
  }

  /** A view of the beginning of somebody else's memory. */
  Struct(MemorySegment bytes, long size) {
    this.bytes = bytes.asSlice(0, size);
  }

  final MemorySegment bytes() {
    return bytes;
  }

  final long address() {
    return bytes.address();
  }

  final void copyBytes(Struct other) {
    bytes.copyFrom(other.bytes);
  }

  final int byteAt(long offset) {
    return Byte.toUnsignedInt(bytes.get(JAVA_BYTE, offset));
  }

  final void byteAt(long offset, int value) {
    bytes.set(JAVA_BYTE, offset, (byte) value);
  }

  final int shortAt(long offset) {
    return Short.toUnsignedInt(bytes.get(JAVA_SHORT, offset));
  }

  final void shortAt(long offset, int value) {
    bytes.set(JAVA_SHORT, offset, (short) value);
  }

  final int intAt(long offset) {
    return bytes.get(JAVA_INT, offset);
  }

  final void intAt(long offset, int value) {
    bytes.set(JAVA_INT, offset, value);
  }

  final long longAt(long offset) {
    return bytes.get(JAVA_LONG, offset);
  }

  final void longAt(long offset, long value) {
    bytes.set(JAVA_LONG, offset, value);
  }
}
