package org.pluribus.vmm.emulator;

/**
 * A call gate (SDM volume 3, sections 5.8.3 and 5.8.3.1).
 *
 * @param selector code segment it leads to
 * @param offset entry point
 * @param parameters values of {@code size} bytes copied to an inner stack
 * @param size bytes of each value pushed: 2, 4 or 8
 */
record CallGate(int selector, long offset, int parameters, int size) {
  /**
   * Reads and checks the gate at {@code selector}.
   *
   * @param low its first 8 bytes
   * @throws GuestFault #GP or #NP naming the gate; #GP for TSSs and task gates
   */
  static CallGate read(Cpu cpu, int selector, long low) {
    int access = Segments.access(low);
    int code = selector & Segments.SELECTOR_MASK;
    int type = access & 0x1F;
    boolean longMode = cpu.longModeActive();
    boolean known =
        type == Segments.TYPE_CALL_GATE || (!longMode && type == Segments.TYPE_CALL_GATE_16);
    if (!known || Segments.dpl(access) < Math.max(cpu.cpl, selector & 3)) {
      throw cpu.gp(code);
    }
    if ((access & Segments.PRESENT) == 0) {
      throw cpu.fault(GuestFault.NP, code);
    }
    int target = (int) (low >>> 16) & 0xFFFF;
    long offset = low & 0xFFFF | low >>> 32 & 0xFFFF0000L;
    if (!longMode) {
      boolean narrow = type == Segments.TYPE_CALL_GATE_16;
      int parameters = (int) (low >>> 32) & 31;
      return new CallGate(target, narrow ? offset & 0xFFFF : offset, parameters, narrow ? 2 : 4);
    }
    long at = Segments.descriptorAddress(cpu, selector, 16, GuestFault.GP, 0);
    long high = cpu.loadSystem(at + 8, 8);
    if ((high >>> 40 & 0x1F) != 0) { // its type must be 0: an 8-byte descriptor cannot follow
      throw cpu.gp(code);
    }
    return new CallGate(target, offset | high << 32, 0, 8);
  }
}
