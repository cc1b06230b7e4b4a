/*
 * com.ibm.disni.util.NativeAffinity: the CPUs that the calling thread may run on, as a mask of the first
 * 64. Its methods declare no exception, so a failure is an unchecked one.
 */
#define _GNU_SOURCE
#include "disni.h"

#include <sched.h>

#define AFFINITY(result, name_and_types) \
  JNIEXPORT result JNICALL Java_com_ibm_disni_util_NativeAffinity__1##name_and_types

#define CPUS_IN_MASK 64

/* Wraps the IOException that throw_failed leaves into a java.io.UncheckedIOException. */
static void throw_unchecked(JNIEnv *env, const char *call) {
  throw_failed(env, call, errno, NULL);
  jthrowable cause = (*env)->ExceptionOccurred(env);
  (*env)->ExceptionClear(env);
  jclass class = (*env)->FindClass(env, "java/io/UncheckedIOException");
  if (class == NULL) return;
  jmethodID constructor = (*env)->GetMethodID(env, class, "<init>", "(Ljava/io/IOException;)V");
  if (constructor == NULL) return;
  jthrowable unchecked = (*env)->NewObject(env, class, constructor, cause);
  if (unchecked != NULL) (*env)->Throw(env, unchecked);
}

AFFINITY(void, setAffinity__J)(JNIEnv *env, jclass class, jlong mask) {
  (void)class;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (int cpu = 0; cpu < CPUS_IN_MASK; cpu++) {
    if ((uint64_t)mask >> cpu & 1) CPU_SET(cpu, &cpus);
  }
  if (sched_setaffinity(0, sizeof cpus, &cpus) != 0) throw_unchecked(env, "sched_setaffinity");
}

AFFINITY(jlong, getAffinity__)(JNIEnv *env, jclass class) {
  (void)class;
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) {
    throw_unchecked(env, "sched_getaffinity");
    return 0;
  }
  uint64_t mask = 0;
  for (int cpu = 0; cpu < CPUS_IN_MASK; cpu++) {
    if (CPU_ISSET(cpu, &cpus)) mask |= UINT64_C(1) << cpu;
  }
  return (jlong)mask;
}
