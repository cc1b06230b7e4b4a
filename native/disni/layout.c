/*
 * The memory that Java and the verbs share: Java's classes hold these sizes and offsets, and DiSNI asks
 * for some of them when it loads the library. All that Java writes or reads by position is checked here,
 * when this is compiled; so are the numbers it has of its own for the verbs' constants.
 */
#include "disni.h"

#include <netinet/in.h>
#include <stddef.h>

/* The version of the native half that DiSNI 2.1 insists on (NativeDispatcher.JVERBS_VERSION). */
#define DISNI_NATIVE_VERSION 32

#define SAME(value, javas) _Static_assert((value) == (javas), #value " is not what DiSNI 2.1 has for it")
#define FIELD(type, field, offset_in_java, size_in_java)  \
  SAME(offsetof(struct type, field), offset_in_java);     \
  SAME(sizeof(((struct type *)NULL)->field), size_in_java)

/* NatIbvSendWR.writeBack; its size is asked for, Java reckons with the distance between two requests. */
SAME(sizeof(struct ibv_send_wr), 128);
FIELD(ibv_send_wr, wr_id, 0, 8);
FIELD(ibv_send_wr, next, 8, 8);
FIELD(ibv_send_wr, sg_list, 16, 8);
FIELD(ibv_send_wr, num_sge, 24, 4);
FIELD(ibv_send_wr, opcode, 28, 4);
FIELD(ibv_send_wr, send_flags, 32, 4);
FIELD(ibv_send_wr, imm_data, 36, 4);
FIELD(ibv_send_wr, wr.rdma.remote_addr, 40, 8);
FIELD(ibv_send_wr, wr.rdma.rkey, 48, 4);

/* NatIbvRecvWR.writeBack */
SAME(sizeof(struct ibv_recv_wr), 32);
FIELD(ibv_recv_wr, wr_id, 0, 8);
FIELD(ibv_recv_wr, next, 8, 8);
FIELD(ibv_recv_wr, sg_list, 16, 8);
FIELD(ibv_recv_wr, num_sge, 24, 4);

/* NatIbvSge.writeBack */
SAME(sizeof(struct ibv_sge), 16);
FIELD(ibv_sge, addr, 0, 8);
FIELD(ibv_sge, length, 8, 4);
FIELD(ibv_sge, lkey, 12, 4);

/* NatPollCqCall.update */
SAME(sizeof(struct ibv_wc), 48);
FIELD(ibv_wc, wr_id, 0, 8);
FIELD(ibv_wc, status, 8, 4);
FIELD(ibv_wc, opcode, 12, 4);
FIELD(ibv_wc, vendor_err, 16, 4);
FIELD(ibv_wc, byte_len, 20, 4);
FIELD(ibv_wc, imm_data, 24, 4);
FIELD(ibv_wc, qp_num, 28, 4);
FIELD(ibv_wc, src_qp, 32, 4);
FIELD(ibv_wc, wc_flags, 36, 4);
FIELD(ibv_wc, pkey_index, 40, 2);
FIELD(ibv_wc, slid, 42, 2);
FIELD(ibv_wc, sl, 44, 1);
FIELD(ibv_wc, dlid_path_bits, 45, 1);

/* SockAddrIn.writeBack and update */
FIELD(sockaddr_in, sin_family, 0, 2);
FIELD(sockaddr_in, sin_port, 2, 2);
FIELD(sockaddr_in, sin_addr, 4, 4);

