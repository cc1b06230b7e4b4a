package org.pluribus.transport.verbs;

import com.ibm.disni.util.MemoryUtils;
import com.ibm.disni.verbs.RdmaProvider;
import com.ibm.disni.verbs.impl.NatObject;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * DiSNI's native half, {@code libdisni.so}: from a folder of {@code java.library.path} that has
 * one, else from our jar.
 */
public final class VerbsLibrary {
  private static final String FILE = System.mapLibraryName("disni");

  /** DiSNI takes the addresses of direct buffers by an interface of this package. */
  private static final String NEEDED_PACKAGE = "sun.nio.ch";

  private static boolean tried;
  private static @Nullable VerbsUnavailableException failure;

  private VerbsLibrary() {}

  /**
   * Makes the classes of {@code com.ibm.disni} usable; to be called before the first of them is
   * used. Any thread may call it, any number of times: the first call decides.
   *
   * @throws VerbsUnavailableException if they can't be used in this JVM
   */
  public static synchronized void load() throws VerbsUnavailableException {
    if (!tried) {
      try {
        loadNow();
      } catch (VerbsUnavailableException e) {
        failure = e;
      }
      tried = true;
    }
    if (failure != null) {
      throw new VerbsUnavailableException(failure.found(), failure.cure(), failure);
    }
  }

  private static void loadNow() throws VerbsUnavailableException {
    if (!Object.class.getModule().isExported(NEEDED_PACKAGE, VerbsLibrary.class.getModule())) {
      String option = "--add-exports java.base/" + NEEDED_PACKAGE + "=ALL-UNNAMED";
      throw new VerbsUnavailableException(
          "this JVM runs without " + option, "start it with that option (jvm.flags has it)", null);
    }
    boolean onPath = isOnLibraryPath(System.getProperty("java.library.path", ""));
    try {
      if (!onPath) {
        loadFromJar();
      }
      // Loads the library if it is on the path; compares version and layouts.
      RdmaProvider.provider();
    } catch (VerbsUnavailableException e) {
      throw e;
    } catch (IOException | LinkageError e) {
      Throwable reason =
          e instanceof ExceptionInInitializerError && e.getCause() != null ? e.getCause() : e;
      throw unusable(String.valueOf(reason.getMessage()), onPath, e);
    }
  }

  static boolean isOnLibraryPath(String folders) {
    return Arrays.stream(folders.split(File.pathSeparator))
        .anyMatch(folder -> Files.isReadable(Path.of(folder, FILE)));
  }

  /**
   * Loads the jar's library under DiSNI's own class loader, where the JVM looks for its native
   * methods, and brings in the two classes that have some without their request for it.
   */
  private static void loadFromJar() throws IOException {
    try (InputStream library = VerbsLibrary.class.getResourceAsStream(FILE)) {
      if (library == null) {
        throw new VerbsUnavailableException(
            FILE + " is not built",
            "apt-get install libibverbs-dev librdmacm-dev, then build Pluribus again",
            null);
      }
      Path file = Files.createTempFile("pluribus-", "-" + FILE);
      try {
        Files.copy(library, file, StandardCopyOption.REPLACE_EXISTING);
        System.load(file.toString());
      } finally {
        // It stays mapped.
        Files.delete(file);
      }
    }
    PreloadedClass.define(NatObject.class, "NativeDispatcher");
    PreloadedClass.define(MemoryUtils.class, "NativeAffinity");
  }

  private static VerbsUnavailableException unusable(String why, boolean onPath, Throwable cause) {
    String cure;
    if (why.contains("cannot open shared object file")) {
      cure = "apt-get install libibverbs1 librdmacm1 ibverbs-providers";
    } else if (onPath) {
      cure = "take the " + FILE + " away that is on java.library.path: the jar has its own";
    } else {
      cure = "set -Djava.io.tmpdir to a folder that can be written and isn't mounted noexec";
    }
    return new VerbsUnavailableException(FILE + " does not load: " + why, cure, cause);
  }
}
