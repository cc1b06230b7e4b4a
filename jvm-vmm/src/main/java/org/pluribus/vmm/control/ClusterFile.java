package org.pluribus.vmm.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** A {@link ClusterConfig} as a file: its form, and what a file must say that others need not. */
final class ClusterFile {
  static final YAMLMapper YAML =
      YAMLMapper.builder().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private static final int MAX_PORT = 65535;

  private ClusterFile() {}

  /** See {@link ClusterConfig#read}. */
  static ClusterConfig read(Path file) throws ConfigException {
    String text;
    try {
      text = Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new ConfigException("cluster file " + file + " does not exist: give --config one");
    } catch (IOException e) {
      throw new ConfigException("cluster file " + file + " cannot be read: " + e.getMessage());
    }
    if (text.isBlank()) {
      throw new ConfigException("cluster file " + file + " is empty; see docs/cluster-file.md");
    }
    ClusterConfig c;
    try {
      c = YAML.readValue(text, ClusterConfig.class);
    } catch (JacksonException e) {
      throw new ConfigException(
          "cluster file " + file + place(e) + ": " + trouble(e) + "; see docs/cluster-file.md");
    }
    c.check();
    checkAddresses(c);
    return c;
  }

  /** Where in the file it is, if the parser knows. */
  private static String place(JacksonException e) {
    TokenStreamLocation at = e.getLocation();
    return at == null || at.getLineNr() < 1 ? "" : ", line " + at.getLineNr();
  }

  private static String trouble(JacksonException e) {
    if (e instanceof UnrecognizedPropertyException u) {
      return "unknown field '" + u.getPropertyName() + "'";
    }
    if (e instanceof InvalidFormatException f) {
      return "'" + f.getValue() + "' is no " + f.getTargetType().getSimpleName();
    }
    if (e instanceof MismatchedInputException) {
      return "not what belongs there";
    }
    String m = e.getOriginalMessage();
    return m == null ? "unreadable" : m.lines().findFirst().orElse("unreadable");
  }

  /** What a file has to say and {@code run} finds out itself: where the nodes are. */
  private static void checkAddresses(ClusterConfig config) throws ConfigException {
    if (config.transport().equals(ClusterConfig.LOOPBACK)) {
      throw new ConfigException(
          "transport '"
              + config.transport()
              + "' is for one process only; a cluster file needs aeron, rdma or auto");
    }
    Set<String> taken = new HashSet<>();
    for (ClusterConfig.Node n : config.nodes()) {
      if (n.host() == null || n.host().isBlank()) {
        throw new ConfigException(
            "node " + n.id() + " has no host; give the address at which the others reach it");
      }
      if (n.port() < 1 || n.port() > MAX_PORT) {
        throw new ConfigException(
            "node " + n.id() + " has port " + n.port() + "; give one from 1 to " + MAX_PORT);
      }
      if (!taken.add(n.host() + ":" + n.port())) {
        throw new ConfigException(
            "node "
                + n.id()
                + " has the address "
                + n.host()
                + ":"
                + n.port()
                + " of another node; give each its own");
      }
    }
  }
}
