package org.pluribus.hw.host;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Everything that matters to a machine's nodes on this host.
 *
 * @param findings one for each thing looked at, in an order for people
 */
public record HostSurvey(List<Finding> findings) {
  /** Copies the list. */
  public HostSurvey {
    findings = List.copyOf(findings);
  }

  /**
   * Looks at this host; some tenths of a second.
   *
   * @param guestBytes guest RAM of the machine to come
   */
  public static HostSurvey ofThisHost(long guestBytes) {
    HostFiles files = new HostFiles(Path.of("/"));
    List<Finding> all = new ArrayList<>(new SystemSurvey(files, guestBytes).findings());
    if (new HostSurvey(all).canRun()) {
      Map<String, List<String>> addresses = NetworkSurvey.addressesOfThisHost();
      all.addAll(new KvmSurvey(files).findings());
      all.add(new NumaSurvey(files).finding());
      all.addAll(new NetworkSurvey(files, addresses).findings());
      all.addAll(new RdmaSurvey(files, addresses).findings());
    }
    return new HostSurvey(all);
  }

  /** IPv4 addresses of this host's active RDMA devices: over RDMA, nodes are found by one. */
  public static Set<String> rdmaAddresses() {
    return new RdmaSurvey(new HostFiles(Path.of("/")), NetworkSurvey.addressesOfThisHost())
        .activeAddresses();
  }

  /** Whether a machine can run here at all. The emulator is the way that asks for least. */
  public boolean canRun() {
    return findings.stream().anyMatch(f -> f.name().equals(SystemSurvey.EMULATOR) && f.isOk());
  }
}
