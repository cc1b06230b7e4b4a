package org.pluribus.transport.verbs;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** RDMA can't be used in this JVM. The message says what is in the way and what to do about it. */
public final class VerbsUnavailableException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String found;
  private final String cure;

  VerbsUnavailableException(String found, String cure, @Nullable Throwable cause) {
    super(found + "; cure: " + cure, cause);
    this.found = found;
    this.cure = cure;
  }

  /** What is in the way. */
  public String found() {
    return found;
  }

  /** What the operator can do about it. */
  public String cure() {
    return cure;
  }
}
