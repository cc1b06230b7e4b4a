package org.pluribus.vmm.cli.demo;

/** The demo can't be prepared on this host. The message is one line with the cure. */
public final class DemoException extends Exception {

  private static final long serialVersionUID = 1L;

  DemoException(String message) {
    super(message);
  }
}
