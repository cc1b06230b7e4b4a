package org.pluribus.vmm.devices;

import java.time.InstantSource;
import java.util.function.LongSupplier;
import org.pluribus.vmm.bus.Bus;
import org.pluribus.vmm.bus.InterruptLine;

/**
 * The fixed devices of one machine, built and wired.
 *
 * @param uart ttyS0, the console
 * @param rtc the real-time clock
 * @param power ACPI power management
 * @param resetControl port 0xCF9
 * @param keyboard the i8042
 * @param debugExit port 0xF4
 * @param debugConsole port 0xE9
 * @param postCode port 0x80
 */
public record PlatformDevices(
    Uart16550 uart,
    CmosRtc rtc,
    AcpiPm power,
    ResetControl resetControl,
    KeyboardController keyboard,
    DebugExit debugExit,
    DebugConsole debugConsole,
    PostCode postCode) {

  /**
   * Builds all devices.
   *
   * @param machine told when the guest wants the machine to end or restart
   * @param console gets the serial and the debug console's bytes
   * @param uartInterrupt ISA interrupt {@link PortMap#COM1_IRQ}
   * @param sci ISA interrupt {@link PortMap#ACPI_SCI_IRQ}
   * @param wallClock the host's time of day
   * @param nanos the clock of the PM timer, in nanoseconds, never going back
   */
  public static PlatformDevices create(
      MachineControl machine,
      ByteOutput console,
      InterruptLine uartInterrupt,
      InterruptLine sci,
      InstantSource wallClock,
      LongSupplier nanos) {
    return new PlatformDevices(
        new Uart16550(uartInterrupt, console),
        new CmosRtc(wallClock),
        new AcpiPm(nanos, sci, machine),
        new ResetControl(machine),
        new KeyboardController(machine),
        new DebugExit(machine),
        new DebugConsole(console),
        new PostCode());
  }

  /** Attaches all devices to the port bus, where {@link PortMap} says. */
  public void attachTo(Bus ports) {
    ports.attach(PortMap.I8042_DATA, 1, keyboard.data());
    ports.attach(PortMap.I8042_COMMAND, 1, keyboard.command());
    ports.attach(PortMap.RTC, PortMap.RTC_SIZE, rtc);
    ports.attach(PortMap.POST_CODE, 1, postCode);
    ports.attach(PortMap.DEBUG_CONSOLE, 1, debugConsole);
    ports.attach(PortMap.DEBUG_EXIT, PortMap.DEBUG_EXIT_SIZE, debugExit);
    ports.attach(PortMap.COM1, PortMap.COM_SIZE, uart);
    ports.attach(PortMap.ACPI_PM, PortMap.ACPI_PM_SIZE, power);
    ports.attach(PortMap.RESET_CONTROL, 1, resetControl);
  }
}
