package org.pluribus.vmm.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DebianKernelTest {

  @TempDir Path cache;

  @Test
  void cacheFolderFollowsXdg() {
    assertThat(DebianKernel.defaultCache(Map.of("XDG_CACHE_HOME", "/x")))
        .hasToString("/x/pluribus");
    assertThat(DebianKernel.defaultCache(Map.of()))
        .isEqualTo(Path.of(System.getProperty("user.home"), ".cache", "pluribus"));
  }

  @Test
  void theNewestCompleteKernelInTheCacheIsTakenWithoutAskingApt() throws Exception {
    for (String name :
        List.of("linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-10-cloud-amd64")) {
      Path folder = Files.createDirectories(cache.resolve("debian").resolve(name));
      Files.writeString(folder.resolve("vmlinuz"), "kernel");
      Files.writeString(folder.resolve("busybox"), "busybox");
    }
    Path unfinished =
        Files.createDirectories(cache.resolve("debian/linux-image-6.1.0-11-cloud-amd64"));
    Files.writeString(unfinished.resolve("vmlinuz"), "kernel");
    List<String> steps = new ArrayList<>();
    DebianKernel kernel = DebianKernel.fetch(cache, steps::add);
    assertThat(kernel.name()).isEqualTo("linux-image-6.1.0-10-cloud-amd64");
    assertThat(kernel.kernel()).hasContent("kernel");
    assertThat(kernel.busybox()).hasContent("busybox");
    assertThat(steps).isEmpty();
  }
}
