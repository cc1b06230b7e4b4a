package org.pluribus.vmm.cli.litmus;

import java.util.List;
import java.util.StringJoiner;

/**
 * A small program of a few CPUs and one of its outcomes that tells memory models apart.
 *
 * <p>An outcome is one number: {@value #SLOT_BITS} bits for each register, CPU by CPU, then for
 * each variable's last value. The guest counts outcomes as such numbers.
 *
 * @param name as published
 * @param alias its other published name, or its name again
 * @param cpus what each CPU executes
 * @param variables how many there are; all start as 0
 * @param slotNames the letters of registers and variables, in the order of an outcome's bits
 * @param witness the outcome in question
 * @param allowed whether x86-TSO allows it, as published
 */
public record LitmusTest(
    String name,
    String alias,
    List<List<Operation>> cpus,
    int variables,
    String slotNames,
    Witness witness,
    boolean allowed) {

  /** Bits of a value in an outcome. */
  static final int SLOT_BITS = 4;

  /** Most registers and variables. */
  static final int MAX_SLOTS = Long.SIZE / SLOT_BITS;

  /** What the guest counts for any value that is larger: no test stores it. */
  static final int MAX_VALUE = (1 << SLOT_BITS) - 1;

  /** Most CPUs, and registers of one: native/payloads/litmus.c, MAX_ROLES and MAX_LOADS. */
  static final int MAX_CPUS = 4;

  static final int MAX_REGISTERS = 4;

  /** Most operations of a CPU: native/payloads/litmus.c, MOST_OPERATIONS. */
  static final int MAX_OPERATIONS = 8;

  /** Most variables: native/payloads/litmus.c, MAX_VARIABLES. */
  static final int MAX_VARIABLES = 3;

  /**
   * Values of some registers and variables.
   *
   * @param mask the bits of an outcome that count
   * @param bits what they must be
   */
  public record Witness(long mask, long bits) {
    boolean matches(long outcome) {
      return (outcome & mask) == bits;
    }
  }

  public LitmusTest {
    cpus = cpus.stream().map(List::copyOf).toList();
  }

  /** Whether this is its name, or its other name; upper or lower case. */
  boolean isCalled(String wanted) {
    return name.equalsIgnoreCase(wanted) || alias.equalsIgnoreCase(wanted);
  }

  /** How many of a CPU's operations leave something in a register. */
  int registers(int cpu) {
    return (int) cpus.get(cpu).stream().filter(Operation.Reading.class::isInstance).count();
  }

  /** Where in an outcome a CPU's first register is. */
  int firstSlot(int cpu) {
    int slot = 0;
    for (int i = 0; i < cpu; i++) {
      slot += registers(i);
    }
    return slot;
  }

  /** Where in an outcome the first variable is. */
  int variableSlot() {
    return firstSlot(cpus.size());
  }

  /** An outcome for people, such as "a=1 b=0 x=1 y=1". */
  String describe(long outcome) {
    return describe(outcome, -1);
  }

  /** The outcome in question, such as "a=1 b=0". */
  String describeWitness() {
    return describe(witness.bits(), witness.mask());
  }

  private String describe(long outcome, long mask) {
    StringJoiner text = new StringJoiner(" ");
    for (int slot = 0; slot < slotNames.length(); slot++) {
      int shift = slot * SLOT_BITS;
      long value = outcome >>> shift & MAX_VALUE;
      if ((mask >>> shift & MAX_VALUE) != 0) {
        text.add(slotNames.charAt(slot) + "=" + (value == MAX_VALUE ? "?" : "" + value));
      }
    }
    return text.toString();
  }
}
