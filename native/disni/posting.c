/*
 * Queue pairs at work. Java has built the lists of requests in memory of its own before, with the
 * addresses of the next request and of the pieces of memory in them, so posting passes one address on.
 */
#include "disni.h"

#include <stdio.h>

/* Room for "; request N of the list". */
#define DETAIL_BYTES 48

/*
 * Throws why a post failed, and at which request of the list, counted from 1. All before it are posted.
 * Both kinds of requests have their "next" at the same offset, see layout.c.
 */
static void throw_not_posted(JNIEnv *env, const char *verb, int error, const struct ibv_recv_wr *first,
                             const void *rejected) {
  char detail[DETAIL_BYTES];
  int number = 1;
  for (const struct ibv_recv_wr *request = first; request != NULL && request != rejected; request = request->next) {
    number++;
  }
  snprintf(detail, sizeof detail, "request %d of the list", number);
  throw_failed(env, verb, error, rejected == NULL ? NULL : detail);
}

DISPATCHER(void, postSend__JJ)(JNIEnv *env, jobject self, jlong pair, jlong requests) {
  (void)self;
  if (is_null(env, "ibv_post_send", "queue pair", pair) || is_null(env, "ibv_post_send", "request", requests)) return;
  struct ibv_send_wr *rejected = NULL;
  int failed = ibv_post_send(AT(struct ibv_qp, pair), AT(struct ibv_send_wr, requests), &rejected);
  if (__builtin_expect(failed != 0, 0)) {
    throw_not_posted(env, "ibv_post_send", error_of(failed), AT(struct ibv_recv_wr, requests), rejected);
  }
}

DISPATCHER(void, postRecv__JJ)(JNIEnv *env, jobject self, jlong pair, jlong requests) {
  (void)self;
  if (is_null(env, "ibv_post_recv", "queue pair", pair) || is_null(env, "ibv_post_recv", "request", requests)) return;
  struct ibv_recv_wr *rejected = NULL;
  int failed = ibv_post_recv(AT(struct ibv_qp, pair), AT(struct ibv_recv_wr, requests), &rejected);
  if (__builtin_expect(failed != 0, 0)) {
    throw_not_posted(env, "ibv_post_recv", error_of(failed), AT(struct ibv_recv_wr, requests), rejected);
  }
}

DISPATCHER(jint, getQpNum__J)(JNIEnv *env, jobject self, jlong pair) {
  (void)self;
  if (is_null(env, "ibv_qp.qp_num", "queue pair", pair)) return 0;
  return (jint)AT(struct ibv_qp, pair)->qp_num;
}

/*
 * Brings a queue pair into the state of an ibv_qp_attr. Of its other fields none is used, as Java passes
 * no mask: a connection's queue pair gets all other attributes from rdma_cm, and its user only ever moves
 * it to the error state. (DiSNI 2.1's own RdmaVerbsNat.modifyQP always passes null.)
 */
DISPATCHER(jint, modifyQP__JJ)(JNIEnv *env, jobject self, jlong pair, jlong attributes) {
  (void)self;
  if (is_null(env, "ibv_modify_qp", "queue pair", pair) ||
      is_null(env, "ibv_modify_qp", "set of attributes", attributes)) {
    return 0;
  }
  return check(env, "ibv_modify_qp",
               ibv_modify_qp(AT(struct ibv_qp, pair), AT(struct ibv_qp_attr, attributes), IBV_QP_STATE));
}
