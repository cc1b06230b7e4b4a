package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where the library comes from, and what is said when it doesn't; each case in a JVM of its own.
 */
class VerbsLibraryTest {
  private static final String EXPORT = "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED";
  private static final Path BUILD = Path.of("../native/disni/build");

  @TempDir private Path folder;

  @Test
  void fromTheJarWithNothingLeftBehind() throws Exception {
    BuiltLibrary.file();
    assertThat(load(EXPORT, "-Djava.io.tmpdir=" + folder))
        .containsExactly("version 32, on CPUs true", "version 32, on CPUs true");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void fromTheLibraryPathFirst() throws Exception {
    Files.copy(BuiltLibrary.file(), folder.resolve("libdisni.so"));
    // The jar's could not be unpacked.
    assertThat(load(EXPORT, "-Djava.io.tmpdir=/nowhere", "-Djava.library.path=" + folder))
        .containsOnly("version 32, on CPUs true");
  }

  @Test
  void somethingElseOfThatNameIsRefused() throws Exception {
    BuiltLibrary.file();
    Files.writeString(folder.resolve("libdisni.so"), "no library");
    List<String> said = load(EXPORT, "-Djava.library.path=" + folder);
    assertThat(said).hasSize(4);
    assertThat(said.getFirst()).startsWith("found: libdisni.so does not load: " + folder);
    assertThat(said.get(1)).contains("take the libdisni.so away");
    // Asked again, it says the same.
    assertThat(said.subList(2, 4)).isEqualTo(said.subList(0, 2));
  }

  @Test
  void aFolderThatCantBeWrittenIsNamed() throws Exception {
    BuiltLibrary.file();
    List<String> said = load(EXPORT, "-Djava.io.tmpdir=/nowhere");
    assertThat(said.getFirst()).contains("does not load: ").contains("/nowhere");
    assertThat(said.get(1)).contains("java.io.tmpdir");
  }

  @Test
  void theMissingOptionIsNamed() throws Exception {
    assertThat(load())
        .contains(
            "found: this JVM runs without --add-exports java.base/sun.nio.ch=ALL-UNNAMED",
            "cure: start it with that option (jvm.flags has it)");
  }

  @Test
  void withoutHeadersTheBuildGoesOnAndSaysWhatToInstall() throws Exception {
    Path gcc = Files.createDirectory(folder.resolve("bin")).resolve("gcc");
    // A compiler that finds no headers is what a host without the packages has.
    Files.writeString(gcc, "#!/bin/sh\nexec /usr/bin/gcc -nostdinc \"$@\"\n");
    Files.setPosixFilePermissions(gcc, PosixFilePermissions.fromString("rwx------"));
    // One of an earlier build would be taken for up to date.
    Path out = Files.writeString(folder.resolve("libdisni.so"), "");
    ProcessBuilder build =
        command(BUILD.toString(), out.toString(), System.getProperty("java.home"));
    build.environment().merge("PATH", gcc.getParent() + ":", (path, first) -> first + path);
    assertThat(lines(build, 0))
        .containsExactly(
            "native/disni: RDMA is not built; for it install libc6-dev libibverbs-dev librdmacm-dev"
                + " and build again");
    assertThat(out).doesNotExist();
  }

  @Test
  void theSameSourcesGiveTheSameBytes() throws Exception {
    Path first = BuiltLibrary.file();
    Path again = folder.resolve("libdisni.so");
    assertThat(
            lines(command(BUILD.toString(), again.toString(), System.getProperty("java.home")), 0))
        .isEmpty();
    assertThat(again).hasSameBinaryContentAs(first);
  }

  private static List<String> load(String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx64m"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of(options));
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), LoadVerbs.class.getName()));
    return lines(command(command.toArray(String[]::new)), 0).stream()
        .filter(line -> line.matches("(version|found:|cure:) .*")) // the JVM has its own warnings
        .toList();
  }

  private static ProcessBuilder command(String... words) {
    return new ProcessBuilder(words).redirectErrorStream(true);
  }

  private static List<String> lines(ProcessBuilder command, int exitCode)
      throws IOException, InterruptedException {
    Process process = command.start();
    String out = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(out).isEqualTo(exitCode);
    return out.lines().toList();
  }
}
