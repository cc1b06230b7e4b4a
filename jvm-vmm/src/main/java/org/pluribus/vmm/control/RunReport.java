package org.pluribus.vmm.control;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a run did, for {@code --report} and the demo's table.
 *
 * @param bootSeconds first instruction until the kernel started init, or null if it did not say so
 * @param wallSeconds first instruction until the end
 * @param outcome how it ended
 * @param nodes what each node did; nodes that could not tell any more are missing
 */
public record RunReport(
    @Nullable Double bootSeconds,
    double wallSeconds,
    @JsonIgnore Outcome outcome,
    List<NodeReport> nodes) {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** The exit code. */
  @JsonProperty
  public int exit() {
    return outcome.exitCode();
  }

  /** How it ended, for people. */
  @JsonProperty
  public String reason() {
    return outcome.reason();
  }

  public byte[] toJson() {
    return JSON.writeValueAsBytes(this);
  }
}
