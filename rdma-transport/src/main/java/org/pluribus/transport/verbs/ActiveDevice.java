package org.pluribus.transport.verbs;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
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

  /** What {@code ports/1/state} starts with for IBV_PORT_ACTIVE. */
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
      if (read(device.resolve("ports/1/state")).startsWith(ACTIVE)) {
        for (String network : networks(device)) {
          String address = address(network);
          if (address != null) {
            return new ActiveDevice(String.valueOf(device.getFileName()), address);
          }
        }
      }
    }
    return null;
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

  private static @Nullable String address(String network) {
    try {
      NetworkInterface found = NetworkInterface.getByName(network);
      // Not isUp(): that also asks whether the kernel has looked at the carrier yet, which comes up
      // to a second after the port is active.
      if (found != null) {
        for (InetAddress address : Collections.list(found.getInetAddresses())) {
          if (address instanceof Inet4Address) {
            return address.getHostAddress();
          }
        }
      }
    } catch (SocketException e) {
      return null; // it has gone
    }
    return null;
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
