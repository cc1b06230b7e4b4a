/* Completion queues and the channels that tell of their events. */
#include "disni.h"

#include <limits.h>

DISPATCHER(jlong, createCompChannel__J)(JNIEnv *env, jobject self, jlong context) {
  (void)self;
  if (is_null(env, "ibv_create_comp_channel", "device", context)) return 0;
  errno = 0;
  struct ibv_comp_channel *channel = ibv_create_comp_channel(AT(struct ibv_context, context));
  if (channel == NULL) {
    throw_failed(env, "ibv_create_comp_channel", errno, NULL);
    return 0;
  }
  /* Of two threads that wait, one may take the event the other was told of; that one must go on waiting. */
  if (make_nonblocking(channel->fd) != 0) {
    int error = errno;
    ibv_destroy_comp_channel(channel);
    throw_failed(env, "fcntl", error, "of a completion channel");
    return 0;
  }
  return handle_of(channel);
}

DISPATCHER(jint, destroyCompChannel__J)(JNIEnv *env, jobject self, jlong channel) {
  (void)self;
  if (is_null(env, "ibv_destroy_comp_channel", "completion channel", channel)) return 0;
  return check(env, "ibv_destroy_comp_channel", ibv_destroy_comp_channel(AT(struct ibv_comp_channel, channel)));
}

/* A queue without a channel (null) is allowed: it is polled only. */
DISPATCHER(jlong, createCQ__JJII)
(JNIEnv *env, jobject self, jlong context, jlong channel, jint entries, jint vector) {
  (void)self;
  if (is_null(env, "ibv_create_cq", "device", context)) return 0;
  errno = 0;
  struct ibv_cq *queue = ibv_create_cq(AT(struct ibv_context, context), entries, NULL,
                                       AT(struct ibv_comp_channel, channel), vector);
  if (queue == NULL) throw_failed(env, "ibv_create_cq", errno, NULL);
  return handle_of(queue);
}

DISPATCHER(jint, destroyCQ__J)(JNIEnv *env, jobject self, jlong queue) {
  (void)self;
  if (is_null(env, "ibv_destroy_cq", "completion queue", queue)) return 0;
  return check(env, "ibv_destroy_cq", ibv_destroy_cq(AT(struct ibv_cq, queue)));
}

/*
 * Java has room for as many completions as it says; we can't see how many. Those it gets are written
 * where it reads them.
 */
DISPATCHER(jint, pollCQ__JIJ)(JNIEnv *env, jobject self, jlong queue, jint entries, jlong completions) {
  (void)self;
  if (is_null(env, "ibv_poll_cq", "completion queue", queue) ||
      is_null(env, "ibv_poll_cq", "place for completions", completions) ||
      is_out_of_range(env, "ibv_poll_cq", "number of completions", entries, 0, INT_MAX)) {
    return 0;
  }
  errno = 0;
  int found = ibv_poll_cq(AT(struct ibv_cq, queue), entries, AT(struct ibv_wc, completions));
  /* The manual page promises no errno; of providers some set it, some return it. */
  if (__builtin_expect(found < 0, 0)) throw_failed(env, "ibv_poll_cq", errno != 0 ? errno : error_of(found), NULL);
  return found;
}

DISPATCHER(jint, reqNotifyCQ__JI)(JNIEnv *env, jobject self, jlong queue, jint solicited_only) {
  (void)self;
  if (is_null(env, "ibv_req_notify_cq", "completion queue", queue)) return 0;
  return check(env, "ibv_req_notify_cq", ibv_req_notify_cq(AT(struct ibv_cq, queue), solicited_only));
}

/* Takes one event. Which queue it is from Java doesn't ask: it has one queue on a channel. */
DISPATCHER(jint, getCqEvent__JI)(JNIEnv *env, jobject self, jlong channel, jint timeout_millis) {
  (void)self;
  if (is_null(env, "ibv_get_cq_event", "completion channel", channel)) return 0;
  struct ibv_comp_channel *events = AT(struct ibv_comp_channel, channel);
  int64_t end = end_of_wait(timeout_millis);
  for (;;) {
    int ready = has_event(events->fd, end);
    if (ready == 0) return NO_EVENT;
    struct ibv_cq *queue;
    void *queue_context;
    if (ready > 0 && ibv_get_cq_event(events, &queue, &queue_context) == 0) return 0;
    if (ready < 0 || (errno != EAGAIN && errno != EINTR)) {
      throw_failed(env, "ibv_get_cq_event", errno, NULL);
      return 0;
    }
  }
}

DISPATCHER(jint, ackCqEvent__JI)(JNIEnv *env, jobject self, jlong queue, jint events) {
  (void)self;
  if (is_null(env, "ibv_ack_cq_events", "completion queue", queue) ||
      is_out_of_range(env, "ibv_ack_cq_events", "number of events", events, 0, INT_MAX)) {
    return 0;
  }
  ibv_ack_cq_events(AT(struct ibv_cq, queue), (unsigned int)events);
  return 0;
}
