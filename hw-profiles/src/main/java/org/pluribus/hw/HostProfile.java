package org.pluribus.hw;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Tuning of one node for a kind of host.
 *
 * @param name what it is called in messages
 * @param holdMicros how long a page that was just granted is kept from being revoked, microseconds;
 *     under KVM how much processor time its vCPU gets, at least, to use it
 * @param bounceFactor how long a vCPU keeps a page that comes and goes all the time, be it shared
 *     or merely next to what others use: under KVM as many times as long as a page takes to come,
 *     on the emulator as many times five times {@code holdMicros}; 0: as any other
 * @param mtuBytes largest UDP payload sent, a multiple of 32; a page in one datagram takes 4256
 * @param pollBlocks blocks of guest code between two looks at the network
 * @param faultYields looks for a page's answer that only give the core away, before sleeping starts
 * @param faultMaxSleepMicros longest sleep between two looks for a page's answer
 * @param haltYields looks in HLT that only give the core away, before sleeping starts
 * @param haltMaxSleepMicros longest sleep of a halted vCPU between two looks at the network
 */
public record HostProfile(
    String name,
    int holdMicros,
    int bounceFactor,
    int mtuBytes,
    int pollBlocks,
    int faultYields,
    int faultMaxSleepMicros,
    int haltYields,
    int haltMaxSleepMicros) {

  /** Profiles that come with the product. */
  public static final List<String> BUILT_IN = List.of("single-host", "ethernet");

  /** A hold longer than this would look like a lost node to whoever waits for the page. */
  private static final int MAX_HOLD_MICROS = 10_000;

  /** Nine tenths of the time is all that can be won. */
  private static final int MAX_BOUNCE_FACTOR = 10;

  /** Sleeping longer than this between looks makes every fault of a peer that slow. */
  private static final int MAX_SLEEP_MICROS = 100_000;

  /** What every IPv6 path carries (RFC 8200: 1280 bytes), less IP's and UDP's headers. */
  private static final int MIN_MTU_BYTES = 1216;

  /** Most that Aeron takes (io.aeron Configuration.MAX_UDP_PAYLOAD_LENGTH). */
  private static final int MAX_MTU_BYTES = 65_504;

  /** Aeron aligns to it (FrameDescriptor.FRAME_ALIGNMENT). */
  public static final int MTU_STEP_BYTES = 32;

  private static final int MAX_COUNT = 10_000_000;

  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .enable(
              DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
              DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  /** Checks the ranges; the message of what is thrown is one line for the user. */
  public HostProfile {
    check("holdMicros", holdMicros, 0, MAX_HOLD_MICROS);
    check("bounceFactor", bounceFactor, 0, MAX_BOUNCE_FACTOR);
    check("mtuBytes", mtuBytes, MIN_MTU_BYTES, MAX_MTU_BYTES);
    if (mtuBytes % MTU_STEP_BYTES != 0) {
      throw new IllegalArgumentException(
          "mtuBytes is " + mtuBytes + "; it must be a multiple of " + MTU_STEP_BYTES);
    }
    check("pollBlocks", pollBlocks, 1, MAX_COUNT);
    check("faultYields", faultYields, 0, MAX_COUNT);
    check("faultMaxSleepMicros", faultMaxSleepMicros, 1, MAX_SLEEP_MICROS);
    check("haltYields", haltYields, 0, MAX_COUNT);
    check("haltMaxSleepMicros", haltMaxSleepMicros, 1, MAX_SLEEP_MICROS);
  }

  private static void check(String field, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          field + " is " + value + "; it must be " + least + " to " + most);
    }
  }

  /**
   * A profile by name, or by path of a YAML file.
   *
   * @throws IllegalArgumentException one line for the user: there is none, or it is not valid
   */
  public static HostProfile load(String nameOrPath) {
    try {
      return YAML.readValue(text(nameOrPath), HostProfile.class);
    } catch (JacksonException e) {
      String why = e.getCause() == null ? e.getOriginalMessage() : e.getCause().getMessage();
      throw new IllegalArgumentException(
          "profile "
              + nameOrPath
              + " is not valid: "
              + String.valueOf(why).lines().findFirst().orElse(""));
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "profile "
              + nameOrPath
              + " cannot be read; give one of "
              + String.join(", ", BUILT_IN)
              + " or the path of a YAML file");
    }
  }

  private static String text(String nameOrPath) throws IOException {
    if (!BUILT_IN.contains(nameOrPath)) {
      return Files.readString(Path.of(nameOrPath));
    }
    try (InputStream in = HostProfile.class.getResourceAsStream(nameOrPath + ".yaml")) {
      if (in == null) {
        throw new IOException("missing in this jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
