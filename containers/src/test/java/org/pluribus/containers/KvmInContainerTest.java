package org.pluribus.containers;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.HostConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/** A container that was given the two devices needs nothing else to run vCPUs under KVM. */
class KvmInContainerTest {
  private static final Duration LIMIT = Duration.ofSeconds(300);

  @BeforeAll
  static void loadImage() throws IOException {
    Surroundings.loadImage();
  }

  @Test
  void bareMetalProgramsRunUnderKvm() throws Exception {
    NodeLog log = new NodeLog("selftest");
    try (GenericContainer<?> container =
        new GenericContainer<>(DockerImageName.parse(Surroundings.image()))) {
      container
          .withCommand(
              NodeContainer.pluribus(
                  "selftest", "--vmi", "kvm", "--nodes", "2", "--scale", "1", "--only", "counters"))
          .withCreateContainerCmdModifier(c -> {
            HostConfig host = Objects.requireNonNull(c.getHostConfig());
            NodeContainer.passDevices(host);
          })
          .withLogConsumer(log)
          .start();
      log.awaitEnd(LIMIT);
      assertThat(container.getCurrentContainerInfo().getState().getExitCodeLong())
          .as(log::toString)
          .isZero();
      assertThat(log.output())
          .anyMatch(line -> line.matches("payloads: [1-9][0-9]* passed, 0 failed.*"));
    }
  }
}
