package org.pluribus.posix;

/** The one platform whose constants and machine code this package holds: Linux on x86-64. */
final class Platform {
  private Platform() {}

  /**
   * Fails with one clear line unless this JVM runs on Linux on x86-64.
   *
   * @throws UnsatisfiedLinkError elsewhere (an Error, so that a class initializer passes it on
   *     unwrapped)
   */
  static void require() {
    require(System.getProperty("os.name", "?"), System.getProperty("os.arch", "?"));
  }

  static void require(String os, String arch) {
    boolean linux = os.equals("Linux");
    boolean x86 = arch.equals("amd64") || arch.equals("x86_64");
    if (!linux || !x86) {
      throw new UnsatisfiedLinkError(
          "Pluribus needs Linux on x86-64; this JVM runs on %s, %s. Use an x86-64 Linux host."
              .formatted(os, arch));
    }
  }
}
