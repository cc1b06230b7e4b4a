/* Connections: event channels, identifiers, the way from an address to a connected queue pair (librdmacm). */
#include "disni.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>

/*
 * How many pieces of memory a request may be made of. Java doesn't say; a page with a header before it
 * and one after needs three.
 */
#define PIECES_PER_REQUEST 4

/* Retry counters have three bits on the wire (rdma_connect(3), "Infiniband specific"). */
#define MAX_RETRIES 7

/* Event types end here; librdmacm has no name for their number. */
#define LAST_EVENT_TYPE RDMA_CM_EVENT_TIMEWAIT_EXIT

DISPATCHER(jlong, createEventChannel__)(JNIEnv *env, jobject self) {
  (void)self;
  errno = 0;
  struct rdma_event_channel *channel = rdma_create_event_channel();
  if (channel == NULL) {
    throw_failed(env, "rdma_create_event_channel", errno,
                 errno == ENODEV ? "is there an RDMA device, and is the module rdma_ucm loaded?" : NULL);
    return 0;
  }
  /* Of two threads that wait, one may take the event the other was told of; that one must go on waiting. */
  if (make_nonblocking(channel->fd) != 0) {
    int error = errno;
    rdma_destroy_event_channel(channel);
    throw_failed(env, "fcntl", error, "of an event channel");
    return 0;
  }
  return handle_of(channel);
}

DISPATCHER(jint, destroyEventChannel__J)(JNIEnv *env, jobject self, jlong channel) {
  (void)self;
  if (is_null(env, "rdma_destroy_event_channel", "event channel", channel)) return 0;
  rdma_destroy_event_channel(AT(struct rdma_event_channel, channel));
  return 0;
}

/*
 * Takes an event off a channel: returns its type, and stores whom it is for. listener is 0 but for a
 * connection request, whose id is a new one.
 *
 * The event goes back to librdmacm here and now. Java acknowledges events by their type only, which can't
 * tell two of a type apart, and reads nothing of them but what is stored here. So none is ever lost, and
 * destroying an identifier never waits for one.
 */
DISPATCHER(jint, getCmEvent__JJJI)
(JNIEnv *env, jobject self, jlong channel, jlong listener, jlong id, jint timeout_millis) {
  (void)self;
  if (is_null(env, "rdma_get_cm_event", "event channel", channel) ||
      is_null(env, "rdma_get_cm_event", "place for the listener", listener) ||
      is_null(env, "rdma_get_cm_event", "place for the identifier", id)) {
    return 0;
  }
  struct rdma_event_channel *events = AT(struct rdma_event_channel, channel);
  struct rdma_cm_event *event = NULL;
  int64_t end = end_of_wait(timeout_millis);
  do {
    int ready = has_event(events->fd, end);
    if (ready == 0) return NO_EVENT;
    if (ready > 0 && rdma_get_cm_event(events, &event) == 0) break;
    if (ready < 0 || (errno != EAGAIN && errno != EINTR)) {
      throw_failed(env, "rdma_get_cm_event", errno, NULL);
      return 0;
    }
  } while (true);
  jint type = (jint)event->event;
  *AT(jlong, listener) = handle_of(event->listen_id);
  *AT(jlong, id) = handle_of(event->id);
  check(env, "rdma_ack_cm_event", rdma_ack_cm_event(event));
  return type;
}

/* getCmEvent has done it. */
DISPATCHER(jint, ackCmEvent__I)(JNIEnv *env, jobject self, jint type) {
  (void)self;
  is_out_of_range(env, "rdma_ack_cm_event", "event type", type, 0, LAST_EVENT_TYPE);
  return 0;
}

DISPATCHER(jlong, createId__JS)(JNIEnv *env, jobject self, jlong channel, jshort port_space) {
  (void)self;
  /* librdmacm would take null for "wait in every call", which no Java thread asked for. */
  if (is_null(env, "rdma_create_id", "event channel", channel)) return 0;
  struct rdma_cm_id *id = NULL;
  int failed =
      rdma_create_id(AT(struct rdma_event_channel, channel), &id, NULL, (enum rdma_port_space)(uint16_t)port_space);
  if (failed) return check(env, "rdma_create_id", failed);
  return handle_of(id);
}

DISPATCHER(jint, destroyCmId__J)(JNIEnv *env, jobject self, jlong id) {
  (void)self;
  if (is_null(env, "rdma_destroy_id", "identifier", id)) return 0;
  return check(env, "rdma_destroy_id", rdma_destroy_id(AT(struct rdma_cm_id, id)));
}

