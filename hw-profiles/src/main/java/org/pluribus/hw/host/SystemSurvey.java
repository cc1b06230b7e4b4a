package org.pluribus.hw.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.pluribus.posix.HostTsc;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;
import org.pluribus.posix.PosixException;

/** What every node needs: the JVM, limits, memory, CPUs, a clock to go by. */
final class SystemSurvey {
  static final String EMULATOR = "emulator";

  /** Aeron, KVM and the JVM together have about a hundred files open in a node. */
  private static final long FILES = 1024;

  /** Linux's default; a node has some thousand mappings at most. */
  private static final long MAPPINGS = 65_530;

  /** A node's Java heap (jvm.flags). */
  private static final long HEAP_BYTES = 1L << 30;

  private static final String CLOCK_SOURCE =
      "sys/devices/system/clocksource/clocksource0/current_clocksource";

  /** What Linux falls back on when it has found the TSC out (its name in the kernel's drivers). */
  private static final Set<String> SLOW_CLOCKS = Set.of("hpet", "acpi_pm", "jiffies", "pit");

  private static final String SHARED_HUGE_PAGES =
      "sys/kernel/mm/transparent_hugepage/shmem_enabled";

  /** Memfds have no huge pages then, or only where a program asks (Linux, transhuge.rst). */
  private static final Set<String> NO_HUGE_PAGES = Set.of("never", "advise", "deny");

  private static final int CORES = 2;

  /** Linux, capability.h: may lock memory without limit. */
  private static final int CAP_IPC_LOCK = 14;

  private static final String UNLIMITED = "unlimited";
  private static final int MEBI_SHIFT = 20;
  private static final int KIBI_SHIFT = 10;
  private static final int HEX = 16;

  /** How long the TSC is watched: to some parts in ten thousand. */
  private static final long TSC_NANOS = 10_000_000;

  private static final double NANOS_PER_MICRO = 1e3;

  private final HostFiles files;
  private final long guestBytes;

  /**
   * @param guestBytes guest RAM of the machine to come
   */
  SystemSurvey(HostFiles files, long guestBytes) {
    this.files = files;
    this.guestBytes = guestBytes;
  }

  List<Finding> findings() {
    List<Finding> all = new ArrayList<>();
    Finding system =
        system(
            System.getProperty("os.name", "?"),
            System.getProperty("os.version", "?"),
            System.getProperty("os.arch", "?"));
    all.add(system);
    if (!system.isOk()) {
      return all;
    }
    all.add(java());
    all.add(emulator());
    all.add(lockedMemory());
    all.add(openFiles());
    all.add(mappings());
    all.add(memory());
    all.add(cores(Runtime.getRuntime().availableProcessors()));
    all.add(tsc());
    all.add(clockSource());
    all.add(sharedHugePages());
    return all;
  }

  /** Constants and machine code in the bridge to the kernel are those of one platform. */
  static Finding system(String name, String version, String processor) {
    String found = "%s %s, %s".formatted(name, version, processor);
    return name.equals("Linux") && Set.of("amd64", "x86_64").contains(processor)
        ? Finding.ok("system", found)
        : Finding.lacks("system", found, "use Linux on x86-64");
  }

  private static Finding java() {
    return Finding.ok(
        "JDK",
        "%s, %s".formatted(Runtime.version(), System.getProperty("java.vendor", "vendor unknown")));
  }

  /** Whether a node can have guest RAM at all: the rest of the emulator is plain Java. */
  private static Finding emulator() {
    try (Memfd file = Memfd.create("pluribus-doctor", Mapping.PAGE_BYTES);
        Mapping ram = Mapping.of(file)) {
      ram.segment().fill((byte) 1);
      return Finding.ok(EMULATOR, "runs here");
    } catch (PosixException e) {
      return Finding.refused(EMULATOR, e);
    } catch (LinkageError e) {
      return Finding.lacks(
          EMULATOR,
          "the JVM does not let us call the kernel",
          "start java with --enable-native-access=ALL-UNNAMED");
    }
  }

  /** RDMA cards read and write memory that must not move: each node registers all of guest RAM. */
  Finding lockedMemory() {
    long capabilities = parse(files.value("proc/self/status", "CapEff", "0"), HEX);
    if ((capabilities >>> CAP_IPC_LOCK & 1) != 0) {
      return Finding.ok("locked memory", "no limit (CAP_IPC_LOCK)");
    }
    String limit = limit("Max locked memory");
    String found = "limit " + size(limit) + ", RDMA pins all of guest RAM on each node: ";
    String needed = (guestBytes >> MEBI_SHIFT) + " MiB";
    return limit.equals(UNLIMITED) || parse(limit, 10) >= guestBytes
        ? Finding.ok("locked memory", found + needed)
        : Finding.lacks(
            "locked memory",
            found + needed,
            "raise memlock in /etc/security/limits.d and log in again, or LimitMEMLOCK= of the"
                + " service");
  }

