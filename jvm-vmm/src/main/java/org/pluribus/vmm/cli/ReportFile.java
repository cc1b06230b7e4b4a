package org.pluribus.vmm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.control.ConfigException;

/** Where a run's report goes, if one is wanted. */
final class ReportFile {
  private final @Nullable Path report;

  /**
   * Looks whether it can be written: found out now rather than when the machine has run.
   *
   * @param report null for none
   */
  ReportFile(@Nullable Path report) throws ConfigException {
    this("--report", report);
  }

  /** The same for a file that another option names. */
  ReportFile(String option, @Nullable Path report) throws ConfigException {
    this.report = report;
    if (report == null) {
      return;
    }
    Path folder = report.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new ConfigException(option + " " + report + ": its folder does not exist; make it");
    }
    if (Files.isDirectory(report) || !Files.isWritable(Files.exists(report) ? report : folder)) {
      throw new ConfigException(option + " " + report + " cannot be written; name another file");
    }
  }

  void write(byte[] json) throws ConfigException {
    if (report == null) {
      return;
    }
    try {
      Files.write(report, json);
    } catch (IOException e) {
      throw new ConfigException("report " + report + " cannot be written: " + e.getMessage());
    }
  }
}
