package org.pluribus.transport.verbs;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An RDMA device of this host whose first port is active, with the IPv4 address at which librdmacm
 * reaches it. From {@code /sys/class/infiniband} (Linux,
 * Documentation/ABI/stable/sysfs-class-infiniband).
 *
 * @param name the kernel's name for it
 * @param address of its network interface
 */
public record ActiveDevice(String name, String address) {
  private static final Path DEVICES = Path.of("/sys/class/infiniband");

  private static final String STATE = "ports/1/state";

  /** What that starts with for IBV_PORT_ACTIVE. */
  private static final String ACTIVE = "4:";

  /**
   * The first active device by name.
   *
   * @throws VerbsUnavailableException if there is none that this JVM can use: why, and the cure
   */
  public static ActiveDevice first() throws VerbsUnavailableException {
    ActiveDevice found = firstOf(DEVICES);
    if (found == null) {
      throw new VerbsUnavailableException(
          "this host has no active RDMA device with an IPv4 address",
          "load the network card's driver (or: rdma link add rxe0 type rxe netdev eth0), bring"
              + " its link up and give it an address",
          null);
    }
    VerbsLibrary.load();
    return found;
  }

  static @Nullable ActiveDevice firstOf(Path devices) {
    for (Path device : children(devices)) {
      List<String> addresses = isActive(device) ? addresses(device) : List.of();
      if (!addresses.isEmpty()) {
        return new ActiveDevice(name(device), addresses.getFirst());
      }
    }
    return null;
  }

  /**
   * The active device that has an address.
   *
   * @param host an IPv4 address, or a host name for it
   * @throws VerbsUnavailableException if there is none; what it {@linkplain
   *     VerbsUnavailableException#found found} begins with "no"
   */
  public static ActiveDevice at(String host) throws VerbsUnavailableException {
    return at(DEVICES, host);
  }

  static ActiveDevice at(Path devices, String host) throws VerbsUnavailableException {
    String wanted = resolved(host);
    List<String> others = new ArrayList<>();
    boolean anyActive = false;
    for (Path device : children(devices)) {
      List<String> addresses = addresses(device);
      if (!isActive(device)) {
        others.add(name(device) + " is in state " + read(device.resolve(STATE)));
      } else if (addresses.contains(wanted)) {
        return new ActiveDevice(name(device), wanted);
      } else {
        anyActive = true;
        others.add(
            name(device)
                + " has "
                + (addresses.isEmpty() ? "no IPv4 address" : String.join(", ", addresses)));
      }
    }
    if (others.isEmpty()) {
      throw new VerbsUnavailableException(
          "no RDMA device",
          "load the network card's driver (or: rdma link add rxe0 type rxe netdev eth0)",
          null);
    }
    throw new VerbsUnavailableException(
        (anyActive ? "no active RDMA device with its address: " : "no active RDMA device: ")
            + String.join("; ", others),
        "bring the device's link up, and give the address of its network interface",
        null);
  }

  private static String resolved(String host) {
    try {
      return InetAddress.getByName(host).getHostAddress();
    } catch (UnknownHostException e) {
      return host; // no device has that
    }
  }

  private static boolean isActive(Path device) {
    return read(device.resolve(STATE)).startsWith(ACTIVE);
  }

  private static String name(Path device) {
    return String.valueOf(device.getFileName());
  }

  private static List<String> addresses(Path device) {
    List<String> all = new ArrayList<>();
    for (String network : networks(device)) {
      for (String address : addresses(network)) {
        if (!all.contains(address)) {
          all.add(address); // an interface may be named twice
        }
      }
    }
    return all;
  }

  /** Names of the network interfaces that belong to a device. */
  static List<String> networks(Path device) {
    List<String> names = new ArrayList<>();
    names.add(read(device.resolve("parent"))); // of rxe and siw
    names.add(read(device.resolve("ports/1/gid_attrs/ndevs/0"))); // RoCE
    for (Path network : children(device.resolve("device/net"))) { // IP over InfiniBand
      names.add(String.valueOf(network.getFileName()));
    }
    names.removeIf(String::isEmpty);
    return names;
  }

  private static List<String> addresses(String network) {
    List<String> all = new ArrayList<>();
    try {
      NetworkInterface found = NetworkInterface.getByName(network);
      // Not isUp(): that also asks whether the kernel has looked at the carrier yet, which comes up
      // to a second after the port is active.
      if (found != null) {
        for (InetAddress address : Collections.list(found.getInetAddresses())) {
          if (address instanceof Inet4Address) {
            all.add(address.getHostAddress());
          }
        }
      }
    } catch (SocketException e) {
      return List.of(); // it has gone
    }
    return all;
  }

  private static List<Path> children(Path folder) {
    List<Path> all = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      entries.forEach(all::add);
    } catch (IOException e) {
      return List.of(); // there is no such folder
    }
    Collections.sort(all);
    return all;
  }

  /** A file's one line; empty if it can't be read, as some have a kind of device only. */
  private static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
