package org.pluribus.transport.udp;

import io.aeron.Aeron;
import io.aeron.AeronCounters;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.BusySpinIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NoOpLock;
import org.agrona.concurrent.YieldingIdleStrategy;
import org.agrona.concurrent.status.CountersReader;
import org.agrona.nio.TransportPoller;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.TransportException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A media driver and its only client, in this process. Used by the holder of the duty token only.
 */
final class EmbeddedDriver implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedDriver.class);

  /**
   * Aeron's own liveness timeouts. So long that they never fire before the heartbeats above have
   * decided: a JVM that stood still must find its streams as it left them.
   */
  private static final long LIVENESS_NANOS = TimeUnit.HOURS.toNanos(1);

  /** The driver insists on more than its clients' liveness timeout. */
  private static final long UNBLOCK_NANOS = 2 * LIVENESS_NANOS;

  /** How often the driver looks at its timeouts; closing takes a few of these. */
  private static final long TIMER_INTERVAL_NANOS = 10_000_000;

  /** How long the client waits for the driver's answer to a command. */
  private static final long COMMAND_TIMEOUT_MILLIS = 30_000;

  /** Files of a driver beside the logs: counters, error log, loss report, commands. */
  private static final int SMALL_FILES_BYTES = 8 << 20;

  private static final int TERMS_PER_LOG = 3;
  private static final int DIRECTIONS = 2;

  private static final int BACKOFF_SPINS = 100;
  private static final int BACKOFF_YIELDS = 10;
  private static final long BACKOFF_MIN_PARK_NANOS = 1_000;
  private static final long BACKOFF_MAX_PARK_NANOS = 1_000_000;

  static {
    // Few sockets would be looked at one by one: a system call each, by way of an iterator that
    // only the optimising compiler makes nothing of. The selector needs one call and no object.
    System.setProperty(TransportPoller.ITERATION_THRESHOLD_PROP_NAME, "0");
  }

  private final AeronFolder folder;
  private final MediaDriver driver;
  private final Aeron client;
  private final ReceivingSockets sockets;
  private final @Nullable AgentInvoker driverInvoker;
  private final AgentInvoker clientInvoker;

  private EmbeddedDriver(
      AeronFolder folder, ReceivingSockets sockets, MediaDriver driver, Aeron client) {
    this.folder = folder;
    this.sockets = sockets;
    this.driver = driver;
    this.client = client;
    driverInvoker = driver.sharedAgentInvoker();
    clientInvoker = client.conductorAgentInvoker();
  }

  /** Starts driver and client. */
  static EmbeddedDriver launch(AeronSettings settings) {
    AeronFolder folder = AeronFolder.create(settings.directory(), bytesNeeded(settings));
    MediaDriver driver = null;
    ReceivingSockets sockets = new ReceivingSockets();
    try {
      driver =
          MediaDriver.launch(
              driverContext(settings, folder).receiveChannelEndpointSupplier(sockets));
      return new EmbeddedDriver(
          folder, sockets, driver, Aeron.connect(clientContext(driver, folder)));
    } catch (RuntimeException failed) {
      if (driver != null) {
        driver.close();
      }
      folder.close();
      throw new TransportException("cannot start Aeron: " + failed.getMessage(), failed);
    }
  }

  Aeron client() {
    return client;
  }

  /** Runs driver and client once, as far as they have no threads of their own. */
  int invoke() {
    // Driver first: after a pause of ours it marks itself alive before the client looks.
    int work = driverInvoker == null ? 0 : driverInvoker.invoke();
    return work + clientInvoker.invoke();
  }

  /** The sockets that {@link #invoke} reads; none if a thread of the driver reads them. */
  int[] descriptors() {
    return driverInvoker == null ? new int[0] : sockets.descriptors();
  }

  /** Whether both still run; they stop by themselves only after a fault. */
  boolean isRunning() {
    return !client.isClosed() && (driverInvoker == null || driverInvoker.isRunning());
  }

  /**
   * Whether the driver still has a publication, open or closed. It lets go of a closed one when the
   * receiver has confirmed that it got everything.
   */
  boolean isSending(long publicationId) {
    CountersReader counters = client.countersReader();
    return counters.findByTypeIdAndRegistrationId(
            AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID, publicationId)
        != CountersReader.NULL_COUNTER_ID;
  }

  @Override
  public void close() {
    try {
      client.close();
      driver.close();
    } finally {
      folder.close();
    }
  }

  private static MediaDriver.Context driverContext(AeronSettings settings, AeronFolder folder) {
    int receiveBuffer = Math.min(settings.socketBufferBytes(), grantedReceiveBuffer(settings));
    MediaDriver.Context context =
        new MediaDriver.Context()
            .aeronDirectoryName(folder.path().toString())
            .warnIfDirectoryExists(false)
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)
            .termBufferSparseFile(true)
            // AeronFolder has looked for room, for all logs at once.
            .performStorageChecks(false)
            .mtuLength(settings.mtuBytes())
            .publicationTermBufferLength(settings.pageTermBytes())
            .socketRcvbufLength(receiveBuffer)
            .socketSndbufLength(settings.socketBufferBytes())
            // A quarter: lanes and peers share the one socket's buffer.
            .initialWindowLength(Math.max(settings.mtuBytes(), receiveBuffer / 4))
            .timerIntervalNs(TIMER_INTERVAL_NANOS)
            .clientLivenessTimeoutNs(LIVENESS_NANOS)
            .imageLivenessTimeoutNs(LIVENESS_NANOS)
            .publicationConnectionTimeoutNs(LIVENESS_NANOS)
            .publicationUnblockTimeoutNs(UNBLOCK_NANOS)
            .asyncExecutorEnabled(false)
            .errorHandler(complaints("Aeron driver"));
    return threads(settings, context);
  }

  private static MediaDriver.Context threads(AeronSettings settings, MediaDriver.Context context) {
    Supplier<IdleStrategy> idle =
        switch (settings.idle()) {
          case YIELD -> YieldingIdleStrategy::new;
          case SPIN -> BusySpinIdleStrategy::new;
          case BACKOFF -> EmbeddedDriver::backoff;
        };
    return context
        .threadingMode(
            switch (settings.threading()) {
              case INVOKER -> ThreadingMode.INVOKER;
              case SHARED -> ThreadingMode.SHARED;
              case DEDICATED -> ThreadingMode.DEDICATED;
            })
        .sharedIdleStrategy(idle.get())
        .senderIdleStrategy(idle.get())
        .receiverIdleStrategy(idle.get())
        // Not on the way of data.
        .conductorIdleStrategy(backoff());
  }

  private static AeronComplaints complaints(String who) {
    return new AeronComplaints(
        (text, cause) -> LOG.warn("{}: {}", who, text, cause), System::nanoTime);
  }

  private static IdleStrategy backoff() {
    return new BackoffIdleStrategy(
        BACKOFF_SPINS, BACKOFF_YIELDS, BACKOFF_MIN_PARK_NANOS, BACKOFF_MAX_PARK_NANOS);
  }

  private static Aeron.Context clientContext(MediaDriver driver, AeronFolder folder) {
    Aeron.Context context =
        new Aeron.Context()
            .aeronDirectoryName(folder.path().toString())
            .useConductorAgentInvoker(true)
            // One thread at a time by contract, the duty token's holder.
            .clientLock(NoOpLock.INSTANCE)
            .driverTimeoutMs(COMMAND_TIMEOUT_MILLIS)
            .errorHandler(complaints("Aeron client"));
    if (driver.sharedAgentInvoker() != null) {
      context.driverAgentInvoker(driver.sharedAgentInvoker());
    }
    return context;
  }

  private static long bytesNeeded(AeronSettings settings) {
    long perDirection =
        (long) TERMS_PER_LOG
            * (settings.pageTermBytes()
                + settings.controlTermBytes()
                + settings.interruptTermBytes());
    return DIRECTIONS * perDirection * (settings.endpoints().size() - 1) + SMALL_FILES_BYTES;
  }

  /**
   * What the kernel gives when asked for the settings' buffer. Aeron refuses to start with less.
   */
  private static int grantedReceiveBuffer(AeronSettings settings) {
    try (DatagramChannel probe = DatagramChannel.open()) {
      probe.setOption(StandardSocketOptions.SO_RCVBUF, settings.socketBufferBytes());
      return probe.getOption(StandardSocketOptions.SO_RCVBUF);
    } catch (IOException unasked) {
      throw new TransportException("cannot open a UDP socket: " + unasked.getMessage(), unasked);
    }
  }
}
