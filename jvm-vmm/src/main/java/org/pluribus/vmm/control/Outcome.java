package org.pluribus.vmm.control;

/**
 * How a machine ended.
 *
 * @param exitCode what the process returns, one of the constants here or a debug-exit code
 * @param reason one line for people
 */
public record Outcome(int exitCode, String reason) {
  /** The guest powered off, or asked for a reset. */
  public static final int DONE = 0;

  /** A node failed or was lost. */
  public static final int NODE_FAILURE = 1;

  /** What the user asked for could not be started. */
  public static final int BAD_INPUT = 2;

  /** The guest's kernel panicked or a CPU triple-faulted. */
  public static final int GUEST_FAILURE = 3;

  /** The time allowed was over. */
  public static final int TIMEOUT = 124;

  /** Ctrl-C or TERM. */
  public static final int INTERRUPTED = 130;

  /** Why a node ends that node 0's process started and that lost it. */
  public static final String STARTER_GONE =
      "node 0 was lost: the process that started this node is gone";
}
