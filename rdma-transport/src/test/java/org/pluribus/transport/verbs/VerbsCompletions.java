package org.pluribus.transport.verbs;

import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.IbvCompChannel;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.SVCPollCq;
import com.ibm.disni.verbs.SVCReqNotify;
import java.io.IOException;

/** A completion queue with a channel of its own: DiSNI doesn't say which queue an event is for. */
final class VerbsCompletions implements AutoCloseable {
  static final int ENTRIES = 64;
  private static final int WAIT_MILLIS = 60_000;

  /** Polls without a completion before a wait is given up; a poll takes a microsecond or more. */
  private static final long MAX_POLLS = 50_000_000;

  private final IbvCompChannel channel;
  private final IbvCQ queue;
  private final IbvWC[] found = {new IbvWC()};
  private final SVCPollCq poll;
  private final SVCReqNotify notify;

  VerbsCompletions(IbvContext device) throws IOException {
    channel = device.createCompChannel();
    queue = device.createCQ(channel, ENTRIES, 0);
    poll = queue.poll(found, found.length);
    notify = queue.reqNotification(false);
    notify.execute();
  }

  IbvCQ queue() {
    return queue;
  }

  /** Sleeps until there is a completion; valid until the next one is asked for. */
  IbvWC await() throws IOException {
    while (poll.execute().getPolls() == 0) {
      if (!channel.getCqEvent(queue, WAIT_MILLIS)) {
        throw new IOException("no completion within " + WAIT_MILLIS + " ms");
      }
      queue.ackEvents(1);
      // Whatever comes between this and the next poll is seen by that poll.
      notify.execute();
    }
    return found[0];
  }

  /** Polls until there is a completion. Allocates nothing. */
  IbvWC spin() throws IOException {
    for (long polls = 0; poll.execute().getPolls() == 0; polls++) {
      if (polls == MAX_POLLS) {
        throw new IOException("no completion within " + MAX_POLLS + " polls");
      }
    }
    return found[0];
  }

  /** The queue pair must be gone. */
  @Override
  public void close() throws IOException {
    poll.free();
    notify.free();
    queue.destroyCQ();
    channel.destroyCompChannel();
  }
}
