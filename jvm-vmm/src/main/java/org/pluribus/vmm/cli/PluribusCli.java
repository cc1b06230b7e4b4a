package org.pluribus.vmm.cli;

import org.jspecify.annotations.Nullable;
import org.pluribus.transport.TransportException;
import org.pluribus.vmm.control.ConfigException;
import org.pluribus.vmm.control.Outcome;
import org.pluribus.vmm.loader.BadImageException;
import org.pluribus.vmm.node.UnfitHostException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The {@code pluribus} command. */
@Command(
    name = "pluribus",
    mixinStandardHelpOptions = true,
    version = "pluribus 0.1.0",
    description = "Out of many servers, one virtual machine.",
    subcommands = {
      RunCommand.class,
      NodeCommand.class,
      DemoCommand.class,
      SelftestCommand.class,
      LitmusCommand.class,
      DoctorCommand.class,
      CommandLine.HelpCommand.class
    },
    footer = {
      "",
      "'pluribus test' (in the launcher script) builds everything and runs every test.",
      "Exit codes: 0 guest done, 1 a node failed, 2 bad input, 3 guest panic or triple fault,",
      "124 timeout, 130 interrupted."
    })
public final class PluribusCli implements Runnable {
  @Spec private CommandSpec spec;

  /** Set by picocli. */
  @SuppressWarnings("NullAway.Init")
  public PluribusCli() {}

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "Say what to do: run, node, demo, selftest, litmus, doctor or help.");
  }

  /** Runs a command; the process ends with its exit code. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return new CommandLine(new PluribusCli())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((e, args) -> {
          CommandLine line = e.getCommandLine();
          String name = line.getCommandSpec().qualifiedName();
          line.getErr()
              .println("pluribus: " + oneLine(e.getMessage()) + " (see '" + name + " --help')");
          return Outcome.BAD_INPUT;
        })
        .setExecutionExceptionHandler((e, line, parsed) -> {
          if (e instanceof ConfigException
              || e instanceof org.pluribus.vmm.cli.demo.DemoException
              || e instanceof BadImageException
              || e instanceof TransportException
              || e instanceof UnfitHostException) {
            line.getErr().println("pluribus: " + e.getMessage());
            return Outcome.BAD_INPUT;
          }
          line.getErr().println("pluribus: " + e);
          e.printStackTrace(line.getErr());
          return Outcome.NODE_FAILURE;
        });
  }

  private static String oneLine(@Nullable String message) {
    return message == null ? "bad command line" : message.lines().findFirst().orElse("").strip();
  }
}
