/*
 * What the files of libdisni.so share. The library is the native half of DiSNI 2.1: the methods that
 * com.ibm.disni.verbs.impl.NativeDispatcher and com.ibm.disni.util.NativeAffinity declare, over
 * libibverbs and librdmacm.
 *
 * Java holds objects as the addresses of the libraries' own structures (it takes every value from 0 up
 * for one), and hands over work requests as memory laid out as those libraries want it. So nothing is
 * copied, converted or allocated between Java and the verbs.
 *
 * A call that fails throws a java.io.IOException that names the verb and errno; a null that the verb
 * would follow, a java.lang.NullPointerException. After either, the value a method returns is not seen.
 */
#ifndef PLURIBUS_DISNI_H
#define PLURIBUS_DISNI_H

#include <errno.h>
#include <infiniband/verbs.h>
#include <jni.h>
#include <rdma/rdma_cma.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Declares the native method "_name" of NativeDispatcher. Of the two names by which the JVM looks for a
 * method we export the long one, which ends with the types of the arguments (JNI specification,
 * "Resolving Native Method Names"): a method of another signature is then not found, instead of found
 * and called with the wrong arguments.
 */
#define DISPATCHER(result, name_and_types) \
  JNIEXPORT result JNICALL Java_com_ibm_disni_verbs_impl_NativeDispatcher__1##name_and_types

/* What the address in a Java long points to. */
#define AT(type, address) ((type *)(uintptr_t)(address))

/* A Java long for the address of an object. User space ends below 2^63, so it is never negative. */
static inline jlong handle_of(const void *object) { return (jlong)(uintptr_t)object; }

/* Throws that a verb failed with this errno. What it failed at follows as "; DETAIL", unless NULL. */
void throw_failed(JNIEnv *env, const char *verb, int error, const char *detail);

/* Throws that a verb was given null for something. */
void throw_null(JNIEnv *env, const char *verb, const char *what);

/* Throws that a verb was given a number for something that lies outside of MIN to MAX. */
void throw_out_of_range(JNIEnv *env, const char *verb, const char *what, jlong value, jlong min, jlong max);

/* Whether an address is null; then it has thrown. */
static inline bool is_null(JNIEnv *env, const char *verb, const char *what, jlong address) {
  if (__builtin_expect(address != 0, 1)) return false;
  throw_null(env, verb, what);
  return true;
}

/* Whether a number lies outside of MIN to MAX; then it has thrown. */
static inline bool is_out_of_range(JNIEnv *env, const char *verb, const char *what, jlong value, jlong min,
                                   jlong max) {
  if (__builtin_expect(value >= min && value <= max, 1)) return false;
  throw_out_of_range(env, verb, what, value, min, max);
  return true;
}

/*
 * The errno of a verb that didn't return 0. By its manual page it returns errno; some providers return
 * -errno instead, and librdmacm -1 with errno set.
 */
static inline int error_of(int returned) {
  if (returned == -1) return errno;
  return returned < 0 ? -returned : returned;
}

/* Throws if a verb returned something else than 0; gives 0 for Java to see. */
static inline jint check(JNIEnv *env, const char *verb, int returned) {
  if (__builtin_expect(returned != 0, 0)) throw_failed(env, verb, error_of(returned), NULL);
  return 0;
}

/* What the methods that wait for an event return when none came in time; Java tests for a negative number. */
#define NO_EVENT (-1)

/* The end of a wait of so many milliseconds (below 0: without end), for has_event. */
int64_t end_of_wait(jint millis);

/*
 * Waits until a file descriptor can be read. Returns 1 if it can, 0 if it is too late, and -1 with errno
 * set on failure. With an end in the past it only looks.
 */
int has_event(int fd, int64_t end);

/* Makes reading a file descriptor fail with EAGAIN instead of block; returns 0, or -1 with errno set. */
int make_nonblocking(int fd);

#endif
