package org.pluribus.vmm.cli.litmus;

import com.fasterxml.jackson.annotation.JsonValue;

/** Where the variables of one instance of a test are: on cache lines of their own in any case. */
public enum Layout {
  /** On one page: CPUs that store to different variables take the page from each other. */
  ONE_PAGE("one"),

  /** Each on a page of its own. */
  SEVERAL_PAGES("several");

  private final String pages;

  Layout(String pages) {
    this.pages = pages;
  }

  /** How many pages, in a word. */
  @JsonValue
  public String pages() {
    return pages;
  }
}
