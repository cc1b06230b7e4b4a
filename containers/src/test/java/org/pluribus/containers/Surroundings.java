package org.pluribus.containers;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.testcontainers.DockerClientFactory;

/** What {@code ci/containers} has made for the tests; without it they are skipped. */
final class Surroundings {
  private Surroundings() {}

  /** Gives the nodes' image to the engine. */
  static void loadImage() throws IOException {
    Path tar = file("imageTar");
    // Not by createImageCmd: docker-java 3.7.1 sends the stream's description as JSON.
    try (InputStream saved = new BufferedInputStream(Files.newInputStream(tar))) {
      DockerClientFactory.instance().client().loadImageAsyncCmd(saved).start().awaitMessage();
    }
  }

  /** The image's name. */
  static String image() {
    return setting("image");
  }

  /** A file or folder of this host. */
  static Path file(String name) {
    return Path.of(setting(name));
  }

  private static String setting(String name) {
    String value = System.getProperty("pluribus.containers." + name);
    if (value == null) {
      String why = "skipped: container tests need a Docker engine and an image: run ci/containers";
      System.out.println(why);
      return abort(why);
    }
    return value;
  }
}
