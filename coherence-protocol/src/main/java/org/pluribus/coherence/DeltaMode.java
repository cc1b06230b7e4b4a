package org.pluribus.coherence;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Whether a node answers with only what changed of a page where it can, and else with what is not
 * zero of it.
 */
public enum DeltaMode {
  /** Always whole pages. */
  OFF,
  /**
   * Blocks that changed, wherever the twin allows it, else blocks that are not zero, if they are at
   * most half the page.
   */
  ON,
  /**
   * As {@link #ON}, but pages get a twin only once another node has taken them away, and those that
   * change as a whole get none for a while: what moves once costs nothing.
   */
  AUTO;

  /** The word for options and files. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The mode of that word, or null if there is none. */
  public static @Nullable DeltaMode ofWord(String word) {
    for (DeltaMode mode : values()) {
      if (mode.word().equals(word)) {
        return mode;
      }
    }
    return null;
  }
}
