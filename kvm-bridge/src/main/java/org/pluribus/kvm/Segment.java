package org.pluribus.kvm;

import java.lang.foreign.MemorySegment;

/**
 * One segment register with its hidden part: {@code struct kvm_segment} (asm/kvm.h). The fields are
 * those of a descriptor (SDM volume 3, 3.4.5), the limit in bytes. A view: writing it changes the
 * {@link Sregs} it belongs to.
 */
public final class Segment extends Struct {
  Segment(MemorySegment bytes) {
    super(bytes, KvmAbi.SEGMENT_BYTES);
  }

  /** Copies all of another's values. */
  public void copyFrom(Segment other) {
    copyBytes(other);
  }

  /** Base address. */
  public long base() {
    return longAt(KvmAbi.SEGMENT_BASE);
  }

  public void base(long value) {
    longAt(KvmAbi.SEGMENT_BASE, value);
  }

  /** Last offset, bytes, unsigned (the granularity bit is applied already). */
  public int limit() {
    return intAt(KvmAbi.SEGMENT_LIMIT);
  }

  public void limit(int value) {
    intAt(KvmAbi.SEGMENT_LIMIT, value);
  }

  public int selector() {
    return shortAt(KvmAbi.SEGMENT_SELECTOR);
  }

  public void selector(int value) {
    shortAt(KvmAbi.SEGMENT_SELECTOR, value);
  }

  /**
   * Sets everything from a descriptor's access word, so that a table of segments fits one line
   * each.
   *
   * @param access bits 40 to 55 of the descriptor: type, S, DPL, P in the low byte; AVL, L, D/B, G
   *     in bits 12 to 15; the limit's bits between are ignored
   */
  public void set(int selector, long base, int limit, int access) {
    selector(selector);
    base(base);
    limit(limit);
    type(access & 0xF);
    s(access >> 4 & 1);
    dpl(access >> 5 & 3);
    present(access >> 7 & 1);
    avl(access >> 12 & 1);
    l(access >> 13 & 1);
    db(access >> 14 & 1);
    g(access >> 15 & 1);
    unusable(0);
  }

  /** The access word that {@link #set} takes. */
  public int access() {
    return type()
        | s() << 4
        | dpl() << 5
        | present() << 7
        | avl() << 12
        | l() << 13
        | db() << 14
        | g() << 15;
  }

  public int type() {
    return byteAt(KvmAbi.SEGMENT_TYPE);
  }

  public void type(int value) {
    byteAt(KvmAbi.SEGMENT_TYPE, value);
  }

  public int present() {
    return byteAt(KvmAbi.SEGMENT_PRESENT);
  }

  public void present(int value) {
    byteAt(KvmAbi.SEGMENT_PRESENT, value);
  }

  public int dpl() {
    return byteAt(KvmAbi.SEGMENT_DPL);
  }

  public void dpl(int value) {
    byteAt(KvmAbi.SEGMENT_DPL, value);
  }

  public int db() {
    return byteAt(KvmAbi.SEGMENT_DB);
  }

  public void db(int value) {
    byteAt(KvmAbi.SEGMENT_DB, value);
  }

  public int s() {
    return byteAt(KvmAbi.SEGMENT_S);
  }

  public void s(int value) {
    byteAt(KvmAbi.SEGMENT_S, value);
  }

  public int l() {
    return byteAt(KvmAbi.SEGMENT_L);
  }

  public void l(int value) {
    byteAt(KvmAbi.SEGMENT_L, value);
  }

  public int g() {
    return byteAt(KvmAbi.SEGMENT_G);
  }

  public void g(int value) {
    byteAt(KvmAbi.SEGMENT_G, value);
  }

  public int avl() {
    return byteAt(KvmAbi.SEGMENT_AVL);
  }

  public void avl(int value) {
    byteAt(KvmAbi.SEGMENT_AVL, value);
  }

  public int unusable() {
    return byteAt(KvmAbi.SEGMENT_UNUSABLE);
  }

  public void unusable(int value) {
    byteAt(KvmAbi.SEGMENT_UNUSABLE, value);
  }
}
