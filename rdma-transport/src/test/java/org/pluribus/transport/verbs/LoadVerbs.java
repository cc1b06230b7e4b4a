package org.pluribus.transport.verbs;

import com.ibm.disni.util.NativeAffinity;
import com.ibm.disni.verbs.RdmaVerbs;

/** Loads DiSNI in a JVM of its own and prints how that went. */
final class LoadVerbs {
  private LoadVerbs() {}

  /** Needs no arguments: the JVM's options are what is tested. */
  public static void main(String[] arguments) throws Exception {
    for (int time = 0; time < 2; time++) {
      try {
        VerbsLibrary.load();
        System.out.println(
            "version "
                + RdmaVerbs.getVersion()
                + ", on CPUs "
                + (NativeAffinity.getAffinity() != 0));
      } catch (VerbsUnavailableException e) {
        System.out.println("found: " + e.found());
        System.out.println("cure: " + e.cure());
      }
    }
  }
}
