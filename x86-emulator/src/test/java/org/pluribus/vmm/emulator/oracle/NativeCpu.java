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
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The host CPU as oracle: a child process built from {@code src/test/c/native-oracle.c} runs images
 * in user mode and reports state, vector, error code and CR2.
 *
 * <p>Images go through a shared file in batches of up to {@link #ROOM}. One thread.
 */
final class NativeCpu implements AutoCloseable {
  /** Images in a batch; the same in native-oracle.c. */
  static final int ROOM = 256;

  private static final Path SOURCE = Path.of("src/test/c/native-oracle.c");
  private static final Path TARGET = Path.of("target");
  private static final int COMPILE_SECONDS = 60;

  private final Arena arena = Arena.ofConfined();
  private final Path file;
  private final Process process;
  private final DataOutputStream requests;
  private final DataInputStream replies;
  private final MachineImage[] inputs = new MachineImage[ROOM];
  private final MachineImage[] results = new MachineImage[ROOM];

  private NativeCpu(Path program) throws IOException {
    file = Files.createTempFile(TARGET, "native-oracle", ".images");
    MemorySegment images;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      images = channel.map(MapMode.READ_WRITE, 0, 2L * ROOM * MachineImage.BYTES, arena);
    }
    for (int i = 0; i < ROOM; i++) {
      inputs[i] = new MachineImage(images.asSlice((long) i * MachineImage.BYTES));
      results[i] = new MachineImage(images.asSlice((long) (ROOM + i) * MachineImage.BYTES));
    }
    process =
        new ProcessBuilder(program.toAbsolutePath().toString(), file.toAbsolutePath().toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    requests = new DataOutputStream(process.getOutputStream());
    replies = new DataInputStream(process.getInputStream());
  }

  /** Why this host cannot be an oracle, or null if it can. */
  static @Nullable String unavailable() {
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
      if (Files.isExecutable(Path.of(directory, "gcc"))) {
        return null;
      }
    }
    return "no gcc on PATH to build " + SOURCE + " with (apt-get install gcc libc6-dev)";
  }

  /** Compiles and starts the child process. */
  static NativeCpu start() throws IOException {
    Files.createDirectories(TARGET);
    Path program = Files.createTempFile(TARGET, "native-oracle", "");
    try {
      Process gcc =
          new ProcessBuilder("gcc", "-O2", "-Wall", "-o", program.toString(), SOURCE.toString())
              .inheritIO()
              .start();
      if (!gcc.waitFor(COMPILE_SECONDS, TimeUnit.SECONDS) || gcc.exitValue() != 0) {
        gcc.destroyForcibly();
        throw new IOException("gcc could not build " + SOURCE);
      }
      return new NativeCpu(program);
    } catch (InterruptedException e) {
      throw new InterruptedIOException("while gcc ran");
    } finally {
      Files.delete(program);
    }
  }

  /** Where to put the image that the next {@link #run} runs as number {@code index}. */
  MachineImage input(int index) {
    return inputs[index];
  }

  /** What became of input {@code index}; its code bytes are not filled in. */
  MachineImage result(int index) {
    return results[index];
  }

  /** Runs inputs 0 to {@code count - 1}. */
  void run(int count) throws IOException {
    requests.writeInt(Integer.reverseBytes(count));
    requests.flush();
    try {
      int done = Integer.reverseBytes(replies.readInt());
      if (done != count) {
        throw new IOException("native-oracle ran " + done + " images of " + count);
      }
    } catch (IOException e) {
      throw new IOException("native-oracle died in a batch of " + count + ": " + process, e);
    }
  }

  @Override
  public void close() throws IOException {
    requests.close();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
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
