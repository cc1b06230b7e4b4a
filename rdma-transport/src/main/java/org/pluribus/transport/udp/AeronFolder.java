package org.pluribus.transport.udp;

import io.aeron.CommonContext;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.agrona.IoUtil;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of one media driver: its logs live there as memory-mapped files. Ours alone, and
 * removed when the transport closes or the JVM ends; what a killed JVM left is removed by the next
 * one.
 */
final class AeronFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AeronFolder.class);

  /** Memory, where Linux has it as a folder: no disk is written. */
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  /** Folder names are this, the process id, a dash and something random. */
  private static final String PREFIX = "pluribus-aeron-";

  /** A driver without a sign of life for this long, of a process that is gone, is dead. */
  private static final long DEAD_AFTER_MILLIS = 60_000;

  private final Path folder;
  private final Thread hook;

  private AeronFolder(Path folder) {
    this.folder = folder;
    hook = new Thread(this::delete, "aeron-folder-cleanup");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Makes a folder.
   *
   * @param wanted where, or null for the best place
   * @param bytes what it will hold; files of mapped memory must never run out of space, that kills
   *     the JVM
   */
  static AeronFolder create(@Nullable Path wanted, long bytes) {
    Path base = wanted != null ? wanted : bestBase(bytes);
    removeDead(base);
    String name = PREFIX + ProcessHandle.current().pid() + "-" + UUID.randomUUID();
    return new AeronFolder(base.resolve(name));
  }

  Path path() {
    return folder;
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException jvmIsEnding) {
      LOG.trace("the shutdown hook is running already");
    }
    delete();
  }

  private void delete() {
    IoUtil.delete(folder.toFile(), true);
  }

  private static Path bestBase(long bytes) {
    File memory = SHARED_MEMORY.toFile();
    // Twice: other nodes of this host may be taking theirs at this moment.
    if (memory.isDirectory() && memory.canWrite() && memory.getUsableSpace() >= 2 * bytes) {
      return SHARED_MEMORY;
    }
    return Path.of(System.getProperty("java.io.tmpdir"));
  }

  private static void removeDead(Path base) {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(base, PREFIX + "*")) {
      for (Path each : folders) {
        if (isDead(each)) {
          LOG.info("removing {}, left by a process that was killed", each);
          IoUtil.delete(each.toFile(), true);
        }
      }
    } catch (IOException unreadable) {
      LOG.debug("could not look for old folders in {}", base, unreadable);
    }
  }

  /**
   * Both must hold: the process is gone (as far as we see: it may be in another container), and the
   * driver has not marked its file for long.
   */
  private static boolean isDead(Path candidate) {
    String rest = candidate.getFileName().toString().substring(PREFIX.length());
    int dash = rest.indexOf('-');
    if (dash < 1 || !rest.substring(0, dash).chars().allMatch(c -> c >= '0' && c <= '9')) {
      return false;
    }
    try {
      Optional<ProcessHandle> process = ProcessHandle.of(Long.parseLong(rest.substring(0, dash)));
      long age = System.currentTimeMillis() - Files.getLastModifiedTime(candidate).toMillis();
      return process.isEmpty()
          && age > DEAD_AFTER_MILLIS
          && !CommonContext.isDriverActive(candidate.toFile(), DEAD_AFTER_MILLIS, LOG::trace);
    } catch (IOException | RuntimeException unsure) {
      LOG.debug("left {} alone", candidate, unsure);
      return false;
    }
  }
}
