package org.pluribus.vmm.node;

import com.fasterxml.jackson.annotation.JsonFormat;
import java.util.List;

/**
 * The latest page faults of a node that other nodes answered, and the latest requests that it
 * served for others, with their times: nanoseconds of {@link System#nanoTime}, which all processes
 * of a host share.
 *
 * @param ticksPerSecond frequency of the guest's TSC
 * @param faults oldest first
 * @param services oldest first
 */
public record FaultRecords(long ticksPerSecond, List<Fault> faults, List<Service> services) {

  /**
   * A fault whose page came from another node.
   *
   * @param gpa the page's address
   * @param write whether the guest wanted to write
   * @param eventTsc the guest's TSC, as this node's vCPUs read it, at the time of {@code event}
   * @param event this node learnt of the fault: the event was read from userfaultfd, or the
   *     emulated vCPU asked
   * @param sent the first message about it was handed to the transport
   * @param answered the transport delivered the last answer
   * @param install giving the page to the guest began, with its bytes
   * @param installed the page was there, and the vCPU about to be woken
   */
  @JsonFormat(shape = JsonFormat.Shape.ARRAY)
  public record Fault(
      long gpa,
      boolean write,
      long eventTsc,
      long event,
      long sent,
      long answered,
      long install,
      long installed) {}

  /**
   * A part in another node's fault: passing the request on, or giving the page.
   *
   * @param gpa the page's address
   * @param requester the node that faulted
   * @param received the transport delivered the message that asked for it
   * @param sent the message that ended it was handed to the transport
   */
  @JsonFormat(shape = JsonFormat.Shape.ARRAY)
  public record Service(long gpa, int requester, long received, long sent) {}
}
