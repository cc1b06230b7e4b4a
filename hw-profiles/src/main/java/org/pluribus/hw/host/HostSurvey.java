package org.pluribus.hw.host;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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

  /** Looks at this host; some tenths of a second. */
  public static HostSurvey ofThisHost() {
    HostFiles files = new HostFiles(Path.of("/"));
    List<Finding> all = new ArrayList<>(new SystemSurvey(files).findings());
    if (new HostSurvey(all).canRun()) {
      all.addAll(new KvmSurvey(files).findings());
      all.addAll(new RdmaSurvey(files).findings());
    }
    return new HostSurvey(all);
  }

  /** Whether a machine can run here at all. The emulator is the way that asks for least. */
  public boolean canRun() {
    return findings.stream().anyMatch(f -> f.name().equals(SystemSurvey.EMULATOR) && f.isOk());
  }
}
