package org.pluribus.vmm.emulator.oracle;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An oracle in a child process, so that a crash of it names the instruction and harms nobody.
 *
 * <p>Images go through a shared file in batches of up to {@link #ROOM}: a batch's count on the
 * child's standard input, the same count back on its standard output when done. One thread.
 */
final class OracleProcess implements AutoCloseable {
  /** Images in a batch; the same in native-oracle.c. */
  static final int ROOM = 256;

  private static final Path SOURCE = Path.of("src/test/c/native-oracle.c");
  private static final Path TARGET = Path.of("target");
  private static final int COMPILE_SECONDS = 60;
  private static final int EXIT_SECONDS = 5;

  private final Arena arena = Arena.ofConfined();
  private final Path file;
  private final Process process;
  private final DataOutputStream requests;
  private final DataInputStream replies;
  private final MachineImage[] inputs = new MachineImage[ROOM];
  private final MachineImage[] results = new MachineImage[ROOM];

  private OracleProcess(List<String> command) throws IOException {
    Files.createDirectories(TARGET);
    file = Files.createTempFile(TARGET, "oracle", ".images");
    MemorySegment images = mapImages(file, arena);
    for (int i = 0; i < ROOM; i++) {
      inputs[i] = new MachineImage(images.asSlice((long) i * MachineImage.BYTES));
      results[i] = new MachineImage(images.asSlice((long) (ROOM + i) * MachineImage.BYTES));
    }
    List<String> line = new ArrayList<>(command);
    line.add(file.toAbsolutePath().toString());
    process = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    requests = new DataOutputStream(process.getOutputStream());
    replies = new DataInputStream(process.getInputStream());
  }

  /** Maps the inputs, then the results. */
  static MemorySegment mapImages(Path file, Arena arena) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return channel.map(MapMode.READ_WRITE, 0, 2L * ROOM * MachineImage.BYTES, arena);
    }
  }

  /** Why the host CPU cannot be an oracle here, or null if it can. */
  static @Nullable String noHostCpu() {
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
      if (Files.isExecutable(Path.of(directory, "gcc"))) {
        return null;
      }
    }
    return "no gcc on PATH to build " + SOURCE + " with (apt-get install gcc libc6-dev)";
  }

  /** The host CPU: compiles and starts native-oracle.c. */
  static OracleProcess hostCpu() throws IOException {
    Files.createDirectories(TARGET);
    Path program = Files.createTempFile(TARGET, "native-oracle", "");
    try {
      Process gcc =
          new ProcessBuilder(
                  "gcc",
                  "-O2",
                  "-Wall",
                  "-fno-stack-protector",
                  "-Wl,-z,now",
                  "-o",
                  program.toString(),
                  SOURCE.toString())
              .inheritIO()
              .start();
      if (!gcc.waitFor(COMPILE_SECONDS, TimeUnit.SECONDS) || gcc.exitValue() != 0) {
        gcc.destroyForcibly();
        throw new IOException("gcc could not build " + SOURCE);
      }
      return new OracleProcess(List.of(program.toAbsolutePath().toString()));
    } catch (InterruptedException e) {
      throw new InterruptedIOException("while gcc ran");
    } finally {
      Files.delete(program);
    }
  }

  /** libunicorn, in a Java process of its own. */
  static OracleProcess unicorn() throws IOException {
    return new OracleProcess(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:+DisplayVMOutputToStderr",
            "-XX:ErrorFile=target/unicorn-oracle-crash-%p.log",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            UnicornOracle.class.getName()));
  }

  /** Where to put the image that the next {@link #run} runs as number {@code index}. */
  MachineImage input(int index) {
    return inputs[index];
  }

  /** What became of input {@code index}; its code bytes are not filled in. */
  MachineImage result(int index) {
    return results[index];
  }

  /** Runs inputs 0 to {@code count - 1}; {@code what} they are is said if the host dies of them. */
  void run(int count, String what) throws IOException {
    requests.writeInt(Integer.reverseBytes(count));
    requests.flush();
    try {
      int done = Integer.reverseBytes(replies.readInt());
      if (done != count) {
        throw new IOException("oracle ran " + done + " images of " + count);
      }
    } catch (IOException e) {
      throw new IOException("oracle died in " + count + " cases of " + what + ": " + process, e);
    }
  }

  @Override
  public void close() throws IOException {
    requests.close();
    try {
      if (!process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    arena.close();
    Files.delete(file);
  }
}
