package org.pluribus.vmm.cli.selftest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pluribus.vmm.control.ClusterConfig;

/** The same payload file computes the same on the emulator, under KVM, and on a mixed machine. */
class SuiteUnderKvmTest {
  private static final int TIMEOUT_SECONDS = 120;
  private static final Path KVM = Path.of("/dev/kvm");

  /** A machine with a node of each of these kinds, one CPU each. */
  private static Suite suite(PayloadImage image, long seed, String... kinds) {
    List<ClusterConfig.Node> nodes = new ArrayList<>();
    for (String kind : kinds) {
      nodes.add(new ClusterConfig.Node(nodes.size(), "127.0.0.1", 0, 1, kind));
    }
    return new Suite(image, nodes, "32M", ClusterConfig.LOOPBACK, 1, seed, TIMEOUT_SECONDS);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPUTE", "STORM", "ORACLE", "LOCKS"})
  void sumsAreTheSame(Payload payload) throws Exception {
    if (!Files.exists(KVM)) {
      System.err.println("SKIPPED: " + KVM + " does not exist");
    }
    Assumptions.assumeTrue(Files.exists(KVM), KVM + " does not exist");
    long seed = ThreadLocalRandom.current().nextInt(1_000_000);
    try (PayloadImage image = PayloadImage.unpack()) {
      PayloadResult emulated = suite(image, seed, "emulator", "emulator").run(payload);
      assertThat(emulated.failure()).as("emulator, seed %d", seed).isNull();
      assertThat(emulated.checksums()).isNotEmpty();
      for (Suite other :
          List.of(suite(image, seed, "kvm", "kvm"), suite(image, seed, "kvm", "emulator"))) {
        PayloadResult r = other.run(payload);
        assertThat(r.failure()).as("%s, seed %d", other.nodes(), seed).isNull();
        assertThat(r.checksums())
            .as("%s, seed %d", other.nodes(), seed)
            .isEqualTo(emulated.checksums());
        assertThat(r.counts()).isEqualTo(emulated.counts());
      }
    }
  }
}
