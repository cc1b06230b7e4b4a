package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.kvm.Kvm;
import org.pluribus.kvm.TinyGuest;
import org.pluribus.uffd.UserfaultFd;

/** A user without permission is told which one is missing and how to get it. */
class DeniedPermissionTest {
  /** User and group "nobody" of Debian; any that may do nothing would serve. */
  private static final int NOBODY = 65534;

  private static final String LOCKED_LIMIT_BYTES = "65536";

  @TempDir private Path classes;

  @Test
  void eachLackIsNamedWithItsCure() throws Exception {
    TinyGuest.assumeThat(
        "root".equals(System.getProperty("user.name")), "only root can start a child as nobody");
    TinyGuest.assumeThat(mode(Kvm.DEVICE).endsWith("---"), Kvm.DEVICE + " is open to all");
    TinyGuest.assumeThat(
        mode(UserfaultFd.DEVICE).endsWith("---"), UserfaultFd.DEVICE + " is open to all");
    TinyGuest.assumeThat(
        Files.readString(Path.of("/proc/sys/vm/unprivileged_userfaultfd")).strip().equals("0"),
        "vm.unprivileged_userfaultfd is on");

    List<String> lines = runAsNobody();

    assertThat(lines).hasSize(3);
    assertThat(lines.get(0))
        .startsWith("open(/dev/kvm) failed: EACCES: ")
        .contains("usermod -aG kvm USER");
    assertThat(lines.get(1))
        .startsWith("userfaultfd(/dev/userfaultfd: EACCES) failed: EPERM: ")
        .contains("vm.unprivileged_userfaultfd=1")
        .contains("grant access to /dev/userfaultfd");
    assertThat(lines.get(2)).startsWith("mlock(").contains("ENOMEM").contains("raise ulimit -l");
  }

  private static String mode(String device) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(Path.of(device)));
  }

  private List<String> runAsNobody() throws IOException, InterruptedException {
    copyReadable(Abi.class);
    copyReadable(DeniedPermission.class);
    Process child =
        new ProcessBuilder(
                "prlimit",
                "--memlock=" + LOCKED_LIMIT_BYTES,
                "setpriv",
                "--reuid=" + NOBODY,
                "--regid=" + NOBODY,
                "--clear-groups",
                System.getProperty("java.home") + "/bin/java",
                "-Xmx64m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                classes.toString(),
                DeniedPermission.class.getName())
            .directory(classes.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<String> lines = new String(child.getInputStream().readAllBytes()).lines().toList();
    assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(child.exitValue()).as("output: %s", lines).isZero();
    return lines;
  }

  /** Copies the class tree that a class came from to where any user may read it. */
  private void copyReadable(Class<?> member) throws IOException {
    Path from = Path.of(member.getProtectionDomain().getCodeSource().getLocation().getPath());
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path to = classes.resolve(from.relativize(file).toString());
        boolean folder = Files.isDirectory(file);
        if (folder) {
          Files.createDirectories(to);
        } else {
          Files.copy(file, to, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.setPosixFilePermissions(
            to, PosixFilePermissions.fromString(folder ? "rwxr-xr-x" : "rw-r--r--"));
      }
    }
  }
}
