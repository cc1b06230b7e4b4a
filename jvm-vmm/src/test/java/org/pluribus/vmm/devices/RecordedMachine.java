package org.pluribus.vmm.devices;

import java.util.ArrayList;
import java.util.List;

/** Notes what devices ask of the machine. */
final class RecordedMachine implements MachineControl {

  final List<String> events = new ArrayList<>();

  @Override
  public void powerOff() {
    events.add("off");
  }

  @Override
  public void reset() {
    events.add("reset");
  }

  @Override
  public void debugExit(int exitCode) {
    events.add("exit " + exitCode);
  }
}
