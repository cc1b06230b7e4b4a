package org.pluribus.transport.udp;

import io.aeron.driver.DataPacketDispatcher;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ReceiveChannelEndpointSupplier;
import io.aeron.driver.media.ReceiveChannelEndpoint;
import io.aeron.driver.media.UdpChannel;
import java.lang.reflect.Method;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.status.AtomicCounter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers the sockets that a driver receives on, so that a thread can sleep until something
 * arrives. Used by the holder of the duty token only.
 */
final class ReceivingSockets implements ReceiveChannelEndpointSupplier {
  private static final Logger LOG = LoggerFactory.getLogger(ReceivingSockets.class);

  private final List<ReceiveChannelEndpoint> endpoints = new ArrayList<>();

  @Override
  public ReceiveChannelEndpoint newInstance(
      UdpChannel channel,
      DataPacketDispatcher dispatcher,
      AtomicCounter status,
      MediaDriver.Context context) {
    ReceiveChannelEndpoint endpoint =
        new ReceiveChannelEndpoint(channel, dispatcher, status, context);
    endpoints.add(endpoint);
    return endpoint;
  }

  /**
   * File descriptors of the sockets; none unless the JVM lets us see them ({@code --add-exports
   * java.base/sun.nio.ch=ALL-UNNAMED}).
   */
  int[] descriptors() {
    try {
      Method number = Class.forName("sun.nio.ch.SelChImpl").getMethod("getFDVal");
      int[] all = new int[endpoints.size()];
      for (int i = 0; i < all.length; i++) {
        DatagramChannel socket = endpoints.get(i).receiveDatagramChannel();
        all[i] = (int) number.invoke(socket);
      }
      return all;
    } catch (ReflectiveOperationException hidden) {
      LOG.debug("sockets have to be polled: {}", hidden.toString());
      return new int[0];
    }
  }
}
