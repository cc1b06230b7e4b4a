package org.pluribus.vmm.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Debian's cloud kernel and static busybox, fetched with {@code apt-get download}, unpacked with
 * {@code dpkg -x}, and kept in the user's cache folder. Later calls find them there and ask nobody;
 * delete the folder to get newer ones.
 *
 * @param name the kernel's package, e.g. linux-image-6.1.0-13-cloud-amd64
 * @param kernel the vmlinuz, untouched
 * @param busybox the static busybox
 */
public record DebianKernel(String name, Path kernel, Path busybox) {

  /** Depends on the current cloud kernel's package. */
  private static final String META_PACKAGE = "linux-image-cloud-amd64";

  private static final String BUSYBOX_PACKAGE = "busybox-static";
  private static final Pattern DEPENDENCY =
      Pattern.compile("Depends: (linux-image-\\S+-cloud-amd64\\S*)");

  private static final Pattern DIGITS = Pattern.compile("\\d{1,10}");

  private static final String KERNEL_FILE = "vmlinuz";
  private static final String BUSYBOX_FILE = "busybox";
  private static final int TIMEOUT_MINUTES = 10;

  /** Most of a command's output that is looked at, in bytes. */
  private static final int MAX_OUTPUT = 1 << 20;

  /** Pluribus's folder below the user's cache folder (XDG Base Directory Specification). */
  public static Path defaultCache(Map<String, String> environment) {
    String cache = environment.getOrDefault("XDG_CACHE_HOME", "");
    Path base =
        cache.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
    return base.resolve("pluribus");
  }

  /**
   * Finds both in the cache, or fetches them.
   *
   * @param cache folder to keep them in; made if it isn't there
   * @param progress gets a line for each step that takes time
   * @throws DemoException if apt isn't there or can't get the packages
   */
  public static DebianKernel fetch(Path cache, Consumer<String> progress)
      throws DemoException, IOException, InterruptedException {
    Path folder = cache.resolve("debian");
    Optional<DebianKernel> cached = newestIn(folder);
    if (cached.isPresent()) {
      return cached.get();
    }
    Files.createDirectories(folder);
    String name = resolve(folder, progress);
    progress.accept("Fetching " + name + " and " + BUSYBOX_PACKAGE + " through apt");
    Path work = Files.createTempDirectory(folder, "unpacking-");
    try {
      run(work, "apt-get", "download", name, BUSYBOX_PACKAGE);
      progress.accept("Unpacking " + name);
      for (Path deb : list(work, "*.deb")) {
        run(work, "dpkg", "-x", deb.getFileName().toString(), "root");
      }
      return keep(name, work, folder.resolve(name));
    } finally {
      delete(work);
    }
  }

