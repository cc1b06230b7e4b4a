package org.pluribus.vmm.emulator;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** The decoded code of a node by guest-physical page, shared by its CPUs. */
public final class CodeCache {
  private final AtomicReferenceArray<@Nullable CodePage> pages;
  private volatile CodeWriter[] writers = {};

  /**
   * @param pageCount guest-physical pages from 0 that can be RAM
   */
  public CodeCache(long pageCount) {
    pages = new AtomicReferenceArray<>(Math.toIntExact(pageCount));
  }

  /** A CPU more; what it will announce. Before it runs. */
  synchronized CodeWriter join() {
    CodeWriter[] more = Arrays.copyOf(writers, writers.length + 1);
    CodeWriter mine = new CodeWriter();
    more[writers.length] = mine;
    writers = more;
    return mine;
  }

  /** Whether another CPU than {@code mine}'s is storing into a page. */
  boolean isBeingWritten(long page, CodeWriter mine) {
    for (CodeWriter w : writers) {
      if (w != mine && w.isWriting(page)) {
        return true;
      }
    }
    return false;
  }

  /** Whether blocks may have been decoded from {@code page}. Any thread. */
  public boolean isCode(long page) {
    return page < pages.length() && pages.getPlain((int) page) != null;
  }

  @Nullable CodePage find(long page) {
    return page < pages.length() ? pages.get((int) page) : null;
  }

  /** The page's entry, made when there is none yet (then {@code isCode} holds from here on). */
  CodePage create(long page) {
    CodePage fresh = new CodePage(page);
    CodePage old = pages.compareAndExchange((int) page, null, fresh);
    return old == null ? fresh : old;
  }

  /**
   * A CPU of this node is about to write into a code page, and has announced it ({@link
   * CodeWriter#begin}); true when that hits decoded bytes.
   */
  boolean written(long page, int offset, int size) {
    CodePage p = find(page);
    if (p == null || !p.written(offset, size)) {
      return false;
    }
    // Often the page is data from now on: as long as it counts as code each store takes the long
    // way.
    pages.compareAndSet((int) page, p, null);
    return true;
  }

  /**
   * The node loses {@code page} to another one, or its bytes changed by other means than a CPU of
   * this node (DMA): its blocks must be compared before they run again. Any thread, before the
   * CPUs' shoot-down is acknowledged.
   */
  public void markStale(long page) {
    CodePage p = find(page);
    if (p != null) {
      p.stale = true;
    }
  }
}