/* The identifier goes, too, and its queue pair if it has one. */
DISPATCHER(jint, destroyEp__J)(JNIEnv *env, jobject self, jlong id) {
  (void)self;
  if (is_null(env, "rdma_destroy_ep", "identifier", id)) return 0;
  rdma_destroy_ep(AT(struct rdma_cm_id, id));
  return 0;
}

/*
 * The device an identifier belongs to. None yet is no failure: an identifier that listens on all addresses
 * never has one. Java takes a negative number for "ask again later", and asks the connection's own one.
 */
DISPATCHER(jlong, getContext__J)(JNIEnv *env, jobject self, jlong id) {
  (void)self;
  if (is_null(env, "rdma_cm_id.verbs", "identifier", id)) return 0;
  struct ibv_context *context = AT(struct rdma_cm_id, id)->verbs;
  return context == NULL ? -1 : handle_of(context);
}

/* Completions of sends come only for requests that ask for one. */
DISPATCHER(jlong, createQP__JJJJIIII)
(JNIEnv *env, jobject self, jlong id, jlong domain, jlong send_queue, jlong receive_queue, jint type, jint sends,
 jint receives, jint inline_bytes) {
  (void)self;
  if (is_null(env, "rdma_create_qp", "identifier", id) ||
      is_null(env, "rdma_create_qp", "protection domain", domain) ||
      is_null(env, "rdma_create_qp", "send completion queue", send_queue) ||
      is_null(env, "rdma_create_qp", "receive completion queue", receive_queue) ||
      is_out_of_range(env, "rdma_create_qp", "number of sends", sends, 0, INT_MAX) ||
      is_out_of_range(env, "rdma_create_qp", "number of receives", receives, 0, INT_MAX) ||
      is_out_of_range(env, "rdma_create_qp", "number of inline bytes", inline_bytes, 0, INT_MAX)) {
    return 0;
  }
  struct rdma_cm_id *connection = AT(struct rdma_cm_id, id);
  if (is_null(env, "rdma_create_qp", "identifier's device (no address is resolved)", handle_of(connection->verbs))) {
    return 0;
  }
  struct ibv_device_attr device;
  int failed = ibv_query_device(connection->verbs, &device);
  if (failed) return check(env, "ibv_query_device", failed);
  uint32_t pieces = device.max_sge < PIECES_PER_REQUEST ? (uint32_t)device.max_sge : PIECES_PER_REQUEST;
  struct ibv_qp_init_attr attributes = {
      .send_cq = AT(struct ibv_cq, send_queue),
      .recv_cq = AT(struct ibv_cq, receive_queue),
      .qp_type = (enum ibv_qp_type)type,
      .cap = {.max_send_wr = (uint32_t)sends,
              .max_recv_wr = (uint32_t)receives,
              .max_send_sge = pieces,
              .max_recv_sge = pieces,
              .max_inline_data = (uint32_t)inline_bytes},
  };
  failed = rdma_create_qp(connection, AT(struct ibv_pd, domain), &attributes);
  if (failed) return check(env, "rdma_create_qp", failed);
  return handle_of(connection->qp);
}

DISPATCHER(jint, destroyQP__J)(JNIEnv *env, jobject self, jlong id) {
  (void)self;
  if (is_null(env, "rdma_destroy_qp", "identifier", id)) return 0;
  struct rdma_cm_id *connection = AT(struct rdma_cm_id, id);
  /* librdmacm would follow it. */
  if (is_null(env, "rdma_destroy_qp", "identifier's queue pair", handle_of(connection->qp))) return 0;
  rdma_destroy_qp(connection);
  return 0;
}

DISPATCHER(void, bindAddr__JJ)(JNIEnv *env, jobject self, jlong id, jlong address) {
  (void)self;
  if (is_null(env, "rdma_bind_addr", "identifier", id) || is_null(env, "rdma_bind_addr", "address", address)) return;
  check(env, "rdma_bind_addr", rdma_bind_addr(AT(struct rdma_cm_id, id), AT(struct sockaddr, address)));
}

DISPATCHER(void, listen__JI)(JNIEnv *env, jobject self, jlong id, jint backlog) {
  (void)self;
  if (is_null(env, "rdma_listen", "identifier", id)) return;
  check(env, "rdma_listen", rdma_listen(AT(struct rdma_cm_id, id), backlog));
}

