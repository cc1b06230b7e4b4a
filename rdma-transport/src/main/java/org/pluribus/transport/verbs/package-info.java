/**
 * RDMA through DiSNI 2.1: Java classes for the verbs of libibverbs and the connections of
 * librdmacm.
 *
 * <p>DiSNI's jar has no native half. Ours is {@code native/disni}, a library of one C function per
 * native method, which the build puts into our jar beside {@link VerbsLibrary}. Call {@link
 * VerbsLibrary#load} before the first use of any class of {@code com.ibm.disni}:
 *
 * <pre>
 *   VerbsLibrary.load();                                       // or says what is in the way
 *   RdmaEventChannel events = RdmaEventChannel.createEventChannel();
 *   RdmaCmId id = events.createId(RdmaCm.RDMA_PS_TCP);
 *   id.resolveAddr(null, address, millis);                     // then resolveRoute, createQP, connect
 *   SVCPostSend call = qp.postSend(requests, null);            // laid out in memory once, ...
 *   call.getWrMod(0).getSgeMod(0).setAddr(page);               // ... changed in place,
 *   call.execute();                                            // posted without allocating
 * </pre>
 *
 * <p>{@link DisniTransport} carries a VM's messages over them: {@link VerbsNetwork} is the network
 * of them, {@link Connections} connects, {@link Greetings} introduces the nodes to each other, a
 * {@link VerbsLane} is one connection's place among the lanes, a {@link QueuePair} the connection
 * itself, with {@link Credits} so that nothing is sent into nothing, {@link Slabs} the guest's RAM
 * with its keys. When a connection breaks, {@link SendSlots} still has what the peer may not have
 * got, {@link Unconfirmed} keeps it for the next connection, and {@link Breaks} says how long to
 * try.
 *
 * <p>A verb that fails throws an {@link java.io.IOException} such as {@code rdma_bind_addr failed:
 * Cannot assign requested address (EADDRNOTAVAIL, errno 99)}. Only a null is caught before it can
 * crash the JVM; DiSNI itself keeps most of those who use an object after its end from doing so.
 */
@org.jspecify.annotations.NullMarked
package org.pluribus.transport.verbs;
