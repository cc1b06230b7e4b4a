package org.pluribus.vmm.apic;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * One node's switch for interrupt messages: finds out who receives a message and brings it there.
 *
 * <p>Where a message goes, by its destination:
 *
 * <ul>
 *   <li><b>Physical</b>: an APIC id lives on one node, known from the start. One hop.
 *   <li><b>Broadcast and logical</b>: to every node, and each delivers to those of its own vCPUs
 *       that match. Logical ids are registers the guest may change at any time; only the node that
 *       has a vCPU knows its present ones, so none are copied around, and none can be out of date.
 *   <li><b>Lowest priority among several</b>: exactly one may get it. The sender's node offers it
 *       to its own matching vCPUs; if there are none that accept, it hands the message to the next
 *       node (counting hops), and so on round the ring until a vCPU has it or every node was asked.
 *       The message exists once, so it cannot be delivered twice; and an interrupt is preferably
 *       handled on the node of its device. Among a node's own vCPUs the lowest PPR class wins, as
 *       in hardware, and the vector number spreads the load over equals.
 * </ul>
 *
 * <p>Any thread may call; nothing waits and nothing is allocated per message.
 */
public final class IpiRouter {

  /** {@link #route}: every node. */
  public static final int ALL_NODES = -1;

  /** {@link #route}: there is nobody. */
  public static final int NOWHERE = -2;

  /** {@link #route}: round the ring, from here on. */
  public static final int RING = -3;

  private final int node;
  private final int nodes;
  private final int ioApicNode;
  private final int[] nodeOfApicId;
  private final RemoteInterrupts remote;

  private volatile LocalApic[] locals = {};
  private volatile @Nullable IoApic ioApic;

  private final LongAdder sentToNodes = new LongAdder();
  private final LongAdder receivedFromNodes = new LongAdder();

  /**
   * A router without APICs; they attach themselves when they are made.
   *
   * @param node this node's number
   * @param nodes how many nodes the machine has
   * @param nodeOfApicId for each APIC id the node it lives on; negative where there is none
   * @param ioApicNode the node with the IOAPIC
   */
  public IpiRouter(
      int node, int nodes, int[] nodeOfApicId, int ioApicNode, RemoteInterrupts remote) {
    if (nodes < 1 || nodes > IpiMessage.MAX_HOPS || node < 0 || node >= nodes) {
      throw new IllegalArgumentException(
          "node %d of %d: must be one of 1 to %d nodes"
              .formatted(node, nodes, IpiMessage.MAX_HOPS));
    }
    this.node = node;
    this.nodes = nodes;
    this.nodeOfApicId = nodeOfApicId.clone();
    this.ioApicNode = ioApicNode;
    this.remote = remote;
  }

  /** Connects a vCPU's APIC of this node. */
  synchronized void attach(LocalApic apic) {
    LocalApic[] more = Arrays.copyOf(locals, locals.length + 1);
    more[locals.length] = apic;
    locals = more;
  }

  /** Connects this node's IOAPIC. */
  synchronized void attach(IoApic ioApic) {
    this.ioApic = ioApic;
  }

  /**
   * Where a message without shorthand goes. Pure.
   *
   * @return a node's number, {@link #ALL_NODES}, {@link #RING} or {@link #NOWHERE}
   */
  public int route(long message) {
    int destination = IpiMessage.destination(message);
    boolean one = !IpiMessage.logical(message) && destination != IpiMessage.BROADCAST;
    if (one) {
      boolean exists = destination >= 0 && destination < nodeOfApicId.length;
      return exists && nodeOfApicId[destination] >= 0 ? nodeOfApicId[destination] : NOWHERE;
    }
    return IpiMessage.deliveryMode(message) == IpiMessage.LOWEST_PRIORITY ? RING : ALL_NODES;
  }

  /** Sends a message of a device or of the IOAPIC: one without shorthand. */
  public void send(long message) {
    dispatch(message, null);
  }

