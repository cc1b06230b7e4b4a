package org.pluribus.vmm.cli.selftest;

/**
 * Where the time of one remote page fault went, in microseconds. The five parts follow each other
 * without gaps, so they add up to what the guest measured.
 *
 * @param node whose guest touched the page
 * @param exitToEvent from the guest's touch until its node learnt of it
 * @param protocol in the two nodes, or three: from the event to handing the request to the
 *     transport, from a message's delivery to handing over the next one, and from the answer's
 *     delivery until the page is installed. Waiting for a page that another vCPU holds is in it
 * @param transport from handing a message to the transport to its delivery, for all messages of the
 *     fault's way; waking the thread that polls at the other end is in it
 * @param install giving the page to the guest: its bytes and the kernel's page tables
 * @param resume from waking the vCPU to the guest's next instruction
 */
record SplitFault(
    int node,
    double exitToEvent,
    double protocol,
    double transport,
    double install,
    double resume) {

  /** What the guest saw. */
  double total() {
    return exitToEvent + protocol + transport + install + resume;
  }
}
