package org.pluribus.transport;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** The cluster could not be joined. The message is one line that names the trouble and the cure. */
public final class TransportException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  public TransportException(String message) {
    super(message);
  }

  public TransportException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
