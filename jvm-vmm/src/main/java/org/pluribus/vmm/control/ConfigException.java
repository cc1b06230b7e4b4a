package org.pluribus.vmm.control;

/** What the user asked for makes no sense; the message is one line with the cure. */
public final class ConfigException extends Exception {
  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }
}