  /** Sends what a vCPU of this node wrote to its ICR. */
  void sendFrom(LocalApic source, long icr) {
    switch (IpiMessage.shorthand(icr)) {
      case IpiMessage.SHORTHAND_SELF -> deliver(source, icr);
      case IpiMessage.SHORTHAND_ALL -> dispatch(IpiMessage.toAll(icr), null);
      case IpiMessage.SHORTHAND_ALL_BUT_SELF -> dispatch(IpiMessage.toAll(icr), source);
      default -> dispatch(icr, null);
    }
  }

  /** A message from another node. */
  public void receive(long message) {
    receivedFromNodes.increment();
    if (route(message) == RING) {
      walkRing(message, null);
    } else {
      deliverHere(message, null);
    }
  }

  /** The end of a level-triggered interrupt, on a vCPU of this node: tells the IOAPIC. */
  void endOfInterrupt(int vector) {
    if (ioApicNode == node) {
      receiveEoi(vector);
    } else {
      remote.sendEoi(ioApicNode, vector);
    }
  }

  /** The end of a level-triggered interrupt, on whatever node, for this node's IOAPIC. */
  public void receiveEoi(int vector) {
    IoApic here = ioApic;
    if (here != null) {
      here.endOfInterrupt(vector);
    }
  }

  /** Messages sent to other nodes; a message to several counts once for each. */
  public long sentToNodes() {
    return sentToNodes.sum();
  }

  /** Messages that came from other nodes. */
  public long receivedFromNodes() {
    return receivedFromNodes.sum();
  }

  private void dispatch(long message, @Nullable LocalApic except) {
    int to = route(message);
    switch (to) {
      case NOWHERE -> {}
      case RING -> walkRing(message, except);
      case ALL_NODES -> {
        for (int other = 0; other < nodes; other++) {
          if (other != node) {
            sendTo(other, message);
          }
        }
        deliverHere(message, except);
      }
      default -> {
        if (to == node) {
          deliverHere(message, except);
        } else {
          sendTo(to, message);
        }
      }
    }
  }

  private void sendTo(int other, long message) {
    sentToNodes.increment();
    remote.sendIpi(other, message);
  }

  private void deliverHere(long message, @Nullable LocalApic except) {
    for (LocalApic apic : locals) {
      if (apic != except && apic.matches(message)) {
        deliver(apic, message);
      }
    }
  }

  private static boolean deliver(LocalApic apic, long message) {
    return apic.accept(
        IpiMessage.deliveryMode(message),
        IpiMessage.vector(message),
        IpiMessage.levelTriggered(message));
  }

  private void walkRing(long message, @Nullable LocalApic except) {
    LocalApic chosen = lowestPriority(locals, message, except);
    if (chosen != null && deliver(chosen, message)) {
      return;
    }
    long onward = IpiMessage.nextHop(message);
    if (IpiMessage.hops(onward) < nodes) {
      sendTo((node + 1) % nodes, onward);
    }
  }

  /** Arbitrates among this node's vCPUs; null if none takes part. Two passes, no allocation. */
  private static @Nullable LocalApic lowestPriority(
      LocalApic[] locals, long message, @Nullable LocalApic except) {
    int best = Integer.MAX_VALUE;
    int equals = 0;
    for (LocalApic apic : locals) {
      if (apic != except && apic.acceptsVectors() && apic.matches(message)) {
        int priorityClass = apic.arbitrationPriority() >> 4;
        equals = priorityClass < best ? 1 : priorityClass == best ? equals + 1 : equals;
        best = Math.min(best, priorityClass);
      }
    }
    if (equals == 0) {
      return null;
    }
    int skip = IpiMessage.vector(message) % equals;
    LocalApic last = null;
    for (LocalApic apic : locals) {
      if (apic != except && apic.acceptsVectors() && apic.matches(message)) {
        // Priorities may have moved since: the last one that matches is as good as any.
        last = apic;
        if (apic.arbitrationPriority() >> 4 == best && skip-- == 0) {
          return apic;
        }
      }
    }
    return last;
  }
}