  private static Optional<DebianKernel> newestIn(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return Optional.empty();
    }
    return list(folder, "linux-image-*").stream()
        .filter(f -> Files.exists(f.resolve(KERNEL_FILE)) && Files.exists(f.resolve(BUSYBOX_FILE)))
        .map(f -> in(f.getFileName().toString(), f))
        .max(Comparator.comparing(kernel -> versionKey(kernel.name())));
  }

  /**
   * Orders as versions do: runs of digits by their value, so that 6.1.0-9 comes before 6.1.0-10.
   */
  private static String versionKey(String name) {
    return DIGITS.matcher(name).replaceAll(run -> "%010d".formatted(Long.parseLong(run.group())));
  }

  private static DebianKernel in(String name, Path folder) {
    return new DebianKernel(name, folder.resolve(KERNEL_FILE), folder.resolve(BUSYBOX_FILE));
  }

  /**
   * The package the meta package depends on now; updates apt's lists if they lack it and we may.
   */
  private static String resolve(Path folder, Consumer<String> progress)
      throws DemoException, IOException, InterruptedException {
    Optional<String> name = dependency(folder);
    if (name.isPresent()) {
      return name.get();
    }
    if (!"root".equals(System.getProperty("user.name"))) {
      throw new DemoException(
          "apt knows no package %s: run 'sudo apt-get update' on Debian 12 or later, or give --kernel"
              .formatted(META_PACKAGE));
    }
    progress.accept("Updating apt's package lists");
    run(folder, "apt-get", "update");
    return dependency(folder)
        .orElseThrow(() ->
            new DemoException(
                "apt knows no package %s, even after an update: this takes Debian 12 or later;"
                        .formatted(META_PACKAGE)
                    + " give --kernel a bzImage instead"));
  }

  private static Optional<String> dependency(Path folder)
      throws DemoException, IOException, InterruptedException {
    Result result = execute(folder, "apt-cache", "depends", META_PACKAGE);
    Matcher matcher = DEPENDENCY.matcher(result.output);
    return result.exitCode == 0 && matcher.find()
        ? Optional.of(matcher.group(1))
        : Optional.empty();
  }

  /**
   * Moves the two files we need to their place, all at once, so that no half-done folder is found.
   */
  private static DebianKernel keep(String name, Path work, Path place)
      throws DemoException, IOException {
    List<Path> kernels = list(work.resolve("root/boot"), "vmlinuz-*");
    Path busybox = work.resolve("root/bin/busybox");
    if (!Files.exists(busybox)) {
      // Since Debian 13 the package itself has everything below /usr.
      busybox = work.resolve("root/usr/bin/busybox");
    }
    if (kernels.isEmpty() || !Files.exists(busybox)) {
      throw new DemoException(
          "package %s or %s has no kernel or busybox in it: give --kernel and --initrd"
              .formatted(name, BUSYBOX_PACKAGE));
    }
    Path complete = Files.createDirectory(work.resolve("complete"));
    Files.move(kernels.get(0), complete.resolve(KERNEL_FILE));
    Files.move(busybox, complete.resolve(BUSYBOX_FILE));
    try {
      Files.move(complete, place, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      // Another run was faster, with the same files.
      return in(name, place);
    }
    return in(name, place);
  }

  private record Result(int exitCode, String output) {}

  private static void run(Path folder, String... command)
      throws DemoException, IOException, InterruptedException {
    Result result = execute(folder, command);
    if (result.exitCode != 0) {
      String why =
          result
              .output
              .lines()
              .filter(line -> line.startsWith("E:") || line.contains("error"))
              .findFirst()
              .orElse("exit code " + result.exitCode);
      throw new DemoException(
          "'%s' failed (%s): check the network and apt's sources, or give --kernel and --initrd"
              .formatted(String.join(" ", command), why));
    }
  }

  private static Result execute(Path folder, String... command)
      throws DemoException, IOException, InterruptedException {
    // Output goes through a file: a full pipe would stop a command nobody reads from.
    Path log = Files.createTempFile(folder, "log-", ".txt");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile());
      builder.environment().put("LC_ALL", "C");
      Process process;
      try {
        process = builder.start();
      } catch (IOException e) {
        throw new DemoException(
            "%s is not there: the demo fetches its kernel on Debian 12 or later; give --kernel"
                .formatted(command[0]));
      }
      process.getOutputStream().close();
      if (!process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new DemoException(
            "'%s' took more than %d minutes: check the network"
                .formatted(String.join(" ", command), TIMEOUT_MINUTES));
      }
      byte[] output;
      try (InputStream in = Files.newInputStream(log)) {
        output = in.readNBytes(MAX_OUTPUT);
      }
      return new Result(process.exitValue(), new String(output, StandardCharsets.UTF_8));
    } finally {
      Files.deleteIfExists(log);
    }
  }

  /** Paths in a folder by name, ascending. */
  private static List<Path> list(Path folder, String glob) throws IOException {
    try (Stream<Path> paths = Files.list(folder)) {
      var matcher = folder.getFileSystem().getPathMatcher("glob:" + glob);
      return paths.filter(path -> matcher.matches(path.getFileName())).sorted().toList();
    }
  }

  private static void delete(Path folder) throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException problem)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
