package org.pluribus.vmm.cli.selftest;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.cli.litmus.LitmusReport;
import org.pluribus.vmm.control.NodeReport;

/**
 * What one payload did on one machine.
 *
 * @param payload its name
 * @param passed whether it found everything right
 * @param failure why not, in one line; null if it passed
 * @param counts what the guest counted
 * @param checksums the guest's sums over what has to come out the same everywhere
 * @param seconds from connecting the nodes to the machine's end
 * @param nodes what each node did
 * @param faultService where the time of remote page faults went, if it measured that
 * @param litmus what came of litmus tests; null for other payloads, and if it did not get to the
 *     end
 */
public record PayloadResult(
    String payload,
    boolean passed,
    @Nullable String failure,
    Map<String, Long> counts,
    Map<String, String> checksums,
    double seconds,
    List<NodeReport> nodes,
    @JsonIgnore @Nullable FaultService faultService,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable LitmusReport litmus) {

  /** Count of increments of which none may be lost. */
  private static final String INCREMENTS = "increments";

  /** Pages whose bytes, all or those that had changed, came to a node from another. */
  @JsonProperty
  public long pageTransfers() {
    return nodes.stream().mapToLong(n -> n.pagesIn() + n.deltasIn() + n.sparseIn()).sum();
  }

  /** Increments the guest made and found again. */
  public long increments() {
    return counts.getOrDefault(INCREMENTS, 0L);
  }

  /** What was counted, in a line. */
  public String countsInWords() {
    return counts.entrySet().stream()
        .map(e -> e.getValue() + " " + e.getKey().replace('_', ' '))
        .collect(Collectors.joining(", "));
  }
}