/* The source may be null: librdmacm then chooses by the routes. */
DISPATCHER(void, resolveAddr__JJJI)
(JNIEnv *env, jobject self, jlong id, jlong source, jlong destination, jint timeout_millis) {
  (void)self;
  if (is_null(env, "rdma_resolve_addr", "identifier", id) ||
      is_null(env, "rdma_resolve_addr", "destination", destination)) {
    return;
  }
  check(env, "rdma_resolve_addr",
        rdma_resolve_addr(AT(struct rdma_cm_id, id), AT(struct sockaddr, source), AT(struct sockaddr, destination),
                          timeout_millis));
}

DISPATCHER(void, resolveRoute__JI)(JNIEnv *env, jobject self, jlong id, jint timeout_millis) {
  (void)self;
  if (is_null(env, "rdma_resolve_route", "identifier", id)) return;
  check(env, "rdma_resolve_route", rdma_resolve_route(AT(struct rdma_cm_id, id), timeout_millis));
}

/* As many RDMA reads at a time, either way, as both devices can do: Java has no number for them. */
static struct rdma_conn_param parameters(jint retries, jint not_ready_retries) {
  return (struct rdma_conn_param){
      .responder_resources = RDMA_MAX_RESP_RES,
      .initiator_depth = RDMA_MAX_INIT_DEPTH,
      .retry_count = (uint8_t)retries,
      .rnr_retry_count = (uint8_t)not_ready_retries,
  };
}

DISPATCHER(void, connect__JIIJB)
(JNIEnv *env, jobject self, jlong id, jint retries, jint not_ready_retries, jlong data, jbyte data_bytes) {
  (void)self;
  if (is_null(env, "rdma_connect", "identifier", id) ||
      is_out_of_range(env, "rdma_connect", "retry count", retries, 0, MAX_RETRIES) ||
      is_out_of_range(env, "rdma_connect", "retry count for a receiver that is not ready", not_ready_retries, 0,
                      MAX_RETRIES) ||
      is_out_of_range(env, "rdma_connect", "length of the private data", data_bytes, 0, SCHAR_MAX) ||
      (data_bytes != 0 && is_null(env, "rdma_connect", "private data", data))) {
    return;
  }
  struct rdma_conn_param wish = parameters(retries, not_ready_retries);
  wish.private_data = data_bytes == 0 ? NULL : AT(void, data);
  wish.private_data_len = (uint8_t)data_bytes;
  check(env, "rdma_connect", rdma_connect(AT(struct rdma_cm_id, id), &wish));
}

DISPATCHER(void, accept__JII)(JNIEnv *env, jobject self, jlong id, jint retries, jint not_ready_retries) {
  (void)self;
  if (is_null(env, "rdma_accept", "identifier", id) ||
      is_out_of_range(env, "rdma_accept", "retry count", retries, 0, MAX_RETRIES) ||
      is_out_of_range(env, "rdma_accept", "retry count for a receiver that is not ready", not_ready_retries, 0,
                      MAX_RETRIES)) {
    return;
  }
  struct rdma_conn_param wish = parameters(retries, not_ready_retries);
  check(env, "rdma_accept", rdma_accept(AT(struct rdma_cm_id, id), &wish));
}

DISPATCHER(jint, disconnect__J)(JNIEnv *env, jobject self, jlong id) {
  (void)self;
  if (is_null(env, "rdma_disconnect", "identifier", id)) return 0;
  return check(env, "rdma_disconnect", rdma_disconnect(AT(struct rdma_cm_id, id)));
}

/* Copies an IPv4 address, the only kind DiSNI knows; an identifier without one has all zeroes. */
static jint copy_address(JNIEnv *env, const char *verb, const struct sockaddr *from, jlong to) {
  if (from->sa_family != AF_INET) {
    throw_failed(env, verb, EADDRNOTAVAIL, "the identifier has no IPv4 address");
    return 0;
  }
  memcpy(AT(void, to), from, sizeof(struct sockaddr_in));
  return 0;
}

DISPATCHER(jint, getSrcAddr__JJ)(JNIEnv *env, jobject self, jlong id, jlong address) {
  (void)self;
  if (is_null(env, "rdma_get_local_addr", "identifier", id) ||
      is_null(env, "rdma_get_local_addr", "place for the address", address)) {
    return 0;
  }
  return copy_address(env, "rdma_get_local_addr", rdma_get_local_addr(AT(struct rdma_cm_id, id)), address);
}

DISPATCHER(jint, getDstAddr__JJ)(JNIEnv *env, jobject self, jlong id, jlong address) {
  (void)self;
  if (is_null(env, "rdma_get_peer_addr", "identifier", id) ||
      is_null(env, "rdma_get_peer_addr", "place for the address", address)) {
    return 0;
  }
  return copy_address(env, "rdma_get_peer_addr", rdma_get_peer_addr(AT(struct rdma_cm_id, id)), address);
}