  Finding openFiles() {
    String limit = limit("Max open files");
    return limit.equals(UNLIMITED) || parse(limit, 10) >= FILES
        ? Finding.ok("open files", "limit " + limit)
        : Finding.lacks("open files", "limit " + limit, "ulimit -n " + FILES + " or more");
  }

  Finding mappings() {
    String most = files.line("proc/sys/vm/max_map_count", "unknown");
    return parse(most, 10) >= MAPPINGS
        ? Finding.ok("memory mappings", "limit " + most)
        : Finding.lacks("memory mappings", "limit " + most, "sysctl vm.max_map_count=" + MAPPINGS);
  }

  Finding memory() {
    String kib = files.value("proc/meminfo", "MemAvailable", "0 kB").replace(" kB", "");
    long bytes = parse(kib, 10) << KIBI_SHIFT;
    long needed = HEAP_BYTES + guestBytes;
    String found = (bytes >> MEBI_SHIFT) + " MiB free";
    return bytes >= needed
        ? Finding.ok("memory", found)
        : Finding.lacks(
            "memory",
            found,
            "free %d MiB or more: each node holds a copy of guest RAM and a Java heap"
                .formatted(needed >> MEBI_SHIFT));
  }

  static Finding cores(int cores) {
    return cores >= CORES
        ? Finding.ok("CPUs", String.valueOf(cores))
        : Finding.lacks(
            "CPUs", String.valueOf(cores), "give this host two or more, or it one node only");
  }

  Finding tsc() {
    Set<String> flags = files.cpuFlags();
    String found =
        "%s, %s, %.1f MHz"
            .formatted(
                flags.contains("constant_tsc") ? "constant rate" : "rate varies",
                flags.contains("nonstop_tsc") ? "never stops" : "stops in deep sleep",
                tscMegahertz());
    return flags.contains("constant_tsc") && flags.contains("nonstop_tsc")
        ? Finding.ok("TSC", found)
        : Finding.lacks(
            "TSC",
            found,
            "use a processor with an invariant TSC (of a virtual one: let it be told so), or the"
                + " emulator, which does without");
  }

  private static double tscMegahertz() {
    long ticks = HostTsc.read(); // the first one links the function, which takes long
    long nanos = System.nanoTime();
    ticks = HostTsc.read();
    while (System.nanoTime() - nanos < TSC_NANOS) {
      LockSupport.parkNanos(TSC_NANOS);
    }
    long endTicks = HostTsc.read();
    return (endTicks - ticks) / ((System.nanoTime() - nanos) / NANOS_PER_MICRO);
  }

  /** Linux tries the TSC against other clocks, and leaves it when it differs between CPUs. */
  Finding clockSource() {
    String source = files.line(CLOCK_SOURCE, "unknown");
    return SLOW_CLOCKS.contains(source)
        ? Finding.lacks(
            "clock source",
            source + ", which is slow; Linux does not trust this host's TSC",
            "see dmesg | grep -i -e tsc -e clocksource for the reason; mend the firmware, or run"
                + " the node on the emulator")
        : Finding.ok("clock source", source);
  }

  /** Guest RAM is a memfd, whose pages come and go one by one. */
  Finding sharedHugePages() {
    String all = files.line(SHARED_HUGE_PAGES, "[never]");
    String chosen = all.replaceFirst(".*\\[(.*)].*", "$1");
    return NO_HUGE_PAGES.contains(chosen)
        ? Finding.ok("huge pages", "of shared memory: " + chosen)
        : Finding.lacks(
            "huge pages",
            "of shared memory: " + chosen + ", a page that is fetched may take 2 MiB",
            "echo never > /" + SHARED_HUGE_PAGES);
  }

  /** This process's soft limit. */
  private String limit(String name) {
    for (String line : files.lines("proc/self/limits")) {
      if (line.startsWith(name)) {
        return line.substring(name.length()).strip().split(" +")[0];
      }
    }
    return "unknown";
  }

  private static String size(String bytes) {
    return bytes.equals(UNLIMITED)
        ? bytes
        : String.format(Locale.ROOT, "%d MiB", parse(bytes, 10) >> MEBI_SHIFT);
  }

  /** The number, or -1 for something else. */
  private static long parse(String text, int radix) {
    try {
      return Long.parseLong(text, radix);
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
