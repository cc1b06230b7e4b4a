package org.pluribus.vmm.cli.selftest;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A run of the suite, for {@code --report}.
 *
 * @param vmi what ran the vCPUs, by node
 * @param transport what carried the pages
 * @param nodes number of nodes
 * @param cpus number of vCPUs
 * @param scale percent
 * @param seed of the random numbers
 * @param payloads what each did
 */
public record SuiteReport(
    List<String> vmi,
    String transport,
    int nodes,
    int cpus,
    int scale,
    long seed,
    List<PayloadResult> payloads) {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  @JsonProperty
  public long passed() {
    return payloads.stream().filter(PayloadResult::passed).count();
  }

  @JsonProperty
  public long failed() {
    return payloads.size() - passed();
  }

  /** Guest increments of all payloads that passed: none of them was lost. */
  @JsonProperty
  public long increments() {
    return payloads.stream()
        .filter(PayloadResult::passed)
        .mapToLong(PayloadResult::increments)
        .sum();
  }

  @JsonProperty
  public long pageTransfers() {
    return payloads.stream().mapToLong(PayloadResult::pageTransfers).sum();
  }

  /**
   * Where the time of remote page faults went; null if the payload that measures it did not run.
   */
  @JsonProperty
  public @Nullable FaultService faultService() {
    return payloads.stream()
        .map(PayloadResult::faultService)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  public byte[] toJson() {
    return JSON.writeValueAsBytes(this);
  }
}
