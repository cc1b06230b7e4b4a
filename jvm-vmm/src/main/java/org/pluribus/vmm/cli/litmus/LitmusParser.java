package org.pluribus.vmm.cli.litmus;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads one line of {@code tests.txt}, which explains the form. */
final class LitmusParser {
  private static final Pattern LINE =
      Pattern.compile(
          "(?<name>\\S+)( = (?<alias>\\S+))? : (?<cpus>.+) => (?<witness>.+) : (?<verdict>\\w+)");
  private static final Pattern STORE = Pattern.compile("([xyz])=(\\d+)");
  private static final Pattern LOAD = Pattern.compile("([a-w])=([xyz])");
  private static final Pattern LOCKED =
      Pattern.compile("([a-w])=(xchg|xadd|cas)\\(([xyz]),(\\d+)(?:,(\\d+))?\\)");
  private static final Pattern VALUE = Pattern.compile("([a-z])=(\\d+)");
  private static final char FIRST_VARIABLE = 'x';

  private final String line;
  private final StringBuilder registers = new StringBuilder();
  private int registersOfCpu;
  private int variables;

  private LitmusParser(String line) {
    this.line = line;
  }

  /**
   * Reads a test.
   *
   * @throws IllegalArgumentException if the line is none
   */
  static LitmusTest parse(String line) {
    return new LitmusParser(line.strip().replaceAll("\\s+", " ")).test();
  }

  private LitmusTest test() {
    Matcher m = LINE.matcher(line);
    check(m.matches(), "the form is NAME [= OTHER NAME] : CPU || CPU => OUTCOME : VERDICT");
    List<List<Operation>> cpus = new ArrayList<>();
    for (String cpu : m.group("cpus").split("\\|\\|", -1)) {
      cpus.add(cpu(cpu));
    }
    check(cpus.size() <= LitmusTest.MAX_CPUS, "at most " + LitmusTest.MAX_CPUS + " CPUs");
    String slots = registers + "xyz".substring(0, variables);
    check(slots.length() <= LitmusTest.MAX_SLOTS, "at most " + LitmusTest.MAX_SLOTS + " values");
    check(slots.chars().distinct().count() == slots.length(), "a letter for each register");
    String verdict = m.group("verdict");
    check(verdict.equals("allowed") || verdict.equals("forbidden"), "unknown verdict");
    String alias = m.group("alias");
    return new LitmusTest(
        m.group("name"),
        alias == null ? m.group("name") : alias,
        cpus,
        variables,
        slots,
        witness(m.group("witness"), slots),
        verdict.equals("allowed"));
  }

  private List<Operation> cpu(String text) {
    registersOfCpu = 0;
    List<Operation> operations = new ArrayList<>();
    for (String operation : text.split(";", -1)) {
      operations.add(operation(operation.strip()));
    }
    check(registersOfCpu <= LitmusTest.MAX_REGISTERS, "too many registers");
    check(operations.size() <= LitmusTest.MAX_OPERATIONS, "too many operations");
    return operations;
  }

  private Operation operation(String text) {
    if (text.equals("mfence")) {
      return new Operation.Fence();
    }
    Matcher store = STORE.matcher(text);
    if (store.matches()) {
      return new Operation.Store(variable(store.group(1)), value(store.group(2)));
    }
    Matcher load = LOAD.matcher(text);
    if (load.matches()) {
      return new Operation.Load(register(load.group(1)), variable(load.group(2)));
    }
    Matcher locked = LOCKED.matcher(text);
    check(locked.matches(), "'" + text + "' is no operation");
    int register = register(locked.group(1));
    int variable = variable(locked.group(3));
    int first = value(locked.group(4));
    String second = locked.group(5);
    check(locked.group(2).equals("cas") == (second != null), "wrong number of values");
    return switch (locked.group(2)) {
      case "xchg" -> new Operation.Exchange(register, variable, first);
      case "xadd" -> new Operation.Add(register, variable, first);
      default -> new Operation.CompareExchange(register, variable, first, value(second));
    };
  }

  private LitmusTest.Witness witness(String text, String slots) {
    long mask = 0;
    long bits = 0;
    for (String part : text.split(" ", -1)) {
      Matcher m = VALUE.matcher(part);
      check(m.matches() && slots.contains(m.group(1)), "'" + part + "' is no value in the end");
      int shift = slots.indexOf(m.group(1)) * LitmusTest.SLOT_BITS;
      mask |= (long) LitmusTest.MAX_VALUE << shift;
      bits |= (long) value(m.group(2)) << shift;
    }
    return new LitmusTest.Witness(mask, bits);
  }

  private int register(String letter) {
    registers.append(letter);
    return registersOfCpu++;
  }

  /** Variables are used in the order x, y, z, so the last one that is named tells their number. */
  private int variable(String letter) {
    int variable = letter.charAt(0) - FIRST_VARIABLE;
    variables = Math.max(variables, variable + 1);
    return variable;
  }

  private int value(String digits) {
    int value = Integer.parseInt(digits);
    check(value < LitmusTest.MAX_VALUE, "values are below " + LitmusTest.MAX_VALUE);
    return value;
  }

  private void check(boolean condition, String what) {
    if (!condition) {
      throw new IllegalArgumentException("litmus test '" + line + "': " + what);
    }
  }
}