/* IbvSendWR, IbvMr, IbvContext, IbvQP, IbvWC, RdmaCm, RdmaCmEvent.EventType */
SAME(IBV_WR_RDMA_WRITE, 0);
SAME(IBV_WR_RDMA_WRITE_WITH_IMM, 1);
SAME(IBV_WR_SEND, 2);
SAME(IBV_WR_SEND_WITH_IMM, 3);
SAME(IBV_WR_RDMA_READ, 4);
SAME(IBV_WR_ATOMIC_CMP_AND_SWP, 5);
SAME(IBV_WR_ATOMIC_FETCH_AND_ADD, 6);
SAME(IBV_SEND_FENCE, 1);
SAME(IBV_SEND_SIGNALED, 2);
SAME(IBV_SEND_SOLICITED, 4);
SAME(IBV_SEND_INLINE, 8);
SAME(IBV_ACCESS_LOCAL_WRITE, 1);
SAME(IBV_ACCESS_REMOTE_WRITE, 2);
SAME(IBV_ACCESS_REMOTE_READ, 4);
SAME(IBV_ACCESS_REMOTE_ATOMIC, 8);
SAME(IBV_ACCESS_MW_BIND, 16);
SAME(IBV_ACCESS_ON_DEMAND, 64);
SAME(IBV_ODP_SUPPORT_SEND, 1);
SAME(IBV_ODP_SUPPORT_RECV, 2);
SAME(IBV_ODP_SUPPORT_WRITE, 4);
SAME(IBV_ODP_SUPPORT_READ, 8);
SAME(IBV_ODP_SUPPORT_ATOMIC, 16);
SAME(IBV_QPT_RC, 2);
SAME(IBV_QPT_UC, 3);
SAME(IBV_QPT_UD, 4);
SAME(IBV_WC_SUCCESS, 0);
SAME(IBV_WC_GENERAL_ERR, 21);
SAME(IBV_WC_SEND, 0);
SAME(IBV_WC_RDMA_WRITE, 1);
SAME(IBV_WC_RDMA_READ, 2);
SAME(IBV_WC_RECV, 128);
SAME(IBV_WC_RECV_RDMA_WITH_IMM, 129);
SAME(RDMA_PS_IPOIB, 2);
SAME(RDMA_PS_TCP, 262);
SAME(RDMA_PS_UDP, 273);
SAME(RDMA_CM_EVENT_ADDR_RESOLVED, 0);
SAME(RDMA_CM_EVENT_ROUTE_RESOLVED, 2);
SAME(RDMA_CM_EVENT_CONNECT_REQUEST, 4);
SAME(RDMA_CM_EVENT_ESTABLISHED, 9);
SAME(RDMA_CM_EVENT_DISCONNECTED, 10);
SAME(RDMA_CM_EVENT_TIMEWAIT_EXIT, 15);

DISPATCHER(jint, getVersion__)(JNIEnv *env, jobject self) {
  (void)env, (void)self;
  return DISNI_NATIVE_VERSION;
}

DISPATCHER(jint, getSockAddrInSize__)(JNIEnv *env, jobject self) {
  (void)env, (void)self;
  return sizeof(struct sockaddr_in);
}

DISPATCHER(jint, getIbvSendWRSize__)(JNIEnv *env, jobject self) {
  (void)env, (void)self;
  return sizeof(struct ibv_send_wr);
}

DISPATCHER(jint, getIbvRecvWRSize__)(JNIEnv *env, jobject self) {
  (void)env, (void)self;
  return sizeof(struct ibv_recv_wr);
}

DISPATCHER(jint, getIbvSgeSize__)(JNIEnv *env, jobject self) {
  (void)env, (void)self;
  return sizeof(struct ibv_sge);
}

DISPATCHER(jint, getIbvWCSize__)(JNIEnv *env, jobject self) {
  (void)env, (void)self;
  return sizeof(struct ibv_wc);
}

DISPATCHER(jint, getRemoteAddressOffset__)(JNIEnv *env, jobject self) {
  (void)env, (void)self;
  return offsetof(struct ibv_send_wr, wr.rdma.remote_addr);
}

DISPATCHER(jint, getRKeyOffset__)(JNIEnv *env, jobject self) {
  (void)env, (void)self;
  return offsetof(struct ibv_send_wr, wr.rdma.rkey);
}
