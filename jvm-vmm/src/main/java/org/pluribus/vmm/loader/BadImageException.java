package org.pluribus.vmm.loader;

/** A kernel, initrd or command line that can't be booted. The message names it and the cure. */
public final class BadImageException extends Exception {

  private static final long serialVersionUID = 1L;

  BadImageException(String message) {
    super(message);
  }
}
