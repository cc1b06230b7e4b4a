/* Devices, protection domains and memory regions. */
#include "disni.h"

#include <limits.h>

DISPATCHER(jint, getContextFd__J)(JNIEnv *env, jobject self, jlong context) {
  (void)self;
  if (is_null(env, "ibv_context.cmd_fd", "device", context)) return 0;
  return AT(struct ibv_context, context)->cmd_fd;
}

DISPATCHER(jint, getContextNumCompVectors__J)(JNIEnv *env, jobject self, jlong context) {
  (void)self;
  if (is_null(env, "ibv_context.num_comp_vectors", "device", context)) return 0;
  return AT(struct ibv_context, context)->num_comp_vectors;
}

/* What a device can do on demand-paged memory over reliable connections: bits of ibv_odp_transport_cap_bits. */
DISPATCHER(jint, queryOdpSupport__J)(JNIEnv *env, jobject self, jlong context) {
  (void)self;
  if (is_null(env, "ibv_query_device_ex", "device", context)) return 0;
  struct ibv_device_attr_ex attributes;
  int failed = ibv_query_device_ex(AT(struct ibv_context, context), NULL, &attributes);
  if (failed) return check(env, "ibv_query_device_ex", failed);
  if (!(attributes.odp_caps.general_caps & IBV_ODP_SUPPORT)) return 0;
  return (jint)attributes.odp_caps.per_transport_caps.rc_odp_caps;
}

DISPATCHER(jlong, allocPd__J)(JNIEnv *env, jobject self, jlong context) {
  (void)self;
  if (is_null(env, "ibv_alloc_pd", "device", context)) return 0;
  errno = 0;
  struct ibv_pd *domain = ibv_alloc_pd(AT(struct ibv_context, context));
  if (domain == NULL) throw_failed(env, "ibv_alloc_pd", errno, NULL);
  return handle_of(domain);
}

DISPATCHER(jint, getPdHandle__J)(JNIEnv *env, jobject self, jlong domain) {
  (void)self;
  if (is_null(env, "ibv_pd.handle", "protection domain", domain)) return 0;
  return (jint)AT(struct ibv_pd, domain)->handle;
}

DISPATCHER(jint, deallocPd__J)(JNIEnv *env, jobject self, jlong domain) {
  (void)self;
  if (is_null(env, "ibv_dealloc_pd", "protection domain", domain)) return 0;
  return check(env, "ibv_dealloc_pd", ibv_dealloc_pd(AT(struct ibv_pd, domain)));
}

/* Where Java wants the keys and the kernel's number of the region: three ints. */
DISPATCHER(jlong, regMr__JJIIJJJ)
(JNIEnv *env, jobject self, jlong domain, jlong address, jint length, jint access, jlong lkey, jlong rkey,
 jlong handle) {
  (void)self;
  if (is_null(env, "ibv_reg_mr", "protection domain", domain) || is_null(env, "ibv_reg_mr", "memory", address) ||
      is_null(env, "ibv_reg_mr", "place for the local key", lkey) ||
      is_null(env, "ibv_reg_mr", "place for the remote key", rkey) ||
      is_null(env, "ibv_reg_mr", "place for the handle", handle) ||
      is_out_of_range(env, "ibv_reg_mr", "length", length, 0, INT_MAX)) {
    return 0;
  }
  errno = 0;
  struct ibv_mr *region =
      ibv_reg_mr(AT(struct ibv_pd, domain), AT(void, address), (size_t)length, (unsigned int)access);
  if (region == NULL) {
    /* By far the most frequent reason, and ENOMEM alone misleads. */
    throw_failed(env, "ibv_reg_mr", errno,
                 errno == ENOMEM ? "is the limit of locked memory high enough (ulimit -l)?" : NULL);
    return 0;
  }
  *AT(jint, lkey) = (jint)region->lkey;
  *AT(jint, rkey) = (jint)region->rkey;
  *AT(jint, handle) = (jint)region->handle;
  return handle_of(region);
}

DISPATCHER(void, deregMr__J)(JNIEnv *env, jobject self, jlong region) {
  (void)self;
  if (is_null(env, "ibv_dereg_mr", "memory region", region)) return;
  check(env, "ibv_dereg_mr", ibv_dereg_mr(AT(struct ibv_mr, region)));
}

/* Brings a part of a demand-paged region into memory, for writing, and waits until it is there. */
DISPATCHER(jint, expPrefetchMr__JJI)
(JNIEnv *env, jobject self, jlong region, jlong address, jint length) {
  (void)self;
  if (is_null(env, "ibv_advise_mr", "memory region", region) || is_null(env, "ibv_advise_mr", "memory", address) ||
      is_out_of_range(env, "ibv_advise_mr", "length", length, 0, INT_MAX)) {
    return 0;
  }
  struct ibv_mr *memory = AT(struct ibv_mr, region);
  struct ibv_sge part = {.addr = (uint64_t)address, .length = (uint32_t)length, .lkey = memory->lkey};
  return check(env, "ibv_advise_mr",
               ibv_advise_mr(memory->pd, IBV_ADVISE_MR_ADVICE_PREFETCH_WRITE, IBV_ADVISE_MR_FLAG_FLUSH, &part, 1));
}
