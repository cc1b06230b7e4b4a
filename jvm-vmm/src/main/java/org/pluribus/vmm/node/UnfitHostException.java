package org.pluribus.vmm.node;

/** This host cannot run the node asked for; the message is one line with the cure. */
public final class UnfitHostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UnfitHostException(String message) {
    super(message);
  }

  /** A system call that the node needs was refused; the cause's message has the cure. */
  public UnfitHostException(Throwable cause) {
    super(cause.getMessage(), cause);
  }
}
