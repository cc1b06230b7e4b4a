package org.pluribus.hw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostProfileTest {
  private static final String GOOD =
      """
      name: mine
      holdMicros: 5
      bounceFactor: 3
      mtuBytes: 1440
      pollBlocks: 100
      faultYields: 10
      faultMaxSleepMicros: 50
      haltYields: 1
      haltMaxSleepMicros: 70
      """;

  @TempDir Path folder;

  @Test
  void allBuiltInProfilesLoadUnderTheirNames() {
    for (String name : HostProfile.BUILT_IN) {
      assertThat(HostProfile.load(name).name()).isEqualTo(name);
    }
  }

  @Test
  void readsAFile() throws IOException {
    assertThat(HostProfile.load(file(GOOD)))
        .isEqualTo(new HostProfile("mine", 5, 3, 1440, 100, 10, 50, 1, 70));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "holdMicros: 5 | holdMicros: -1 | holdMicros is -1",
        "bounceFactor: 3 | bounceFactor: 11 | bounceFactor is 11",
        "mtuBytes: 1440 | mtuBytes: 576 | mtuBytes is 576; it must be 1216 to 65504",
        "mtuBytes: 1440 | mtuBytes: 1450 | mtuBytes is 1450; it must be a multiple of 32",
        "pollBlocks: 100 | pollBlocks: 0 | pollBlocks is 0",
        "haltYields: 1 | haltYears: 1 | haltYields",
      })
  void refusesNonsenseInOneLine(String from, String to, String expected) throws IOException {
    String path = file(GOOD.replace(from, to));
    assertThatThrownBy(() -> HostProfile.load(path))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(expected)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void namesTheProfilesThereAre() {
    assertThatThrownBy(() -> HostProfile.load("infiniband-of-mine"))
        .hasMessageContaining("single-host");
  }

  private String file(String text) throws IOException {
    return Files.writeString(Files.createTempFile(folder, "profile", ".yaml"), text).toString();
  }
}
